import { ActionIcon, Group, Menu, Table, Title, useComputedColorScheme } from '@mantine/core';
import { IconChartLine, IconDownload, IconTable } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { ScrollRegion } from '../table';
import { inkOf, pictureOf, type LegendEntry } from './picture';

export type Cell = number | string | null;

/** The values of a chart as a table: what it shows, for whoever reads figures or takes them elsewhere. */
export interface Sheet {
  columns: readonly { label: string; show?: (value: Cell) => string }[];
  rows: readonly (readonly Cell[])[];
}

const ROWS_SHOWN = 500;

const shown = (value: Cell): string =>
  typeof value !== 'number' ? (value ?? '') : Number.isInteger(value) ? String(value) : value.toPrecision(5);

function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function csv({ columns, rows }: Sheet): string {
  const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [columns.map(({ label }) => label), ...rows.map((row) => row.map((value) => String(value ?? '')))]
    .map((row) => row.map(cell).join(','))
    .join('\n');
}

function Values({ title, sheet: { columns, rows } }: { title: string; sheet: Sheet }) {
  const first = Math.max(0, rows.length - ROWS_SHOWN);
  return (
    <ScrollRegion minWidth={Math.max(300, 110 * columns.length)} mah={260}>
      <Table stickyHeader aria-label={title}>
        <Table.Thead>
          <Table.Tr>
            {columns.map(({ label }) => (
              <Table.Th key={label}>{label}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.slice(first).map((row, i) => (
            <Table.Tr key={first + i}>
              {row.map((value, column) => (
                <Table.Td key={column}>{(columns[column]?.show ?? shown)(value)}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollRegion>
  );
}

/** What every chart has: a title, the same values as a table, a PNG and CSV. */
export function ChartFrame(props: {
  title: string;
  /** Made only when it is looked at or saved. */
  sheet: () => Sheet;
  legend: readonly LegendEntry[];
  /** What was drawn; null while there is nothing to save as a picture. */
  canvas: HTMLCanvasElement | null;
  children: ReactNode;
}) {
  const { title, sheet, legend, canvas, children } = props;
  const [asTable, setAsTable] = useState(false);
  const scheme = useComputedColorScheme('light');
  const name = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const toggle = asTable ? 'Show as a chart' : 'Show as a table';
  return (
    <div>
      <Group justify="space-between" mb="xs" wrap="nowrap">
        <Title order={2} size="h3">
          {title}
        </Title>
        <Group gap={4} wrap="nowrap">
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`${toggle}: ${title}`}
            onClick={() => setAsTable(!asTable)}
          >
            {asTable ? <IconChartLine size={18} /> : <IconTable size={18} />}
          </ActionIcon>
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" aria-label={`Save: ${title}`}>
                <IconDownload size={18} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item
                disabled={canvas === null || asTable}
                onClick={() =>
                  canvas &&
                  pictureOf(canvas, { title, legend, ink: inkOf(scheme) }).toBlob(
                    (image) => image && save(image, `${name}.png`),
                  )
                }
              >
                PNG
              </Menu.Item>
              <Menu.Item onClick={() => save(new Blob([csv(sheet())], { type: 'text/csv' }), `${name}.csv`)}>
                CSV
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Group>
      </Group>
      {asTable ? <Values title={title} sheet={sheet()} /> : children}
    </div>
  );
}
