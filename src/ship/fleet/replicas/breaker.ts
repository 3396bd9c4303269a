import type { Clock } from '../../../kernel/clock.js';

/** Failures in a row after which an engine is left alone. */
const FAILURES = 3;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** Leaves an engine alone that failed several times in a row: a second at first, twice as long after each further failure. */
export class Breaker {
  #failures = 0;
  #closedAgainAt = 0;

  constructor(private readonly clock: Pick<Clock, 'monotonic'>) {}

  /** Whether it is asked now. */
  get allows(): boolean {
    return this.#failures < FAILURES || this.clock.monotonic() >= this.#closedAgainAt;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(): void {
    this.#failures += 1;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, this.#failures - FAILURES));
    this.#closedAgainAt = this.clock.monotonic() + pause;
  }
}
