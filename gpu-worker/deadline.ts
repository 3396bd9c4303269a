/** How long a call may still take. For what streams it begins anew whenever the call gets further. */
export class Deadline {
  private readonly timer: NodeJS.Timeout | undefined;
  private passesAt = Infinity;

  /** @param ms none if left out */
  constructor(
    private readonly ms: number | undefined,
    private readonly renewable: boolean,
    passed: () => void,
  ) {
    if (ms === undefined) return;
    this.passesAt = performance.now() + ms;
    this.timer = setTimeout(passed, ms);
  }

  /** Milliseconds; Infinity without a deadline. */
  get left(): number {
    return Math.max(0, this.passesAt - performance.now());
  }

  /** The call got further. */
  moved(): void {
    if (!this.renewable || this.ms === undefined) return;
    this.passesAt = performance.now() + this.ms;
    this.timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
