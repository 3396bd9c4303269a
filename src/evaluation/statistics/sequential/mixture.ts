import { normalCdf } from '../distributions.js';

/** Observations at which the mixture is tightest: rollouts and tests of language models see hundreds to thousands of answers. */
const TIGHTEST_AT = 1_000;
/** The tuning is for a level; the boundary holds at every level. */
const TUNED_FOR = 0.05;

/** rho of the normal mixture that is tightest after `at` observations (Waudby-Smith et al. 2021, appendix B.2, equation 161 of version 7). */
export const rhoFor = (at: number, alpha: number): number =>
  Math.sqrt((-2 * Math.log(alpha) + Math.log(-2 * Math.log(alpha) + 1)) / at);

/**
 * ln of an asymptotic e-value for "the mean is above what is allowed": Robbins' mixture over positive effects, N(0, rho²) folded (Waudby-Smith,
 * Arbour, Sinha, Kennedy & Ramdas 2021, "Time-uniform central limit theory and asymptotic confidence sequences", one-sided).
 * @param z estimate less what is allowed, over its standard error
 * @param observations of both arms together
 */
export function mixtureLogE(z: number, observations: number, rho = rhoFor(TIGHTEST_AT, TUNED_FOR)): number {
  const spread = observations * rho ** 2 + 1;
  const shifted = (z * Math.sqrt(observations) * rho) / Math.sqrt(spread);
  // Far below what is allowed the tail underflows: no evidence.
  const tail = normalCdf(shifted);
  return tail <= 0 ? -Infinity : Math.LN2 - Math.log(spread) / 2 + shifted ** 2 / 2 + Math.log(tail);
}
