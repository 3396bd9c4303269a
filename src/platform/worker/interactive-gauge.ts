/** An answer asks the worker several times in a row; only a pause this long means that nobody waits any more. */
const CALM_MS = 300;

/** Knows whether somebody waits for an answer at this moment, for those that stand aside meanwhile. */
export class InteractiveGauge {
  private calls = 0;
  private calm: NodeJS.Timeout | undefined;
  private readonly listeners = new Set<(busy: boolean) => void>();

  constructor(private readonly calmMs = CALM_MS) {}

  /** From the first call under way until a little after the last one. */
  get busy(): boolean {
    return this.calls > 0 || this.calm !== undefined;
  }

  /** Counts one call as under way until the function returned is called. */
  enter(): () => void {
    const first = !this.busy;
    clearTimeout(this.calm);
    this.calm = undefined;
    this.calls += 1;
    if (first) this.tell();
    return () => {
      this.calls -= 1;
      if (this.calls > 0) return;
      this.calm = setTimeout(() => {
        this.calm = undefined;
        this.tell();
      }, this.calmMs).unref();
    };
  }

  /** @returns a function that ends the telling */
  onChange(listener: (busy: boolean) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private tell(): void {
    for (const listener of this.listeners) listener(this.busy);
  }
}
