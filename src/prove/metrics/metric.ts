/**
 * A metric of a set of rows as a function of sums over the rows. All of Graft's metrics have this form (an F1 is a function of
 * summed counts, BLEU one of summed n-gram matches), so that one bootstrap resamples any of them by adding vectors.
 */
export interface Metric<Row> {
  /** As users read it: `accuracy`, `macro-F1`, `chrF`. */
  readonly name: string;
  readonly higherIsBetter: boolean;
  /** What the row adds to the sums; of equal length for each row. */
  statistics(row: Row): readonly number[];
  /** The metric of rows whose statistics add up to `sums`. */
  value(sums: readonly number[]): number;
  /** Hits and trials of sums, where the metric is the share of them and a row has one trial at most: then its intervals are exact. */
  share?(sums: readonly number[]): readonly [hits: number, trials: number];
  /** What it may be at most, from 0 on: its intervals keep a width where all rows are alike. Left out where nothing bounds it. */
  readonly top?: number;
}

/** Sums of the columns of `rows`; empty for no rows. */
export function columnSums(rows: readonly (readonly number[])[]): number[] {
  const sums = new Array<number>(rows[0]?.length ?? 0).fill(0);
  for (const row of rows) for (let i = 0; i < sums.length; i++) sums[i]! += row[i]!;
  return sums;
}

/** The metric of all rows; NaN of none. */
export const measure = <Row>(metric: Metric<Row>, rows: readonly Row[]): number =>
  rows.length === 0 ? Number.NaN : metric.value(columnSums(rows.map((row) => metric.statistics(row))));

/** `part / whole`, and 0 where the whole is 0: nothing found of nothing there. */
export const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

/** F1 of counts of true positives, false positives and false negatives; 0 when there are none of them. */
export const f1 = (truePositives: number, falsePositives: number, falseNegatives: number): number =>
  ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives);
