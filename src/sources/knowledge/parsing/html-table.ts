import { collapse } from './builder.js';
import { attribute, childElements, closest, type Element, find, type Node, textOf } from './html-tree.js';
import { headerOf, tableText } from './tables.js';

/** The most columns that one cell is repeated over. */
const MAX_ACROSS = 20;
/** Characters, and one more a cell, that the cells of a table may repeat over its rows: else a small page makes a huge table. */
const MAX_REPEATED = 200_000;
/** Beyond that no cell is repeated over more rows than these. */
const FEW_DOWN = 20;

/** A row of a table with each cell that stands in it or reaches into it. */
interface GridRow {
  cells: GridCell[];
  inHead: boolean;
}

interface GridCell {
  element: Element;
  text: string;
}

/** The rows of a table, without those of tables inside it, which are as deep as a page likes. */
export const rowsOf = (table: Element): Element[] =>
  childElements(table).flatMap((part) => (part.tagName === 'tr' ? [part] : childElements(part).filter(isRow)));

const isRow = ({ tagName }: Element): boolean => tagName === 'tr';

export const cellsOf = (row: Element): Element[] =>
  childElements(row).filter(({ tagName }) => tagName === 'td' || tagName === 'th');

/** Repeats cells over the rows and columns that they span, so that each row says everything. */
export function expandSpans(rows: readonly Element[]): GridRow[] {
  const ends = new Map<Node | null, number>(rows.map((row, index) => [row.parentNode, index + 1]));
  const carried = new Map<number, { cell: GridCell; end: number }>();
  let repeated = 0;
  const endOf = (row: number, cell: GridCell, across: number): number => {
    // No cell reaches out of its part of the table.
    const maximum = (ends.get(rows[row]!.parentNode) ?? row + 1) - row;
    const down = Math.min(maximum, span(cell.element, 'rowspan'));
    const cost = (down - 1) * across * (cell.text.length + 1);
    if (repeated + cost > MAX_REPEATED) return row + Math.min(down, FEW_DOWN);
    repeated += cost;
    return row + down;
  };
  return rows.map((row, index) => {
    const ownCells = cellsOf(row);
    const cells: GridCell[] = [];
    let next = 0;
    for (let column = 0; next < ownCells.length || reaches(carried.get(column), index); column += 1) {
      const carriedCell = carried.get(column);
      if (carriedCell !== undefined && reaches(carriedCell, index)) {
        cells.push(carriedCell.cell);
        continue;
      }
      const element = ownCells[next++]!;
      const cell = { element, text: textOf(element) };
      const across = Math.min(MAX_ACROSS, span(element, 'colspan'));
      const end = endOf(index, cell, across);
      for (let i = 0; i < across; i += 1) {
        if (i > 0) column += 1;
        cells.push(cell);
        carried.set(column, { cell, end });
      }
    }
    return { cells, inHead: closest(row, 'thead') !== null };
  });
}

const reaches = (carriedCell: { end: number } | undefined, row: number): boolean =>
  carriedCell !== undefined && carriedCell.end > row;

const span = (cell: Element, name: string): number =>
  Math.max(1, Number.parseInt(attribute(cell, name) ?? '1', 10) || 1);

/** The rows of a table as text, each with the names of its header. */
export function gridText(grid: readonly GridRow[]): string {
  const texts = grid.map((row) => row.cells.map(({ text }) => text));
  const marked = grid[0] !== undefined && isHeaderRow(grid[0]);
  const { names: header, from } = marked ? { names: texts[0]!, from: 1 } : headerOf(texts);
  return grid
    .slice(from)
    .map(({ cells }, index) => (header === null && namedValue(cells)) || tableText(header, [texts[index + from]!]))
    .filter((line) => line !== '')
    .join('\n');
}

/** `<tr><th>Name</th><td>Value</td></tr>` */
function namedValue([name, value, ...rest]: readonly GridCell[]): string | null {
  if (name?.element.tagName !== 'th' || value?.element.tagName !== 'td' || rest.length > 0) return null;
  return tableText([name.text], [[value.text]]);
}

/** Word processors mark a header row by bold type alone. */
function isHeaderRow(row: GridRow): boolean {
  if (row.inHead || row.cells.every(({ element }) => element.tagName === 'th')) return true;
  return row.cells.every(({ element, text }) => {
    const bold = [...find(element, 'strong'), ...find(element, 'b')].map((part) => textOf(part)).join('');
    return collapse(bold) !== '' && collapse(bold) === collapse(text);
  });
}
