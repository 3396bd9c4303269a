import { collapse } from './builder.js';
import type { PdfCell, PdfLine } from './pdf-lines.js';
import { headerOf, tableText } from './tables.js';

/** Fewer aligned rows than this are chance. */
const MIN_ROWS = 3;
/** Cells start, or end, at the same place when they differ by less than this many type sizes. */
const ALIGNED = 0.8;

type Column = Pick<PdfCell, 'x' | 'right'>;

interface Row {
  cells: string[];
  y: number;
}

/** A table, or its part on one page. */
export interface PdfTable {
  text: string;
  /** How many lines it takes. */
  lines: number;
  columns: readonly Column[];
  /** The names of its columns. */
  header: readonly string[] | null;
}

/**
 * The table that starts at line `from`, if one does: rows of two or more cells that start or end below those of the
 * first row; a line below a row that fills only some columns continues their cells. Tables without aligned columns
 * stay paragraphs.
 * @param maxGap between the lines of one row, in points
 */
export function pdfTable(lines: readonly PdfLine[], from: number, maxGap: number): PdfTable | null {
  const columns = lines[from]?.cells ?? [];
  if (columns.length < 2) return null;
  const { rows, end } = readRows(lines, from, columns, maxGap);
  if (rows.length < MIN_ROWS) return null;
  const { names: header, from: data } = headerOf(rows);
  return { text: tableText(header, rows.slice(data)), lines: end - from, columns, header };
}

/**
 * The rows at the top of a page that go on with the table at the end of the page before: they stand in its columns, at least
 * one in all of them. A header that is repeated is no row.
 */
export function continuedTable(lines: readonly PdfLine[], previousTable: PdfTable, maxGap: number): PdfTable | null {
  const { columns, header } = previousTable;
  const { rows, end } = readRows(lines, 0, columns, maxGap);
  if (!rows.some((row) => row.every((cell) => cell !== ''))) return null;
  const repeated = header !== null && rows[0]!.every((cell, column) => cell === collapse(header[column] ?? ''));
  return { text: tableText(header, rows.slice(repeated ? 1 : 0)), lines: end, columns, header };
}

function readRows(
  lines: readonly PdfLine[],
  from: number,
  columns: readonly Column[],
  maxGap: number,
): { rows: string[][]; end: number } {
  const size = lines[from]?.size ?? 0;
  const rows: Row[] = [];
  let index = from;
  for (; index < lines.length; index += 1) {
    const line = lines[index] as PdfLine;
    const places = line.cells.map((cell) => placeOf(cell, columns, ALIGNED * size));
    const last = rows.at(-1);
    if (places.includes(-1) || (last !== undefined && line.y >= last.y)) break;
    const full = places[0] === 0 && places.length > 1;
    if (!full && (last === undefined || last.y - line.y > rowGap(maxGap, line.size))) break;
    const row = full || last === undefined ? { cells: columns.map(() => ''), y: line.y } : last;
    if (row !== last) rows.push(row);
    row.y = line.y;
    places.forEach((place, i) => {
      row.cells[place] = `${row.cells[place] ?? ''} ${line.cells[i]?.text ?? ''}`;
    });
  }
  return { rows: rows.map((row) => row.cells.map(collapse)), end: index };
}

/** The most between the lines of one row: a page of few lines has no usual gap. */
const rowGap = (maxGap: number, size: number): number => Math.max(1.5 * size, Math.min(maxGap, 2.5 * size));

/** The column that a cell starts with, else the one that it ends with, as figures do. */
function placeOf(cell: PdfCell, columns: readonly Column[], tolerance: number): number {
  const starts = columns.findIndex(({ x }) => Math.abs(x - cell.x) < tolerance);
  return starts >= 0 ? starts : columns.findIndex(({ right }) => Math.abs(right - cell.right) < tolerance);
}

/** What stands before an item, however far: no cell of a table. */
const MARKER = /^(?:[-*+•‣▪◦–—·]|\(?\d{1,3}[.)]|\(?[a-z][.)]|\d{1,3}(?:\.\d{1,3})+)$/;

/** Whether a line holds several cells, though it may stand in no table that could be read. */
export const isRow = ({ cells }: PdfLine): boolean => cells.length - (MARKER.test(cells[0]?.text ?? '') ? 1 : 0) > 1;

/** Whether a line goes on with the last cell of the row above it. */
export const continuesCell = (row: PdfLine, { cells, size }: PdfLine): boolean =>
  cells.length === 1 && Math.abs(cells[0]!.x - row.cells.at(-1)!.x) < ALIGNED * size;
