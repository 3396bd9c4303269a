/** How two classifiers differ on the same rows. */
interface McNemar {
  /** Rows that only the first has right. */
  onlyFirst: number;
  /** Rows that only the second has right. */
  onlySecond: number;
  /** Probability of a split at least as uneven if both were equally good. */
  p: number;
}

/** McNemar's test in its exact form (two-sided binomial), which holds for small counts too. */
export function mcnemar(first: readonly boolean[], second: readonly boolean[]): McNemar {
  let [onlyFirst, onlySecond] = [0, 0];
  first.forEach((right, i) => {
    if (right && !second[i]) onlyFirst += 1;
    if (!right && second[i]) onlySecond += 1;
  });
  return { onlyFirst, onlySecond, p: mcnemarOf(onlyFirst, onlySecond) };
}

/** The same from the counts alone. @returns p */
export function mcnemarOf(onlyFirst: number, onlySecond: number): number {
  const discordant = onlyFirst + onlySecond;
  let [tail, term] = [0, discordant * Math.log(0.5)];
  for (let k = 0; k <= Math.min(onlyFirst, onlySecond); k++) {
    tail += Math.exp(term);
    // ln of the next binomial coefficient from this one.
    term += Math.log(discordant - k) - Math.log(k + 1);
  }
  return Math.min(1, 2 * tail);
}
