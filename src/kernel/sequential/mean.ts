/** What a mean is not expected to be. */
export interface MeanBound {
  side: 'ABOVE' | 'BELOW';
  /** Above 0 and below 1. */
  threshold: number;
}

/** Evidence that the mean of a stream lies beyond a bound. */
interface MeanEvidence {
  /** Observations since it began. */
  seen: number;
  /** What stands on each stake. */
  stakes: number[];
}

const STAKES = 7;
/** Shares of the largest stake that can't be lost whole. */
const SMALLEST = 0.05;
const LARGEST = 0.9;

/**
 * Stakes from the one that fits twice a rare share up to nearly all, each the same times the one before. A share of 3 % where 1 % is
 * allowed is found by a stake of 2 %: those of a quarter and more lose to the 97 % in between.
 */
function stakesAgainst({ side, threshold }: MeanBound): number[] {
  const smallest = Math.min(SMALLEST, side === 'ABOVE' ? threshold : 1 - threshold);
  const ratio = (LARGEST / smallest) ** (1 / (STAKES - 1));
  return Array.from({ length: STAKES }, (_, i) => smallest * ratio ** i);
}

export const noEvidence = (): MeanEvidence => ({ seen: 0, stakes: Array.from({ length: STAKES }, () => 0) });

/**
 * The evidence after a value from 0 to 1, by betting that the mean lies beyond the bound (Waudby-Smith & Ramdas 2023, "Estimating means of
 * bounded random variables by betting"). What changes does so at an unknown moment, so each observation lays new stakes of 1 in all, as
 * Shiryaev and Roberts do: a late change is found as soon as an early one. While the mean is not beyond it, evidence grows by at most 1 an
 * observation on average. So it reaches `n` after `n` observations on average at the earliest, and within `m` observations with a
 * probability of at most m / n (Shin, Ramdas & Rinaldo 2022, "E-detectors").
 */
export function observeMean({ seen, stakes }: MeanEvidence, value: number, bound: MeanBound): MeanEvidence {
  const x = Math.min(1, Math.max(0, value));
  const { side, threshold } = bound;
  const gain = side === 'ABOVE' ? (x - threshold) / threshold : (threshold - x) / (1 - threshold);
  const shares = stakesAgainst(bound);
  return { seen: seen + 1, stakes: stakes.map((stake, i) => (stake + 1 / STAKES) * (1 + shares[i]! * gain)) };
}

export const evidenceOf = ({ stakes }: MeanEvidence): number => stakes.reduce((sum, stake) => sum + stake, 0);
