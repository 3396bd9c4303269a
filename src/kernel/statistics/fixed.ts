/** Intervals that hold once, at the end that was planned: tighter than a sequence there, and wrong if they are read before. */
import { studentCdf, studentQuantile } from './distributions.js';
import { differenceOf, type DifferenceKind, type Moments } from './moments.js';

interface FixedDifference {
  value: number;
  low: number;
  high: number;
  /** Two-sided. */
  p: number;
}

/** Welch's test of the difference `arm` - `control` (Welch 1947; degrees of freedom by Satterthwaite), as the package `gbstats` has it. */
export function fixedDifference(
  control: Moments,
  arm: Moments,
  alpha: number,
  kind: DifferenceKind = 'ABSOLUTE',
): FixedDifference {
  const { value, variance } = differenceOf(control, arm, kind);
  const [a, b] = [control.variance / control.n, arm.variance / arm.n];
  if (Math.min(control.n, arm.n) < 2 || !(variance > 0)) return { value, low: -Infinity, high: Infinity, p: 1 };
  const freedom = (a + b) ** 2 / (a ** 2 / (control.n - 1) + b ** 2 / (arm.n - 1));
  const error = Math.sqrt(variance);
  const half = studentQuantile(1 - alpha / 2, freedom) * error;
  return { value, low: value - half, high: value + half, p: 2 * studentCdf(-Math.abs(value / error), freedom) };
}

/** A metric beside what was known of the same units before the test: their sums, of which a database keeps track. */
export interface CovariateSums {
  n: number;
  sum: number;
  sumSquares: number;
  covariateSum: number;
  covariateSumSquares: number;
  sumProducts: number;
}

/**
 * CUPED (Deng, Xu, Kohavi & Walker 2013): takes from each arm's mean what the covariate explains of it. One slope for both arms, because
 * the covariate was fixed before the arms were drawn; their difference stays unbiased and varies less by the squared correlation.
 * @returns moments that go into `fixedDifference` and `meanDifferenceSequence` like others, with the unadjusted means beside them
 */
export function cuped(control: CovariateSums, arm: CovariateSums): { theta: number; control: Moments; arm: Moments } {
  const theta = slopeOf([control, arm]);
  return { theta, control: adjusted(control, theta), arm: adjusted(arm, theta) };
}

/** The same of any number of arms, with one slope for all of them, on the scale of the metric: the covariate's own mean is put back. */
export function cupedArms(arms: readonly CovariateSums[]): Moments[] {
  const theta = slopeOf(arms);
  const total = arms.reduce(sumOf);
  const shift = total.n > 0 ? (theta * total.covariateSum) / total.n : 0;
  return arms.map((arm) => {
    const { n, mean, variance } = adjusted(arm, theta);
    return { n, mean: n > 0 ? mean + shift : 0, variance: Math.max(0, variance) };
  });
}

function slopeOf(arms: readonly CovariateSums[]): number {
  const total = arms.reduce(sumOf);
  const spread = squaresOf(total.n, total.covariateSum, total.covariateSumSquares);
  return spread > 0 ? productsOf(total) / spread : 0;
}

function adjusted(sums: CovariateSums, theta: number): Moments {
  const { n, sum, sumSquares, covariateSum, covariateSumSquares } = sums;
  const squares =
    squaresOf(n, sum, sumSquares) +
    theta ** 2 * squaresOf(n, covariateSum, covariateSumSquares) -
    2 * theta * productsOf(sums);
  return { n, mean: (sum - theta * covariateSum) / n, variance: n > 1 ? squares / (n - 1) : 0 };
}

const sumOf = (a: CovariateSums, b: CovariateSums): CovariateSums => ({
  n: a.n + b.n,
  sum: a.sum + b.sum,
  sumSquares: a.sumSquares + b.sumSquares,
  covariateSum: a.covariateSum + b.covariateSum,
  covariateSumSquares: a.covariateSumSquares + b.covariateSumSquares,
  sumProducts: a.sumProducts + b.sumProducts,
});
const squaresOf = (n: number, sum: number, sumSquares: number): number => sumSquares - sum ** 2 / n;
const productsOf = ({ n, sum, covariateSum, sumProducts }: CovariateSums): number =>
  sumProducts - (sum * covariateSum) / n;
