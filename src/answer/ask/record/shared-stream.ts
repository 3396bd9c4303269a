import { currentAccount, onAccount, spend, type Account } from '../../../platform/spending/index.js';

/**
 * One source of events for any number of readers. Each reader gets all of them from the first on, whenever it joins. When
 * the last reader leaves before the end, the source is told to stop. What the source spends goes to whoever reads on: it has an account of its own, since
 * who opened it may leave first.
 */
export class SharedStream<E> {
  private readonly events: E[] = [];
  private readonly stopping = new AbortController();
  private readers = 0;
  private ended = false;
  private failure: { error: unknown } | null = null;
  private waiting: (() => void)[] = [];
  private readonly account: Account | null;
  private charged = 0;
  /** Resolves when the source has ended, whatever the outcome. */
  readonly settled: Promise<void>;

  constructor(open: (signal: AbortSignal) => AsyncIterable<E>) {
    const opener = currentAccount();
    this.account = opener ? { caller: opener.caller, tokens: 0 } : null;
    this.settled = this.account ? onAccount(this.account, () => this.pump(open)) : this.pump(open);
  }

  /** False once the source was told to stop: what it still yields is of no use to a newcomer. */
  get joinable(): boolean {
    return !this.stopping.signal.aborted;
  }

  /** @throws what the source threw; ends early, without an error, when `signal` aborts */
  async *read(signal: AbortSignal): AsyncGenerator<E, void> {
    this.readers += 1;
    const wake = (): void => this.wake();
    signal.addEventListener('abort', wake);
    try {
      for (let next = 0; !signal.aborted;) {
        this.charge();
        if (next < this.events.length) yield this.events[next++] as E;
        else if (this.failure) throw this.failure.error;
        else if (this.ended) return;
        else await new Promise<void>((resolve) => this.waiting.push(resolve));
      }
    } finally {
      this.charge();
      signal.removeEventListener('abort', wake);
      this.readers -= 1;
      if (this.readers === 0 && !this.ended) this.stopping.abort();
    }
  }

  /** Charges the reader that runs now for what nobody was charged for yet. */
  private charge(): void {
    const due = (this.account?.tokens ?? 0) - this.charged;
    this.charged += due;
    spend(due);
  }

  private async pump(open: (signal: AbortSignal) => AsyncIterable<E>): Promise<void> {
    try {
      for await (const event of open(this.stopping.signal)) {
        this.events.push(event);
        this.wake();
      }
    } catch (error) {
      this.failure = { error };
    }
    this.ended = true;
    this.wake();
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
