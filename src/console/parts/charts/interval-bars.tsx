import { useState } from 'react';
import type UPlot from 'uplot';
import { ChartFrame } from './chart-frame';
import { colourOf, tick, type Ink } from './picture';
import type { Interval } from './scatter';
import { axisOf, STILL, usePlot, type Drawing } from './use-plot';

interface IntervalBar extends Interval {
  label: string;
}

interface IntervalBarsProps {
  title: string;
  bars: readonly IntervalBar[];
  /** What the bars measure. */
  unit: string;
}

const BAR_HEIGHT = 44;
const AXIS_HEIGHT = 64;

/** A bar from zero to each value, its name and value above it, and its interval across its end. */
function drawBars({ ctx: pen, bbox, valToPos }: UPlot, bars: readonly IntervalBar[], ink: Ink): void {
  const scale = window.devicePixelRatio;
  const across = (value: number) => valToPos(value, 'x', true);
  const room = bbox.height / bars.length;
  pen.save();
  pen.font = `${12 * scale}px system-ui, sans-serif`;
  pen.textBaseline = 'alphabetic';
  bars.forEach(({ label, value, low, high }, i) => {
    const top = bbox.top + i * room;
    const [begin, height] = [top + 20 * scale, room - 26 * scale];
    const middle = begin + height / 2;
    pen.fillStyle = ink.text;
    pen.textAlign = 'left';
    pen.fillText(`${label}  ${value.toFixed(3)}`, bbox.left, top + 14 * scale);
    pen.fillStyle = colourOf(0);
    pen.fillRect(across(0), begin, across(value) - across(0), height);
    pen.strokeStyle = ink.text;
    pen.lineWidth = 1.5 * scale;
    pen.beginPath();
    pen.moveTo(across(low), middle);
    pen.lineTo(across(high), middle);
    for (const end of [low, high]) {
      pen.moveTo(across(end), begin);
      pen.lineTo(across(end), begin + height);
    }
    pen.stroke();
  });
  pen.restore();
}

function Plot({ chart, onReady }: { chart: IntervalBarsProps; onReady: (plot: UPlot | null) => void }) {
  const { bars, unit, title } = chart;
  // The same figures are the same plot, however often the page around it is drawn.
  const figures = JSON.stringify(bars);
  const longest = Math.max(1, ...bars.map(({ high }) => high));
  const draw = (ink: Ink): Drawing => ({
    ...STILL,
    scales: { x: { time: false, range: [0, longest] }, y: { range: [0, 1] } },
    axes: [{ ...axisOf(ink), label: unit }, { show: false }],
    series: [{}, { paths: () => null, points: { show: false } }],
    hooks: { draw: [(plot) => drawBars(plot, bars, ink)] },
    data: [
      [0, longest],
      [0, 1],
    ],
  });
  const { holder } = usePlot(bars.length * BAR_HEIGHT + AXIS_HEIGHT, draw, [figures, unit], onReady);
  return (
    <div
      ref={holder}
      role="img"
      aria-label={`${title}: ${bars.map(({ label, value }) => `${label} ${tick(value)}`).join(', ')}`}
    />
  );
}

/** Measured values beside each other as bars, each with its interval; the same as a table, as a PNG and as CSV. */
export function IntervalBars(props: IntervalBarsProps) {
  const [plot, setPlot] = useState<UPlot | null>(null);
  return (
    <ChartFrame
      title={props.title}
      sheet={() => ({
        columns: ['', props.unit, 'low end', 'high end'].map((label) => ({ label })),
        rows: props.bars.map(({ label, value, low, high }) => [label, value, low, high]),
      })}
      legend={[]}
      canvas={plot?.ctx.canvas ?? null}
    >
      <Plot chart={props} onReady={setPlot} />
    </ChartFrame>
  );
}
