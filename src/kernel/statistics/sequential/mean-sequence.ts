/**
 * Asymptotic confidence sequences for means (Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2021, "Time-uniform central limit theory and
 * asymptotic confidence sequences", equation 9 of version 7): latency, cost, their logarithms, scores. They hold at all times from the sample
 * on at which a normal approximation does, so nothing is said of fewer than 20 values an arm.
 */
import { differenceOf, type DifferenceKind, type Moments } from '../moments.js';
import { rhoFor } from './mixture.js';
import type { ConfidenceInterval } from './rate-sequence.js';

/** Values of both arms together at which the interval is tightest. */
const TIGHTEST_AT = 1_000;
const LEAST_VALUES = 20;

interface MeanSequence extends ConfidenceInterval {
  value: number;
  /** Probability of so much evidence at any time if there were no difference. */
  p: number;
}

const unknown = (value: number): MeanSequence => ({ value, low: -Infinity, high: Infinity, p: 1 });

export function meanSequence({ n, mean, variance }: Moments, alpha: number, tightestAt = TIGHTEST_AT): MeanSequence {
  if (n < LEAST_VALUES) return unknown(mean);
  return confidenceSequence(mean, variance / n, n, alpha, tightestAt);
}

/** Of the difference `arm` - `control`. */
export function meanDifferenceSequence(
  control: Moments,
  arm: Moments,
  alpha: number,
  { kind = 'ABSOLUTE', tightestAt = TIGHTEST_AT }: { kind?: DifferenceKind; tightestAt?: number } = {},
): MeanSequence {
  const { value, variance } = differenceOf(control, arm, kind);
  if (Math.min(control.n, arm.n) < LEAST_VALUES || (kind === 'RELATIVE' && control.mean === 0)) return unknown(value);
  return confidenceSequence(value, variance, control.n + arm.n, alpha, tightestAt);
}

/** Of an estimate from `n` values, with its variance. */
export function confidenceSequence(
  value: number,
  variance: number,
  n: number,
  alpha: number,
  tightestAt: number,
): MeanSequence {
  if (!(variance >= 0)) return unknown(value);
  const rho = rhoFor(tightestAt, alpha);
  const spread = n * rho ** 2 + 1;
  const half = Math.sqrt(((variance * 2 * spread) / (n * rho ** 2)) * Math.log(Math.sqrt(spread) / alpha));
  const squaredZ = variance > 0 ? value ** 2 / variance : value === 0 ? 0 : Infinity;
  const logE = (squaredZ * n * rho ** 2) / (2 * spread) - Math.log(spread) / 2;
  return { value, low: value - half, high: value + half, p: Math.min(1, Math.exp(-logE)) };
}
