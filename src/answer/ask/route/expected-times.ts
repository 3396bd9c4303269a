import type { Strategy } from '../strategies.js';

/** Median of the last answers' times, by strategy. */
export class ExpectedTimes {
  readonly #times = new Map<Strategy, number[]>();

  constructor(private readonly kept = 32) {}

  add(strategy: Strategy, ms: number): void {
    this.#times.set(strategy, [...(this.#times.get(strategy) ?? []), ms].slice(-this.kept));
  }

  /** In ms; nothing of a strategy that hasn't answered yet. */
  medians(): Partial<Record<Strategy, number>> {
    return Object.fromEntries(
      [...this.#times].map(([strategy, times]) => [
        strategy,
        [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] as number,
      ]),
    );
  }
}
