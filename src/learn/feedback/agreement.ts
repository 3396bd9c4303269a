/** What one source says of one thing. */
export interface Rating {
  unit: string;
  value: string;
}

/**
 * Krippendorff’s alpha for nominal values: 1 where all agree, 0 where they agree as often as by chance, below where less often.
 * Things may have been judged by different numbers of sources; those that one alone judged tell nothing.
 * Source: K. Krippendorff, “Computing Krippendorff’s Alpha-Reliability”, 2011, part C.
 * @returns null where nothing was judged by two, or all values are the same, so that there is no chance to beat
 */
export function krippendorffAlpha(ratings: Iterable<Rating>): number | null {
  const units = new Map<string, Map<string, number>>();
  for (const { unit, value } of ratings) {
    const values = units.get(unit) ?? new Map<string, number>();
    units.set(unit, values.set(value, (values.get(value) ?? 0) + 1));
  }
  const totals = new Map<string, number>();
  let pairable = 0;
  let disagreement = 0;
  for (const values of units.values()) {
    const raters = sum(values.values());
    if (raters < 2) continue;
    pairable += raters;
    let alike = 0;
    for (const [value, count] of values) {
      totals.set(value, (totals.get(value) ?? 0) + count);
      alike += count * (count - 1);
    }
    disagreement += (raters * (raters - 1) - alike) / (raters - 1);
  }
  let expected = pairable * (pairable - 1);
  for (const count of totals.values()) expected -= count * (count - 1);
  return expected === 0 ? null : 1 - ((pairable - 1) * disagreement) / expected;
}

/**
 * Share of the pairs of judgements of one thing that are the same (Fleiss, 1971, P_i), 0 to 1.
 * @returns null for fewer than two
 */
export function pairwiseAgreement(values: readonly string[]): number | null {
  const n = values.length;
  if (n < 2) return null;
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return sum([...counts.values()].map((count) => count * (count - 1))) / (n * (n - 1));
}

const sum = (numbers: Iterable<number>): number => {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
};
