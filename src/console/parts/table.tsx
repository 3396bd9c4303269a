import { Box, Paper, Table, type TableTdProps } from '@mantine/core';
import type { ReactNode } from 'react';

/** What is wider or longer than its place scrolls there, by keyboard too. */
export function ScrollRegion(props: {
  minWidth: number;
  mah?: number;
  /**
   * On a phone a row of the table becomes a block with so many cells beside each other, each under its `data-label`; a cell
   * without one has a line of its own, and one with `data-minor` is left out.
   */
  stacks?: number;
  children: ReactNode;
}) {
  const { minWidth, mah, stacks, children } = props;
  return (
    <Box
      className={stacks ? 'scroll-region stacking' : 'scroll-region'}
      tabIndex={0}
      role="group"
      style={{ maxHeight: mah, '--stacked': stacks }}
    >
      <div style={{ minWidth }}>{children}</div>
    </Box>
  );
}

interface Column<Row> extends Pick<TableTdProps, 'fw' | 'maw' | 'style' | 'w'> {
  head: ReactNode;
  cell: (row: Row, index: number) => ReactNode;
  /** Numbers stand to the right. */
  right?: boolean;
  /** What the cell stands under on a phone: by default its head, where that is a text; null: it has a line of its own. */
  label?: string | null;
  /** On a phone it is left out. */
  minor?: boolean;
}

/** Rows of the same kind. A table wider than its place scrolls; on a phone `stacks` cells stand beside each other, as `ScrollRegion` says. */
export function DataTable<Row>(props: {
  label: string;
  /** `false` leaves a column out. */
  columns: readonly (Column<Row> | false)[];
  rows: readonly Row[];
  /** By default its place, for rows that don’t move. */
  keyOf?: (row: Row, index: number) => string | number;
  minWidth: number;
  mah?: number;
  stacks?: number;
  /** Whether it stands by itself, in a frame. */
  framed?: boolean;
  dense?: boolean;
  /** Of each row. */
  testId?: string;
}) {
  const {
    label,
    columns,
    rows,
    keyOf = (_row: Row, index: number) => index,
    minWidth,
    mah,
    stacks,
    framed = false,
    dense = false,
    testId,
  } = props;
  const visibleColumns = columns.filter((column) => column !== false);
  const table = (
    <ScrollRegion minWidth={minWidth} mah={mah} stacks={stacks}>
      <Table
        verticalSpacing={dense ? 4 : 'xs'}
        stickyHeader={mah !== undefined && stacks === undefined}
        aria-label={label}
      >
        <Table.Thead>
          <Table.Tr>
            {visibleColumns.map(({ head, right }, columnIndex) => (
              <Table.Th key={columnIndex} ta={right ? 'right' : undefined}>
                {head}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row, index) => (
            <Table.Tr key={keyOf(row, index)} data-testid={testId}>
              {visibleColumns.map(({ head, cell, right, label: cellLabel, minor, ...rest }, columnIndex) => (
                <Table.Td
                  key={columnIndex}
                  ta={right ? 'right' : undefined}
                  data-label={
                    minor ? undefined : cellLabel === undefined && typeof head === 'string' ? head : cellLabel
                  }
                  data-minor={minor}
                  {...rest}
                >
                  {cell(row, index)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollRegion>
  );
  return framed ? <Paper p={0}>{table}</Paper> : table;
}
