import { Paper } from '@mantine/core';
import { useQuery } from 'urql';
import { MonitoringDocument, type Metric, type MonitoringQuery } from '../../generated/operations';
import { Chart } from '../../parts/charts/chart';
import { ErrorState, Loading, Note } from '../../parts/page';
import { inUnit, openFrom } from './unit';
import { inputOf, type View } from './view';

type Series = MonitoringQuery['monitoring'][number];

/** As many as the chart has colours for. */
const MOST_LINES = 5;
const SECONDS = { MINUTE: 60, HOUR: 3_600, DAY: 86_400 } as const;

export interface Shown {
  metric: Metric;
  title: string;
  /** See `inUnit`. */
  unit: string;
  /** Shows the 95th percentile beside the mean, where there is one line. */
  percentile?: boolean;
  /** What a bucket without an answer counts as; a gap by default. */
  empty?: 0;
  /** The lines are shares of one whole: where one has a value, the others are zero. */
  shares?: boolean;
}

const nameOf = ({ by }: Series): string => by.map(({ value }) => value || 'none').join(', ') || 'all answers';

/** Every bucket between the first and the last that one of the series has: those in which nothing happened are gaps, or zero. */
function grid(lines: readonly Series[]): number[] {
  const times = lines.flatMap(({ points }) => points.map((point) => Date.parse(point.at) / 1000));
  const [first] = lines;
  if (!first || times.length === 0) return [];
  const step = SECONDS[first.resolution];
  const [from, to] = [Math.min(...times), Math.max(...times)];
  return Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step);
}

export function SeriesChart({ view, shown, now }: { view: View; shown: Shown; now: number }) {
  const { metric, title, unit, percentile = false, empty = null, shares = false } = shown;
  const [{ data, error }, refetch] = useQuery({
    query: MonitoringDocument,
    variables: { input: inputOf(view, metric, now) },
  });
  if (error && !data) return <ErrorState error={error} onRetry={refetch} />;
  if (!data) return <Loading label={`Loading ${title.toLowerCase()}`} />;
  const lines = data.monitoring.slice(0, MOST_LINES);
  const x = grid(lines);
  const knownTimes = new Set(
    shares ? lines.flatMap(({ points }) => points.map(({ at }) => Date.parse(at) / 1000)) : [],
  );
  const line = (label: string, { points }: Series, take: (point: Series['points'][number]) => number | null) => {
    const values = new Map(points.map((point) => [Date.parse(point.at) / 1000, inUnit(take(point), unit)]));
    return { label, values: x.map((time) => values.get(time) ?? (knownTimes.has(time) ? 0 : empty)) };
  };
  const showsPercentile = lines.length === 1 && percentile;
  const series = lines.flatMap((dataSeries) => [
    line(showsPercentile ? 'mean' : nameOf(dataSeries), dataSeries, ({ value }) => value),
    ...(showsPercentile ? [line('95th percentile', dataSeries, ({ p95 }) => p95)] : []),
  ]);
  const hiddenCount = data.monitoring.length - lines.length;
  return (
    <Paper data-testid={`series-${metric}`}>
      <Chart
        title={title}
        unit={unit}
        fromZero
        spanGaps
        x={{ label: 'time', values: x, time: true }}
        series={series}
        openFrom={openFrom(x, SECONDS[lines[0]?.resolution ?? 'HOUR'], now / 1000)}
      />
      {hiddenCount > 0 && (
        <Note size="xs">
          The {MOST_LINES} with the most answers are drawn, {hiddenCount} more are not.
        </Note>
      )}
    </Paper>
  );
}
