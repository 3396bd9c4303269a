import { logGamma } from '../../statistics.js';

/** Weight of the drawn shares in the Dirichlet prior: deviations of a few points are what breaks in practice. */
const CONCENTRATION = 1_000;

/**
 * ln of the Bayes factor that units don't fall into arms as they were drawn: multinomial against Dirichlet-multinomial (Lindon & Malek 2022,
 * "Anytime-valid inference for multinomial count data"). It is an e-value, so units may be counted and looked at at any time: the arms
 * are out of ratio at level alpha once it has reached 1/alpha, and 1 over the largest e-value so far is an anytime-valid p.
 * A chi-squared test that is read every day isn't one: it finds a broken ratio in most sound tests.
 * @param counts units an arm @param shares as drawn, one an arm, 1 in all
 * @param concentration of the prior around the shares: less of it sees large faults sooner; `ssrm-test` takes 10,000
 */
export function sampleRatioLogE(
  counts: readonly number[],
  shares: readonly number[],
  concentration = CONCENTRATION,
): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let log = logGamma(concentration) - logGamma(concentration + total);
  shares.forEach((share, i) => {
    const count = counts[i] ?? 0;
    if (share <= 0) {
      // An arm that nobody was to get has no prior; one unit in it proves the fault.
      if (count > 0) log = Infinity;
      return;
    }
    const prior = concentration * share;
    log += logGamma(prior + count) - logGamma(prior) - count * Math.log(share);
  });
  return log;
}
