/**
 * Evidence against "all is as it should be" in a stream that is watched without end. A *bet* multiplies its stake by a factor whose mean is
 * at most 1 while all is well, so by Ville's inequality the capital ever reaches 1 / alpha with probability at most alpha, however often
 * one looks (Shafer 2021; Ramdas et al. 2023, "Game-theoretic statistics and safe anytime-valid inference").
 *
 * What changes does so at an unknown moment, by when a stake that was laid at the beginning has long been lost. So stakes are laid again
 * and again, of a purse of 1 that never empties: the j-th is 1 / (j (j + 1)) of it (a mixture over times of change, as in Shin, Ramdas &
 * Rinaldo 2022, "E-detectors"). Their sum is one number a bet, since each of them is multiplied by the same factors.
 */
export interface Capital {
  /** Observations so far. */
  seen: number;
  /** What stands on each bet. */
  stakes: number[];
}

/** Observations from one stake to the next: fewer would cost more of the purse, more would be late. */
const EVERY = 25;

/** The capital of `bets` bets before anything was seen: 1, nothing of it staked. */
export const untouched = (bets: number): Capital => ({ seen: 0, stakes: Array.from({ length: bets }, () => 0) });

/** The capital after an observation. @param factors of each bet: at least 0, and at most 1 on average while all is well */
export function observe({ seen, stakes }: Capital, factors: readonly number[]): Capital {
  const laid = seen % EVERY === 0 ? 1 / ((seen / EVERY + 1) * (seen / EVERY + 2)) / stakes.length : 0;
  return { seen: seen + 1, stakes: stakes.map((stake, bet) => (stake + laid) * factors[bet]!) };
}

/** What is left in the purse and what stands on bets; it began with 1. */
export const worth = ({ seen, stakes }: Capital): number =>
  stakes.reduce((sum, stake) => sum + stake, 1 / (Math.ceil(seen / EVERY) + 1));
