import type { PdfLine } from './pdf-lines.js';
import { looksLikeHeader, tableText } from './tables.js';

/** Fewer aligned rows than this are chance. */
const MIN_ROWS = 3;
/** Cells start at the same place when they differ by less than this many type sizes. */
const ALIGNED = 0.8;

interface Row {
  cells: string[];
  y: number;
}

/**
 * The table that starts at line `from`, if one does: rows of two or more cells whose starts stand below those of the
 * first row; a line below a row that fills only some columns continues their cells. Tables without aligned columns
 * stay paragraphs.
 * @param maxGap between the lines of one row, in points
 * @returns its text and how many lines it takes
 */
export function pdfTable(
  lines: readonly PdfLine[],
  from: number,
  maxGap: number,
): { text: string; lines: number } | null {
  const first = lines[from];
  if (first === undefined || first.cells.length < 2) return null;
  const columns = first.cells.map(({ x }) => x);
  const rows: Row[] = [];
  let at = from;
  for (; at < lines.length; at += 1) {
    const line = lines[at] as PdfLine;
    const places = line.cells.map(({ x }) =>
      columns.findIndex((column) => Math.abs(column - x) < ALIGNED * first.size),
    );
    const last = rows.at(-1);
    if (places.includes(-1) || (last !== undefined && line.y >= last.y)) break;
    const full = places[0] === 0 && places.length > 1;
    if (!full && (last === undefined || last.y - line.y > Math.max(maxGap, 1.5 * line.size))) break;
    const row = full || last === undefined ? { cells: columns.map(() => ''), y: line.y } : last;
    if (row !== last) rows.push(row);
    row.y = line.y;
    places.forEach((place, i) => {
      row.cells[place] = `${row.cells[place] ?? ''} ${line.cells[i]?.text ?? ''}`;
    });
  }
  if (rows.length < MIN_ROWS) return null;
  const cells = rows.map((row) => row.cells);
  const header = looksLikeHeader(cells) ? (cells[0] ?? null) : null;
  return { text: tableText(header, cells.slice(header === null ? 0 : 1)), lines: at - from };
}
