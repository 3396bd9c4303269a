/** Probability that a positive one is given more than a negative one. */
export function auroc(positive: readonly number[], negative: readonly number[]): number {
  const wins = positive.flatMap((p) => negative.map((n): number => (p > n ? 1 : p === n ? 0.5 : 0)));
  return wins.reduce((sum, each) => sum + each, 0) / wins.length;
}
