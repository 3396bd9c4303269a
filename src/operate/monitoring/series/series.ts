import type { z } from 'zod';
import { record, date, float } from '../../../kernel/record.js';
import { badInput } from '../../../kernel/errors.js';
import type { Histogram } from './bins.js';
import { quantileOf } from './bins.js';
import {
  COLUMNS,
  METRICS,
  RESOLUTIONS,
  type Counted,
  type Dimension,
  type Metric,
  type Resolution,
  type SeriesKey,
  type Sum,
} from './metric.js';
import type { SeriesRow } from './series-store.js';
import { HOUR_MS } from '../../../kernel/duration.js';

export interface SeriesRequest {
  metric: Metric;
  by: readonly Dimension[];
  where: Partial<SeriesKey>;
  from: Date;
  to: Date;
  resolution: Resolution;
}

export const seriesPoint = record('SeriesPoint', 'What a series says of one bucket of time.', {
  at: date('Beginning of the bucket, in UTC.'),
  count: float('How many answers (or pieces of feedback) it is about, 0 or more.'),
  value: float('The value, in the metric’s unit; null where nothing tells it.').nullable(),
  p50: float('Median, for metrics with percentiles; of durations at most 9 % off, of shares at most 0.05.').nullable(),
  p95: float('95th percentile, likewise.').nullable(),
  p99: float('99th percentile, likewise.').nullable(),
});
type Point = z.infer<typeof seriesPoint>;

export interface Series {
  metric: Metric;
  by: readonly Dimension[];
  /** The value of each dimension in `by`; empty where answers have none. */
  values: readonly string[];
  resolution: Resolution;
  points: Point[];
}

/** Points of one request: an hour in minutes, a month in hours and ten years in days have fewer. */
export const MOST_POINTS = 2_000;
export const MOST_SERIES = 50;
export const MOST_DIMENSIONS = 3;

/** The finest resolution that shows a span in some hundred points. */
export const resolutionFor = (from: Date, to: Date): Resolution => {
  const hours = (to.getTime() - from.getTime()) / HOUR_MS;
  return hours <= 6 ? 'MINUTE' : hours <= 14 * 24 ? 'HOUR' : 'DAY';
};

/** @throws BAD_USER_INPUT for a span that is empty or has too many points, and for dimensions that the metric hasn't */
export function checkSeries({ metric, by, from, to, resolution }: SeriesRequest): void {
  if (!(from < to)) throw badInput('input.to', 'to must be later than from.');
  const points = (to.getTime() - from.getTime()) / 1000 / RESOLUTIONS[resolution].seconds;
  if (points > MOST_POINTS)
    throw badInput(
      'input.resolution',
      `This span has ${Math.ceil(points)} points of a ${resolution.toLowerCase()}; at most ${MOST_POINTS} are read at once.`,
      'Ask for a coarser resolution, or for a shorter span.',
    );
  if (by.length > MOST_DIMENSIONS)
    throw badInput('input.by', `by has ${by.length} dimensions; at most ${MOST_DIMENSIONS} are taken.`);
  const { detail } = METRICS[metric];
  const foreign = by.find((dimension) => COLUMNS[dimension] === undefined && dimension !== detail);
  if (foreign !== undefined)
    throw badInput(
      'input.by',
      `${metric} can’t be split by ${foreign}.`,
      'ERROR_CODE goes with ERRORS, LABEL with LABEL_MIX.',
    );
}

/** The dimensions that rows are read by: a mix is one of its own dimension, whatever else is asked. */
export const dimensionsOf = ({ metric, by }: Pick<SeriesRequest, 'metric' | 'by'>): Dimension[] => {
  const ownDimension = METRICS[metric].by;
  return [...new Set([...by, ...(ownDimension === undefined ? [] : [ownDimension])])];
};

/** Series from rows, the one with the most answers first; beyond `MOST_SERIES` they are left out. */
export function seriesOf(request: SeriesRequest, rows: readonly SeriesRow[]): Series[] {
  const { metric, resolution } = request;
  const dimensions = dimensionsOf(request);
  const seriesByName = new Map<string, Building>();
  for (const { values, start, metric: quantity, bin, count, sum } of rows) {
    const name = values.join('\0');
    const series: Building = seriesByName.get(name) ?? { values, points: new Map() };
    seriesByName.set(name, series);
    const time = start.getTime();
    const sums = series.points.get(time) ?? {};
    series.points.set(time, sums);
    const to = (sums[quantity] ??= { count: 0, sum: 0, bins: new Map() });
    to.count += count;
    to.sum += sum;
    to.bins.set(bin, { count, sum });
  }
  const seriesList = [...seriesByName.values()].map(({ values, points }) => ({
    metric,
    by: dimensions,
    values,
    resolution,
    points: [...points].sort(([a], [b]) => a - b).map(([time, sums]) => pointOf(metric, new Date(time), sums)),
  }));
  const ordered = seriesList.sort((a, b) => total(b) - total(a) || (a.values.join() < b.values.join() ? -1 : 1));
  return (METRICS[metric].share ? shares(ordered, dimensions) : ordered).slice(0, MOST_SERIES);
}

interface Building {
  values: string[];
  /** By the beginning of the bucket, in ms since 1970. */
  points: Map<number, Partial<Record<Counted, MutableSum>>>;
}

type MutableSum = Sum & { bins: Map<number, { count: number; sum: number }> };

const total = ({ points }: Series): number => points.reduce((sum, { count }) => sum + count, 0);

function pointOf(metric: Metric, time: Date, sums: Partial<Record<Counted, Sum>>): Point {
  const { quantiles, point } = METRICS[metric];
  const bins = quantiles && sums[quantiles.of]?.bins;
  const histogram: Histogram = new Map([...(bins ?? [])].map(([bin, { count }]) => [bin, count]));
  const at_ = (p: number) => (quantiles ? quantileOf(histogram, p, quantiles.scale) : null);
  return { at: time, ...point(sums), p50: at_(0.5), p95: at_(0.95), p99: at_(0.99) };
}

/** Each value as its share among the series that differ from it in the mix's own dimension alone. */
function shares(seriesList: readonly Series[], dimensions: readonly Dimension[]): Series[] {
  const ownDimension = METRICS[seriesList[0]?.metric ?? 'ROUTE_MIX'].by;
  const group = ({ values }: Series, time: Date) =>
    [time.getTime(), ...values.filter((_, i) => dimensions[i] !== ownDimension)].join('\0');
  const totals = new Map<string, number>();
  for (const series of seriesList)
    for (const { at, count } of series.points)
      totals.set(group(series, at), (totals.get(group(series, at)) ?? 0) + count);
  return seriesList.map((series) => ({
    ...series,
    points: series.points.map((point) => ({ ...point, value: point.count / totals.get(group(series, point.at))! })),
  }));
}
