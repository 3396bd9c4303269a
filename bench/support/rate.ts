import type { Moments } from '../../src/prove/index.js';

/** Moments of answers that are good or not. @param good how many of the `n` */
export function rateOf(n: number, good: number): Moments {
  const mean = n === 0 ? 0 : good / n;
  return { n, mean, variance: n > 1 ? (mean * (1 - mean) * n) / (n - 1) : 0 };
}
