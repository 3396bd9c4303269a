import { seededRandom } from '../kernel/random.js';
import { quantile } from '../kernel/statistics.js';
import { columnSums, type Metric } from './metrics/metric.js';
import { binomialInterval } from '../kernel/statistics/binomial.js';
import { mcnemarOf } from '../kernel/statistics/mcnemar.js';
import { pairedShareInterval, type PairedCounts, type ShareInterval } from '../kernel/statistics/shares.js';

/** A figure with the interval that holds the true one in 95 of 100 cases. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
  rows: number;
}

/** How a figure differs from another on the same rows. */
interface PairedDifference extends Estimate {
  /** Probability of a difference at least this far from 0, on either side, if there were none. */
  p: number;
}

interface BootstrapOptions {
  /** Resamples; more of them steady the ends of the interval. */
  resamples?: number;
  seed?: number;
}

const CONFIDENCE = 0.95;

/**
 * The metric with its interval: exact where it is a share, else the percentile bootstrap's (Efron & Tibshirani 1993, chapter 13): rows drawn with
 * replacement. Where all rows are alike, which a bootstrap takes for certain, it is as wide as that of a share.
 */
export function estimate<Row>(metric: Metric<Row>, rows: readonly Row[], options: BootstrapOptions = {}): Estimate {
  const statistics = rows.map((row) => metric.statistics(row));
  const sums = columnSums(statistics);
  const value = metric.value(sums);
  if (metric.share && rows.length > 0)
    return { ...binomialInterval(...metric.share(sums), 1 - CONFIDENCE), value, rows: rows.length };
  const sampleInterval = interval(
    resampled(rows.length, options, (places) => metric.value(sumsOf(statistics, places))),
  );
  if (sampleInterval.low !== sampleInterval.high || metric.top === undefined)
    return { value, ...sampleInterval, rows: rows.length };
  const half = metric.top * binomialInterval(0, rows.length, 1 - CONFIDENCE).high;
  return { value, low: Math.max(0, value - half), high: Math.min(metric.top, value + half), rows: rows.length };
}

/**
 * `freshRows` less `oldRows`, where both answered the same rows. Of shares by the rows that one alone has right (McNemar's score and exact tests), else by a paired
 * bootstrap (Koehn 2004): the same draws are made of both, so that what makes a row hard for both cancels out.
 */
export function pairedDifference<Row>(
  metric: Metric<Row>,
  oldRows: readonly Row[],
  freshRows: readonly Row[],
  options: BootstrapOptions = {},
): PairedDifference {
  const [old, fresh] = [oldRows, freshRows].map((rows) => rows.map((row) => metric.statistics(row))) as [
    number[][],
    number[][],
  ];
  const value = metric.value(columnSums(fresh)) - metric.value(columnSums(old));
  const counts = pairedCounts(metric, old, fresh);
  if (counts)
    return {
      value,
      ...pairedShareInterval(counts, 1 - CONFIDENCE),
      rows: oldRows.length,
      p: mcnemarOf(counts.lost, counts.gained),
    };
  const values = resampled(
    oldRows.length,
    options,
    (indices) => metric.value(sumsOf(fresh, indices)) - metric.value(sumsOf(old, indices)),
  );
  const tailShare = Math.min(
    share(values, (difference) => difference <= 0),
    share(values, (difference) => difference >= 0),
  );
  // One more draw on the other side can never be excluded.
  const p = Math.min(1, 2 * Math.max(tailShare, 1 / (values.length + 1)));
  return { value, ...widenedAtEdge(metric, value, interval(values), oldRows.length), rows: oldRows.length, p };
}

/** On how many rows one alone is right; null where the metric is no share of all rows. */
export function pairedCounts<Row>(
  { share }: Pick<Metric<Row>, 'share'>,
  oldStatistics: readonly (readonly number[])[],
  freshStatistics: readonly (readonly number[])[],
): PairedCounts | null {
  if (!share || oldStatistics.length === 0) return null;
  const [old, fresh] = [oldStatistics, freshStatistics].map((rows) => rows.map((row) => share(row))) as [
    (readonly [number, number])[],
    (readonly [number, number])[],
  ];
  if ([...old, ...fresh].some(([, trials]) => trials !== 1)) return null;
  const only = (side: typeof old, opponent: typeof old): number =>
    side.filter(([hits], i) => hits === 1 && opponent[i]![0] === 0).length;
  return { rows: oldStatistics.length, gained: only(fresh, old), lost: only(old, fresh) };
}

/** A bootstrap of differences that are all alike has no width: then that of a share without a row that differs. */
function widenedAtEdge<Row>({ top }: Metric<Row>, value: number, bounds: ShareInterval, rows: number): ShareInterval {
  if (top === undefined || bounds.low !== bounds.high || rows === 0) return bounds;
  const half = top * pairedShareInterval({ rows, gained: 0, lost: 0 }, 1 - CONFIDENCE).high;
  return { low: Math.max(-top, value - half), high: Math.min(top, value + half) };
}

function resampled(
  rows: number,
  { resamples = 1_000, seed = 20_240_229 }: BootstrapOptions,
  value: (drawn: Int32Array) => number,
): number[] {
  const random = seededRandom(seed);
  const indices = new Int32Array(rows);
  return Array.from({ length: rows === 0 ? 0 : resamples }, () => {
    for (let i = 0; i < rows; i++) indices[i] = Math.floor(random() * rows);
    return value(indices);
  }).sort((a, b) => a - b);
}

function sumsOf(statistics: readonly (readonly number[])[], indices: Int32Array): number[] {
  const sums = new Array<number>(statistics[0]?.length ?? 0).fill(0);
  for (const index of indices) {
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
