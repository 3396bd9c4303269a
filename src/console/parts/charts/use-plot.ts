import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import UPlot from 'uplot';
import { inkOf, tick, type Ink } from './picture';

/** A plot without its place: what is drawn, in which ink. */
export type Drawing = Omit<UPlot.Options, 'height' | 'width'> & { data: UPlot.AlignedData };

/** An axis of numbers. */
export const axisOf = ({ text, grid }: Ink): UPlot.Axis => {
  const line = { stroke: grid, width: 1 };
  return { stroke: text, grid: line, ticks: line, values: (_plot, ticks) => ticks.map(tick) };
};

/** Nothing follows the pointer, and the frame has the legend. */
export const STILL = { legend: { show: false }, cursor: { show: false } } as const;

/** A plot in its holder, as wide as that: drawn anew when `changes` do, or light and dark. */
export function usePlot(
  height: number,
  draw: (ink: Ink) => Drawing,
  changes: readonly unknown[],
  onReady: (plot: UPlot | null) => void,
) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const scheme = useComputedColorScheme('light');
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const { data, ...options } = draw(inkOf(scheme));
    const newPlot = new UPlot({ width: element.clientWidth || 300, height, ...options }, data, element);
    plot.current = newPlot;
    onReady(newPlot);
    const resize = new ResizeObserver(() => newPlot.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      newPlot.destroy();
      plot.current = null;
      onReady(null);
    };
  }, [...changes, height, scheme, onReady]);
  return { holder, plot };
}
