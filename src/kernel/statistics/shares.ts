/** Intervals of differences of shares on the same rows. Unlike a bootstrap, they keep their width where two answerers differ on none. */
import { normalQuantile } from './distributions.js';

export interface ShareInterval {
  low: number;
  high: number;
}

/** How two answerers differ on the same rows. */
export interface PairedCounts {
  rows: number;
  /** Rows that the second alone has right. */
  gained: number;
  /** Rows that the first alone has right. */
  lost: number;
}

/**
 * The interval of the difference of two shares on the same rows, the second less the first: all differences that McNemar's score test doesn't
 * reject (T. Tango, “Equivalence test and confidence interval for the difference in proportions for the paired-sample design”, 1998).
 * Without a row on which they differ it is ±z² / (rows + z²).
 */
export function pairedShareInterval(counts: PairedCounts, alpha = 0.05): ShareInterval {
  if (counts.rows === 0) return { low: -1, high: 1 };
  const z = normalQuantile(1 - alpha / 2);
  const value = (counts.gained - counts.lost) / counts.rows;
  return {
    low: rootOf((difference) => score(counts, difference) - z, -1, value),
    high: rootOf((difference) => score(counts, difference) + z, value, 1),
  };
}

/** How many standard errors the counts lie above a difference, given the likeliest shares that have it. */
function score({ rows, gained, lost }: PairedCounts, difference: number): number {
  const gap = gained - lost - rows * difference;
  const [a, b, c] = [
    2 * rows,
    -gained - lost + (2 * rows - gained + lost) * difference,
    -lost * difference * (1 - difference),
  ];
  const losing = (Math.sqrt(Math.max(0, b * b - 4 * a * c)) - b) / (2 * a);
  const variance = rows * (2 * losing + difference * (1 - difference));
  return variance > 0 ? gap / Math.sqrt(variance) : Math.sign(gap) * Infinity;
}

/** Where a falling function passes 0 between two places, to 1e-12. */
function rootOf(valueAt: (x: number) => number, from: number, to: number): number {
  let [low, high] = [from, to];
  while (high - low > 1e-12) {
    const middle = (low + high) / 2;
    if (valueAt(middle) > 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
