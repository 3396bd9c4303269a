import 'uplot/dist/uPlot.min.css';
import { ActionIcon, Group, Menu, Table, Text, Title, useComputedColorScheme } from '@mantine/core';
import { IconChartLine, IconDownload, IconTable } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import UPlot from 'uplot';
import { ScrollRegion } from './scroll-region';

export interface Series {
  label: string;
  /** One value for each x; null where there is none. */
  values: readonly (number | null)[];
}

export interface ChartProps {
  title: string;
  /** What `x` is: seconds since 1970, or a number such as a step. */
  x: { label: string; values: readonly number[]; time?: boolean };
  series: readonly Series[];
  /** Of the y axis, e.g. `MB`. */
  unit: string;
  height?: number;
  /** Lines go on over places without a value, which series of other places leave. */
  spanGaps?: boolean;
}

/** Told apart also by who sees no red and green, on light and on dark. */
const COLOURS = ['#0ca678', '#4263eb', '#e8590c', '#ae3ec9', '#868e96'];
const ROWS_SHOWN = 500;

const shown = (value: number | null | undefined): string =>
  value === null || value === undefined ? '' : Number.isInteger(value) ? String(value) : value.toPrecision(5);

/** A mark of an axis: `0.0005` and `1,500`, each as short as it can be. */
const tick = (value: number): string =>
  Number(value.toPrecision(4)).toLocaleString('en', { maximumSignificantDigits: 4 });

function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function csv({ x, series }: ChartProps): string {
  const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = x.values.map((at, i) => [String(at), ...series.map(({ values }) => String(values[i] ?? ''))]);
  return [[x.label, ...series.map(({ label }) => label)].map(cell), ...rows].map((row) => row.join(',')).join('\n');
}

function Plot({ chart, onReady }: { chart: ChartProps; onReady: (plot: UPlot | null) => void }) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const scheme = useComputedColorScheme('light');
  const { x, series, unit, height = 220, spanGaps = false } = chart;
  const labels = series.map(({ label }) => label).join('\n');
  const data = [x.values, ...series.map(({ values }) => values)] as unknown as UPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const ink = scheme === 'dark' ? '#c9c9c9' : '#495057';
    const grid = { stroke: scheme === 'dark' ? '#3a3b3c' : '#e9ecef', width: 1 };
    const axis = { stroke: ink, grid, ticks: grid };
    const made = new UPlot(
      {
        width: element.clientWidth || 300,
        height,
        scales: { x: { time: x.time ?? false } },
        axes: [axis, { ...axis, label: unit, size: 60, values: (_plot, ticks) => ticks.map(tick) }],
        series: [
          { label: x.label },
          ...labels
            .split('\n')
            .map((label, i) => ({ label, stroke: COLOURS[i % COLOURS.length]!, width: 2, spanGaps })),
        ],
      },
      latest.current,
      element,
    );
    plot.current = made;
    onReady(made);
    const resize = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      made.destroy();
      plot.current = null;
      onReady(null);
    };
  }, [labels, unit, height, spanGaps, x.label, x.time, scheme, onReady]);
  // New points only move the lines: the plot stays.
  useEffect(() => plot.current?.setData(data));
  return (
    <div ref={holder} role="img" aria-label={`${chart.title}: ${labels.replaceAll('\n', ', ')} over ${x.label}`} />
  );
}

function Values({ chart: { x, series, title } }: { chart: ChartProps }) {
  const first = Math.max(0, x.values.length - ROWS_SHOWN);
  return (
    <ScrollRegion minWidth={300} mah={260}>
      <Table stickyHeader aria-label={title}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{x.label}</Table.Th>
            {series.map(({ label }) => (
              <Table.Th key={label}>{label}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {x.values.slice(first).map((at, i) => (
            <Table.Tr key={at}>
              <Table.Td>{x.time ? new Date(at * 1000).toLocaleTimeString() : at}</Table.Td>
              {series.map(({ label, values }) => (
                <Table.Td key={label}>{shown(values[first + i])}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollRegion>
  );
}

/** Lines over time or steps, fast on live data; the same as a table, as a PNG and as CSV. */
export function Chart(props: ChartProps) {
  const [asTable, setAsTable] = useState(false);
  const [plot, setPlot] = useState<UPlot | null>(null);
  const name = props.title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const toggle = asTable ? 'Show as a chart' : 'Show as a table';
  return (
    <div>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h3">
          {props.title}
        </Title>
        <Group gap={4}>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`${toggle}: ${props.title}`}
            onClick={() => setAsTable(!asTable)}
          >
            {asTable ? <IconChartLine size={18} /> : <IconTable size={18} />}
          </ActionIcon>
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" aria-label={`Save: ${props.title}`}>
                <IconDownload size={18} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item
                disabled={plot === null}
                onClick={() => plot?.ctx.canvas.toBlob((image) => image && save(image, `${name}.png`))}
              >
                PNG
              </Menu.Item>
              <Menu.Item onClick={() => save(new Blob([csv(props)], { type: 'text/csv' }), `${name}.csv`)}>
                CSV
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Group>
      </Group>
      {asTable && <Values chart={props} />}
      {!asTable && props.x.values.length > 1 && <Plot chart={props} onReady={setPlot} />}
      {!asTable && props.x.values.length < 2 && (
        <Text c="dimmed" size="sm">
          Waits for a second value.
        </Text>
      )}
    </div>
  );
}
