import { useState } from 'react';
import type UPlot from 'uplot';
import { ChartFrame, type Sheet } from './chart-frame';
import { colourOf, type Ink } from './picture';
import { axisOf, STILL, usePlot, type Drawing } from './use-plot';

export interface Interval {
  value: number;
  low: number;
  high: number;
}

export interface Point {
  label: string;
  x: Interval;
  y: Interval;
  /** Which of `groups` it belongs to, by index: its colour. */
  group: number;
}

interface ScatterProps {
  title: string;
  points: readonly Point[];
  /** What the colours mean. */
  groups: readonly string[];
  x: { label: string; guides: readonly { at: number; label: string }[] };
  y: { label: string };
  height?: number;
}

/** The ends of an axis: everything that is drawn and a tenth of it as margin. */
function extent(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = (high - low || Math.abs(high) || 1) / 10;
  return [low - margin, high + margin];
}

/** Points with the intervals of both values as bars, and upright lines at what they are held against. */
function drawMarks(plot: UPlot, { points, x }: ScatterProps, ink: Ink): void {
  const { ctx: pen, bbox } = plot;
  const scale = window.devicePixelRatio;
  const across = (value: number) => plot.valToPos(value, 'x', true);
  const yOf = (value: number) => plot.valToPos(value, 'y', true);
  const line = (fromX: number, fromY: number, toX: number, toY: number) => {
    pen.beginPath();
    pen.moveTo(fromX, fromY);
    pen.lineTo(toX, toY);
    pen.stroke();
  };
  pen.save();
  pen.font = `${12 * scale}px system-ui, sans-serif`;
  pen.lineWidth = scale;
  x.guides.forEach(({ at, label }, i) => {
    pen.strokeStyle = pen.fillStyle = ink.text;
    pen.setLineDash([4 * scale, 4 * scale]);
    line(across(at), bbox.top, across(at), bbox.top + bbox.height);
    const overflow = across(at) + pen.measureText(label).width + 8 * scale > bbox.left + bbox.width;
    pen.textAlign = overflow ? 'right' : 'left';
    pen.fillText(label, across(at) + (overflow ? -4 : 4) * scale, bbox.top + (14 + 16 * i) * scale);
  });
  pen.setLineDash([]);
  for (const { label, x: xInterval, y, group } of points) {
    const [pointX, top] = [across(xInterval.value), yOf(y.value)];
    pen.strokeStyle = pen.fillStyle = colourOf(group);
    pen.lineWidth = 1.5 * scale;
    line(across(xInterval.low), top, across(xInterval.high), top);
    line(pointX, yOf(y.low), pointX, yOf(y.high));
    pen.beginPath();
    pen.arc(pointX, top, 5 * scale, 0, 2 * Math.PI);
    pen.fill();
    pen.fillStyle = ink.text;
    pen.textAlign = 'left';
    // Beside the point, and within the plot however narrow it is.
    const farthest = bbox.left + bbox.width - pen.measureText(label).width;
    pen.fillText(label, Math.max(bbox.left, Math.min(pointX + 9 * scale, farthest)), top - 9 * scale);
  }
  pen.restore();
}

function Plot({ chart, onReady }: { chart: ScatterProps; onReady: (plot: UPlot | null) => void }) {
  const { points, x, y, title, height = 300 } = chart;
  const draw = (ink: Ink): Drawing => {
    const ends = (intervalOf: (point: Point) => Interval) =>
      points.flatMap((point) => [intervalOf(point).low, intervalOf(point).high]);
    const xs = extent([...ends((point) => point.x), ...x.guides.map(({ at }) => at)]);
    const ys = extent(ends((point) => point.y));
    const sorted = points.toSorted((a, b) => a.x.value - b.x.value);
    return {
      ...STILL,
      scales: { x: { time: false, range: () => xs }, y: { range: () => ys } },
      axes: [
        { ...axisOf(ink), label: x.label },
        { ...axisOf(ink), label: y.label, size: 60 },
      ],
      series: [{}, { paths: () => null, points: { show: false } }],
      hooks: { draw: [(plot) => drawMarks(plot, chart, ink)] },
      data: [sorted.map((point) => point.x.value), sorted.map((point) => point.y.value)],
    };
  };
  const { holder } = usePlot(height, draw, [points, x, y], onReady);
  return <div ref={holder} role="img" aria-label={`${title}: ${points.map(({ label }) => label).join(', ')}`} />;
}

const sheetOf = ({ points, x, y }: ScatterProps): Sheet => ({
  columns: [
    { label: 'point' },
    ...[x.label, y.label].flatMap((label) => [
      { label },
      { label: `${label}: low end` },
      { label: `${label}: high end` },
    ]),
  ],
  rows: points.map(({ label, x: across, y: yInterval }) => [
    label,
    ...[across, yInterval].flatMap(({ value, low, high }) => [value, low, high]),
  ]),
});

/** Points of two measured values, each with its interval; the same as a table, as a PNG and as CSV. */
export function Scatter(props: ScatterProps) {
  const [plot, setPlot] = useState<UPlot | null>(null);
  return (
    <ChartFrame
      title={props.title}
      sheet={() => sheetOf(props)}
      legend={props.groups.map((label, i) => ({ label, colour: colourOf(i) }))}
      canvas={plot?.ctx.canvas ?? null}
    >
      <Plot chart={props} onReady={setPlot} />
    </ChartFrame>
  );
}
