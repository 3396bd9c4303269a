/** What a chart is drawn with on light and on dark. */
export interface Ink {
  text: string;
  grid: string;
  background: string;
}

export const inkOf = (scheme: 'light' | 'dark'): Ink =>
  scheme === 'dark'
    ? { text: '#c9c9c9', grid: '#3a3b3c', background: '#242424' }
    : { text: '#495057', grid: '#e9ecef', background: '#ffffff' };

/** Told apart also by who sees no red and green, on light and on dark. */
const COLOURS = ['#0ca678', '#4263eb', '#e8590c', '#ae3ec9', '#868e96'] as const;

export const colourOf = (index: number): string => COLOURS[index % COLOURS.length]!;

/** A mark of an axis: `0.0005` and `1,500`, each as short as it can be. */
export const tick = (value: number): string =>
  Number(value.toPrecision(4)).toLocaleString('en', { maximumSignificantDigits: 4 });

/**
 * The ends of an axis that begins at zero, or below where values do, and ends at one unless there is more; null where there is no value.
 * @param whole of shares, where none is more: 1, or 100 of percentages
 */
export const rangeWithZero = (low: number | null, high: number | null, whole = Infinity): [number, number] => [
  Math.min(0, (low ?? 0) * 1.1),
  (high ?? 0) > 1 ? Math.max(high!, Math.min(high! * 1.1, whole)) : 1,
];

export interface LegendEntry {
  label: string;
  colour: string;
}

/** The chart as it stands elsewhere than on the page: with its title, its legend and a background, which the canvas lacks. */
export function pictureOf(
  chart: HTMLCanvasElement,
  { title, legend, ink }: { title: string; legend: readonly LegendEntry[]; ink: Ink },
): HTMLCanvasElement {
  const scale = window.devicePixelRatio;
  const [titleHeight, legendHeight, gap] = [36 * scale, 28 * scale, 12 * scale];
  const picture = document.createElement('canvas');
  picture.width = chart.width;
  picture.height = chart.height + titleHeight + legendHeight;
  const pen = picture.getContext('2d')!;
  pen.fillStyle = ink.background;
  pen.fillRect(0, 0, picture.width, picture.height);
  pen.drawImage(chart, 0, titleHeight);
  pen.textBaseline = 'middle';
  pen.fillStyle = ink.text;
  pen.font = `600 ${15 * scale}px system-ui, sans-serif`;
  pen.fillText(title, gap, titleHeight / 2);
  pen.font = `${12 * scale}px system-ui, sans-serif`;
  let offset = gap;
  const line = titleHeight + chart.height + legendHeight / 2;
  for (const { label, colour } of legend) {
    pen.fillStyle = colour;
    pen.fillRect(offset, line - 5 * scale, 10 * scale, 10 * scale);
    pen.fillStyle = ink.text;
    pen.fillText(label, offset + 15 * scale, line);
    offset += 15 * scale + pen.measureText(label).width + gap;
  }
  return picture;
}
