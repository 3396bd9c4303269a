/**
 * Fixed bins, so that histograms of any two buckets add up. Durations have logarithmic ones, an eighth of a power of two wide (as in
 * DDSketch, Masson et al. 2019): a quantile read from them is at most 9 % from the true one.
 */
const PER_DOUBLING = 8;
/** 2^20 ms, some 17 minutes, and all that is longer. */
const LAST_DURATION_BIN = 20 * PER_DOUBLING;

/** @param ms a duration; what is below one millisecond falls into bin 0 */
export const durationBin = (ms: number): number =>
  ms <= 1 ? 0 : Math.min(LAST_DURATION_BIN, 1 + Math.floor(PER_DOUBLING * Math.log2(ms)));

/** The ends of a bin in ms. */
const durationOf = (bin: number): [number, number] =>
  bin === 0 ? [0, 1] : [2 ** ((bin - 1) / PER_DOUBLING), 2 ** (bin / PER_DOUBLING)];

/** Bins of values from 0 to 1. */
const UNIT_BINS = 20;

export const unitBin = (value: number): number => Math.max(0, Math.min(UNIT_BINS - 1, Math.floor(value * UNIT_BINS)));

const unitOf = (bin: number): [number, number] => [bin / UNIT_BINS, (bin + 1) / UNIT_BINS];

/** The bin of what doesn't say how sure it is. */
export const NO_CONFIDENCE = -1;

export type Scale = 'DURATION' | 'UNIT';

/** Counts by bin, in any order. */
export type Histogram = ReadonlyMap<number, number>;

/** The `p` quantile (0 to 1) of a histogram, interpolated within its bin; null of an empty one. */
export function quantileOf(histogram: Histogram, p: number, scale: Scale): number | null {
  const bins = [...histogram].filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
  const total = bins.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return null;
  let lowerCount = 0;
  for (const [bin, count] of bins) {
    if (lowerCount + count >= p * total) {
      const [low, high] = scale === 'DURATION' ? durationOf(bin) : unitOf(bin);
      const share = Math.max(0, Math.min(1, (p * total - lowerCount) / count));
      return scale === 'DURATION' && low > 0 ? low * (high / low) ** share : low + (high - low) * share;
    }
    lowerCount += count;
  }
  return null;
}
