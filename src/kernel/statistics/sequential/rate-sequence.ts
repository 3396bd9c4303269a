/**
 * Confidence sequences for rates and for their differences: intervals that hold at all times at once, so that they may be read after
 * every answer and a test stopped when one looks good. Exact at any number of answers.
 *
 * A rate p is left out once the evidence against it, a beta-binomial mixture martingale, has reached 1/alpha (Howard, Ramdas, McAuliffe
 * & Sekhon 2021, "Time-uniform, nonparametric, nonasymptotic confidence sequences", proposition 7; `bernoulli_confidence_interval` of the
 * package `confseq`). Evidence against a pair of independent rates is the product of both, so a difference is left out once every pair
 * that has it is: tighter than two intervals at half of alpha each, and as exact.
 */
import { logBeta } from '../../statistics.js';
import type { RateCounts } from './two-rates.js';

export interface ConfidenceInterval {
  low: number;
  high: number;
}

/** Answers of an arm at which the interval is tightest. */
const TIGHTEST_AT = 500;
/** Level that the mixture is tuned for; it holds at every other. */
const TUNED_FOR = 0.05;

/** Bisection halves the doubt until it is below a billionth. */
const HALVINGS = 40;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * ln of the evidence (an e-value) that the rate is not `rate`, 0 to 1 without its ends.
 * @param tightestAt answers at which it grows fastest
 */
export function rateLogE({ answers, good }: RateCounts, rate: number, tightestAt = TIGHTEST_AT): number {
  const tuning = 2 * Math.log(1 / TUNED_FOR);
  // Weight of the prior around the rate that is doubted, in answers.
  const weight = Math.max(tightestAt / (tuning + Math.log1p(tuning)) - 1, 1e-3);
  const [a, b] = [weight * rate, weight * (1 - rate)];
  return (
    logBeta(a + good, b + answers - good) - logBeta(a, b) - good * Math.log(rate) - (answers - good) * Math.log1p(-rate)
  );
}

/** The rates that can't be left out, 0 to 1, with probability 1 - alpha at all times. */
export function rateSequence(counts: RateCounts, alpha: number, tightestAt = TIGHTEST_AT): ConfidenceInterval {
  const { answers, good } = counts;
  if (answers === 0) return { low: 0, high: 1 };
  const threshold = Math.log(1 / alpha);
  const observedRate = good / answers;
  const isOutside = (rate: number): boolean => rateLogE(counts, rate, tightestAt) >= threshold;
  return {
    low: good === 0 ? 0 : bisect(0, observedRate, isOutside),
    high: good === answers ? 1 : bisect(1, observedRate, isOutside),
  };
}

/**
 * ln of the least evidence against any pair of rates that differ so much (`arm` - `control`): an e-value that the difference is another.
 * @param enough evidence that suffices: a pair with less is as good as the least, and ends the search
 */
export function rateDifferenceLogE(
  control: RateCounts,
  arm: RateCounts,
  difference: number,
  tightestAt = TIGHTEST_AT,
  enough = -Infinity,
): number {
  const evidenceAt = (rate: number): number =>
    rateLogE(control, rate, tightestAt) + rateLogE(arm, rate + difference, tightestAt);
  const edge = 1e-9;
  let [low, high] = [Math.max(0, -difference) + edge, Math.min(1, 1 - difference) - edge];
  if (low >= high) return Infinity;
  // Where both arms agree with their pooled rate there is nothing to search for.
  const pooled = (control.good + arm.good - arm.answers * difference) / Math.max(1, control.answers + arm.answers);
  const first = evidenceAt(Math.min(high, Math.max(low, pooled)));
  if (first < enough) return first;
  // The evidence falls towards its least and rises from there (golden-section search).
  let [left, right] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
  let [atLeft, atRight] = [evidenceAt(left), evidenceAt(right)];
  for (let i = 0; i < HALVINGS && Math.min(atLeft, atRight) >= enough; i++) {
    if (atLeft < atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - GOLDEN * (high - low);
      atLeft = evidenceAt(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + GOLDEN * (high - low);
      atRight = evidenceAt(right);
    }
  }
  return Math.min(first, atLeft, atRight);
}

/** The differences `arm` - `control` that can't be left out, -1 to 1, with probability 1 - alpha at all times. */
export function rateDifferenceSequence(
  control: RateCounts,
  arm: RateCounts,
  alpha: number,
  tightestAt = TIGHTEST_AT,
): ConfidenceInterval {
  if (control.answers === 0 || arm.answers === 0) return { low: -1, high: 1 };
  const threshold = Math.log(1 / alpha);
  const observedDifference = arm.good / arm.answers - control.good / control.answers;
  const isOutside = (difference: number): boolean =>
    rateDifferenceLogE(control, arm, difference, tightestAt, threshold) >= threshold;
  return { low: bisect(-1, observedDifference, isOutside), high: bisect(1, observedDifference, isOutside) };
}

/** The end of an interval that reaches from `inside` towards `outside`. */
function bisect(outside: number, inside: number, isOutside: (at: number) => boolean): number {
  let [far, near] = [outside, inside];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (far + near) / 2;
    if (middle === far || middle === near) break;
    if (isOutside(middle)) far = middle;
    else near = middle;
  }
  return (far + near) / 2;
}
