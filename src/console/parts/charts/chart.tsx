import { Text } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import UPlot from 'uplot';
import { momentAmong } from '../format';
import { Note } from '../page';
import { ChartFrame, type Cell } from './chart-frame';
import { colourOf, rangeWithZero, tick, type Ink } from './picture';
import { axisOf, usePlot, type Drawing } from './use-plot';

export interface Series {
  label: string;
  /** One value for each x; null where there is none. */
  values: readonly (number | null)[];
}

interface ChartProps {
  title: string;
  /** What `x` is: seconds since 1970, or a number such as a step. */
  x: { label: string; values: readonly number[]; time?: boolean };
  series: readonly Series[];
  /** Of the y axis, e.g. `MB`. */
  unit: string;
  height?: number;
  /** See `rangeWithZero`. */
  fromZero?: boolean;
  /** Lines go on over places without a value, which series of other places leave. */
  spanGaps?: boolean;
  /** The place of the first value that still changes, since its time isn't over: the way to it is dashed. */
  openFrom?: number | null;
}

const linear = UPlot.paths.linear!();

/** Draws the way from the last settled value to those that still change. */
function drawOpen({ ctx: pen, data, valToPos }: UPlot, seriesIndex: number, from: number): void {
  const [x, values] = [data[0], data[seriesIndex] ?? []];
  const begin = values.findLastIndex((value, i) => i < from && typeof value === 'number');
  if (begin < 0) return;
  const scale = window.devicePixelRatio;
  pen.save();
  pen.setLineDash([5 * scale, 4 * scale]);
  pen.lineWidth = 2 * scale;
  pen.strokeStyle = colourOf(seriesIndex - 1);
  pen.beginPath();
  for (let i = begin; i < values.length; i += 1) {
    const value = values[i];
    if (typeof value === 'number') pen.lineTo(valToPos(x[i]!, 'x', true), valToPos(value, 'y', true));
  }
  pen.stroke();
  pen.restore();
}

/** What the legend says of a line: its value under the pointer, else its newest. */
function latestOf(
  plot: UPlot,
  series: number,
  pointerValue: number | null,
  pointerIndex: number | null,
): number | null {
  if (pointerIndex !== null) return pointerValue;
  const values = plot.data[series] ?? [];
  for (let i = values.length - 1; i >= 0; i -= 1) if (typeof values[i] === 'number') return values[i] as number;
  return null;
}

const shownX = ({ values, time }: ChartProps['x']): ((value: number | null) => string) => {
  const show = time ? momentAmong(values) : tick;
  return (value) => (value === null ? '' : show(value));
};

/** How wide an axis is with these marks, so that its name stands beside the longest of them. */
const roomFor = (_plot: UPlot, marks: readonly string[] | null): number =>
  20 + 8 * Math.max(4, ...(marks ?? []).map(({ length }) => length));

function Plot({ chart, onReady }: { chart: ChartProps; onReady: (plot: UPlot | null) => void }) {
  const { x, series, unit, height = 220, spanGaps = false, fromZero = false, openFrom = null } = chart;
  const labels = series.map(({ label }) => label).join('\n');
  const data = [x.values, ...series.map(({ values }) => values)] as unknown as UPlot.AlignedData;
  const xText = useRef(shownX(x));
  xText.current = shownX(x);
  const open = useRef(openFrom);
  open.current = openFrom;
  const draw = (ink: Ink): Drawing => ({
    scales: {
      x: { time: x.time ?? false },
      ...(fromZero && { y: { range: (_plot, low, high) => rangeWithZero(low, high, unit === '%' ? 100 : Infinity) } }),
    },
    axes: [
      { ...axisOf(ink), values: undefined },
      { ...axisOf(ink), label: unit, size: roomFor },
    ],
    series: [
      {
        label: x.label,
        value: (plot, pointerValue, _series, pointerIndex) =>
          xText.current(latestOf(plot, 0, pointerValue, pointerIndex)),
      },
      ...series.map(({ label }, i) => ({
        label,
        stroke: colourOf(i),
        width: 2,
        spanGaps,
        paths: (plot: UPlot, seriesIndex: number, from: number, to: number) =>
          linear(plot, seriesIndex, from, Math.min(to, (open.current ?? Infinity) - 1)),
        value: (plot: UPlot, pointerValue: number | null, index: number, pointerIndex: number | null) => {
          const value = latestOf(plot, index, pointerValue, pointerIndex);
          return value === null ? 'none' : tick(value);
        },
      })),
    ],
    hooks: {
      drawSeries: [
        (plot, seriesIndex) =>
          void (seriesIndex > 0 && open.current !== null && drawOpen(plot, seriesIndex, open.current)),
      ],
    },
    data,
  });
  const changes = [labels, unit, spanGaps, fromZero, x.label, x.time];
  const { holder, plot } = usePlot(height, draw, changes, onReady);
  // New points only move the lines: the plot stays.
  useEffect(() => plot.current?.setData(data));
  return (
    <div ref={holder} role="img" aria-label={`${chart.title}: ${labels.replaceAll('\n', ', ')} over ${x.label}`} />
  );
}

/** Lines over time or steps, fast on live data; the same as a table, as a PNG and as CSV. */
export function Chart(props: ChartProps) {
  const [plot, setPlot] = useState<UPlot | null>(null);
  const { title, x, series } = props;
  const toText = shownX(x);
  return (
    <ChartFrame
      title={title}
      sheet={() => ({
        columns: [
          { label: x.label, ...(x.time && { show: (cell: Cell) => toText(Number(cell)) }) },
          ...series.map(({ label }) => ({ label })),
        ],
        rows: x.values.map((xValue, i) => [xValue, ...series.map(({ values }) => values[i] ?? null)]),
      })}
      legend={series.map(({ label }, i) => ({ label, colour: colourOf(i) }))}
      canvas={plot?.ctx.canvas ?? null}
    >
      {x.values.length > 1 ? <Plot chart={props} onReady={setPlot} /> : <FirstValues {...props} />}
    </ChartFrame>
  );
}

/** What there is to say before there is a line. */
function FirstValues({ x, series, unit }: ChartProps) {
  const firstValues = series.flatMap(({ label, values: [value] }) =>
    typeof value === 'number' ? [{ label, value: tick(value) }] : [],
  );
  if (firstValues.length === 0) return <Note>Nothing was measured yet.</Note>;
  return (
    <>
      {firstValues.map(({ label, value }) => (
        <Text key={label} size="sm">
          {label}:{' '}
          <Text span fw={600}>
            {value} {unit}
          </Text>
        </Text>
      ))}
      <Note>
        {x.time ? `At ${shownX(x)(x.values[0]!)}, the` : 'The'} only value so far: a line begins with the second.
      </Note>
    </>
  );
}
