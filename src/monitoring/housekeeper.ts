import type { Logger } from '../platform/telemetry/index.js';

/** Work that is to be done again and again, a moment after it ended the last time. */
export interface Chore {
  name: string;
  everyMs: number;
  work(signal: AbortSignal): Promise<unknown>;
}

/** Does chores beside each other for as long as a gateway lives. One that fails is done again like one that didn't. */
export class Housekeeper {
  readonly #stopping = new AbortController();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #working = new Set<Promise<void>>();

  constructor(private readonly parts: { chores: readonly Chore[]; log: Logger }) {}

  start(): void {
    for (const chore of this.parts.chores) this.#plan(chore, chore.everyMs);
  }

  /** Waits for what is being done. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.all(this.#working);
  }

  #plan(chore: Chore, afterMs: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#timers.set(chore.name, setTimeout(() => this.#do(chore), afterMs).unref());
  }

  #do(chore: Chore): void {
    const done = chore
      .work(this.#stopping.signal)
      .catch((err: unknown) => this.parts.log.debug({ err, chore: chore.name }, 'a chore of monitoring was put off'))
      .then(() => {
        this.#working.delete(done);
        this.#plan(chore, chore.everyMs);
      });
    this.#working.add(done);
  }
}
