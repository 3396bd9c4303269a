/** The worker's end of a stream: each chunk spends one credit, and without credit nothing leaves, which stops whoever makes them. */
export class ChunkStream<C> {
  private sequence = 0;
  private wake: (() => void) | undefined;

  constructor(
    private credits: number,
    private readonly post: (sequence: number, data: C) => void,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener('abort', () => this.wake?.(), { once: true });
  }

  grant(credits: number): void {
    this.credits += credits;
    this.wake?.();
  }

  /** Sends one chunk, when the reader has room for it. @throws the signal's reason */
  async send(data: C): Promise<void> {
    await this.room();
    this.push(data);
  }

  /** Resolves when there is credit for a chunk. @throws the signal's reason */
  async room(): Promise<void> {
    while (this.credits <= 0) {
      this.signal.throwIfAborted();
      await new Promise<void>((resolve) => (this.wake = resolve));
      this.wake = undefined;
    }
    this.signal.throwIfAborted();
  }

  /** Sends one chunk now; only after `room`, and not after the signal was aborted. */
  push(data: C): void {
    if (this.signal.aborted) return;
    this.credits -= 1;
    this.post(this.sequence++, data);
  }
}
