import { seededRandom } from '../../kernel/random.js';
import { quantile } from '../../kernel/statistics.js';
import { columnSums, type Metric } from '../metrics/metric.js';

/** A figure with the interval that holds the true one in 95 of 100 cases. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
  rows: number;
}

/** How a figure differs from another on the same rows. */
export interface PairedDifference extends Estimate {
  /** Probability of a difference at least this far from 0, on either side, if there were none. */
  p: number;
}

export interface BootstrapOptions {
  /** Resamples; more of them steady the ends of the interval. */
  resamples?: number;
  seed?: number;
}

const CONFIDENCE = 0.95;

/** The metric with its percentile bootstrap interval (Efron & Tibshirani 1993, chapter 13): rows drawn with replacement. */
export function estimate<Row>(metric: Metric<Row>, rows: readonly Row[], options: BootstrapOptions = {}): Estimate {
  const statistics = rows.map((row) => metric.statistics(row));
  const values = resampled(rows.length, options, (drawn) => metric.value(sumsOf(statistics, drawn)));
  return { value: metric.value(columnSums(statistics)), ...interval(values), rows: rows.length };
}

/**
 * `after - before`, where both answered the same rows: the same draws are made of both, so that what makes a row hard for both
 * cancels out (paired bootstrap, Koehn 2004).
 */
export function pairedDifference<Row>(
  metric: Metric<Row>,
  before: readonly Row[],
  after: readonly Row[],
  options: BootstrapOptions = {},
): PairedDifference {
  const [old, fresh] = [before, after].map((rows) => rows.map((row) => metric.statistics(row))) as [
    number[][],
    number[][],
  ];
  const value = metric.value(columnSums(fresh)) - metric.value(columnSums(old));
  const values = resampled(
    before.length,
    options,
    (drawn) => metric.value(sumsOf(fresh, drawn)) - metric.value(sumsOf(old, drawn)),
  );
  const beyond = Math.min(
    share(values, (each) => each <= 0),
    share(values, (each) => each >= 0),
  );
  // One more draw on the other side can never be excluded.
  const p = Math.min(1, 2 * Math.max(beyond, 1 / (values.length + 1)));
  return { value, ...interval(values), rows: before.length, p };
}

function resampled(
  rows: number,
  { resamples = 1_000, seed = 20_240_229 }: BootstrapOptions,
  value: (drawn: Int32Array) => number,
): number[] {
  const random = seededRandom(seed);
  const drawn = new Int32Array(rows);
  return Array.from({ length: rows === 0 ? 0 : resamples }, () => {
    for (let i = 0; i < rows; i++) drawn[i] = Math.floor(random() * rows);
    return value(drawn);
  }).sort((a, b) => a - b);
}

function sumsOf(statistics: readonly (readonly number[])[], drawn: Int32Array): number[] {
  const sums = new Array<number>(statistics[0]?.length ?? 0).fill(0);
  for (const index of drawn) {
    const row = statistics[index]!;
    for (let i = 0; i < sums.length; i++) sums[i]! += row[i]!;
  }
  return sums;
}

const interval = (ascending: readonly number[]): { low: number; high: number } => ({
  low: quantile(ascending, (1 - CONFIDENCE) / 2),
  high: quantile(ascending, (1 + CONFIDENCE) / 2),
});

const share = (values: readonly number[], is: (value: number) => boolean): number =>
  values.length === 0 ? 1 : values.filter(is).length / values.length;
