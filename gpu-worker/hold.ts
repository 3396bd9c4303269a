/** Held for this long, bulk work does one batch all the same: under questions without a pause it is slow, but never stands still. */
const LONGEST_HOLD_MS = 10_000;

/** Lets long work stand aside, from one batch to the next, while the gateway says so. */
export class Hold {
  private held = false;
  private readonly waiting = new Set<() => void>();

  constructor(private readonly longestMs = LONGEST_HOLD_MS) {}

  hold(): void {
    this.held = true;
  }

  resume(): void {
    this.held = false;
    for (const go of [...this.waiting]) go();
  }

  /** Resolves when the next batch may start. @throws the signal's reason */
  async turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.held) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', go);
        this.waiting.delete(go);
        resolve();
      };
      const timer = setTimeout(go, this.longestMs);
      signal.addEventListener('abort', go, { once: true });
      this.waiting.add(go);
    });
    signal.throwIfAborted();
  }
}
