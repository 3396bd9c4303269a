import { binomialCdf } from '../statistics.js';

/** Halvings of the search: an end is known to a millionth. */
const STEPS = 20;

/**
 * A share with its exact interval, which has a width where all or none are counted (Clopper and Pearson 1934).
 * @param alpha chance that the true share lies outside, at most
 */
export function binomialInterval(
  hits: number,
  trials: number,
  alpha = 0.05,
): { value: number; low: number; high: number } {
  // At least as many hits are as improbable at the lower end, at most as many at the upper.
  const low = hits === 0 ? 0 : boundary((p) => 1 - binomialCdf(hits - 1, trials, p) < alpha / 2);
  const high = hits === trials ? 1 : boundary((p) => binomialCdf(hits, trials, p) > alpha / 2);
  return { value: hits / trials, low, high };
}

/** Where a condition that holds for small shares ceases to hold. */
function boundary(holds: (p: number) => boolean): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < STEPS; step++) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
