import { observe, untouched, worth, type Capital } from './restarted.js';

/** What a mean is not expected to be. */
export interface MeanBound {
  side: 'ABOVE' | 'BELOW';
  /** Above 0 and below 1. */
  threshold: number;
}

/** Shares of the largest stake that can't be lost whole. */
const SHARES = [0.25, 0.5, 0.75] as const;

export const meanCapital = (): Capital => untouched(SHARES.length);

/**
 * Betting that the mean of values from 0 to 1 lies beyond a bound (Waudby-Smith & Ramdas 2023, "Estimating means of bounded random
 * variables by betting"): while it doesn't, in whatever way the values vary, the capital is no more than 1 on average.
 */
export function observeMean(capital: Capital, value: number, { side, threshold }: MeanBound): Capital {
  const x = Math.min(1, Math.max(0, value));
  const gain = side === 'ABOVE' ? (x - threshold) / threshold : (threshold - x) / (1 - threshold);
  return observe(
    capital,
    SHARES.map((share) => 1 + share * gain),
  );
}

/** Whether the mean was shown to lie beyond the bound. */
export const isBeyond = (capital: Capital, alpha: number): boolean => worth(capital) >= 1 / alpha;
