import type { GenerateChunk } from '../src/worker-protocol/index.js';

/**
 * Tokens that follow each other within this time share a chunk: 20 chunks a second read as a flow, and each takes time in
 * every process that it passes, on cores that the model wants.
 */
const COALESCE_MS = 50;

/**
 * The worker's end of a stream. `started` and the first text leave at once. Later text leaves when the last chunk is as old as
 * `COALESCE_MS`, and by a timer, so that the model gets its next token to work on first. Without credit `write` doesn't resolve,
 * which stops the model.
 */
export class CreditStream {
  private sequence = 0;
  private pending = '';
  private lastSent: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private wake: (() => void) | undefined;

  constructor(
    private credits: number,
    private readonly send: (sequence: number, data: GenerateChunk) => void,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener('abort', () => this.wake?.(), { once: true });
  }

  grant(credits: number): void {
    this.credits += credits;
    this.wake?.();
  }

  async start(promptTokens: number, reusedTokens: number): Promise<void> {
    await this.credit();
    this.emit({ type: 'started', promptTokens, reusedTokens });
  }

  /** Resolves when the reader has room for what comes next. @throws the signal's reason */
  async write(text: string): Promise<void> {
    this.pending += text;
    if (this.pending === '') return;
    if (this.credits === 0) await this.credit();
    if (this.lastSent === undefined) return this.flushNow();
    const age = performance.now() - this.lastSent;
    this.timer ??= setTimeout(() => this.flushHeld(), Math.max(0, COALESCE_MS - age));
  }

  /** Sends what `write` held back. */
  async end(): Promise<void> {
    if (this.pending === '') return;
    await this.credit();
    this.flushNow();
  }

  /** Stops the timer; nothing is sent any more. */
  close(): void {
    clearTimeout(this.timer);
    this.pending = '';
  }

  private flushHeld(): void {
    this.timer = undefined;
    if (!this.signal.aborted) this.flushNow();
  }

  private flushNow(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.pending === '') return;
    const text = this.pending;
    this.pending = '';
    this.lastSent = performance.now();
    this.emit({ type: 'delta', text });
  }

  private emit(data: GenerateChunk): void {
    this.credits -= 1;
    this.send(this.sequence++, data);
  }

  private async credit(): Promise<void> {
    while (this.credits <= 0) {
      this.signal.throwIfAborted();
      await new Promise<void>((resolve) => (this.wake = resolve));
      this.wake = undefined;
    }
    this.signal.throwIfAborted();
  }
}
