/** A line of a PDF page; lengths in points, y grows upwards. */
export interface PdfLine {
  text: string;
  x: number;
  /** Of its base line. */
  y: number;
  width: number;
  /** Type size. */
  size: number;
  /** In the outer tenth of the page, where running heads stand. */
  margin: boolean;
  /** Its stretches between wide gaps: one in running text, several in a row of a table. */
  cells: PdfCell[];
}

export interface PdfCell {
  x: number;
  /** Where its text ends. */
  right: number;
  text: string;
}

/** What pdf.js calls a text item. */
export interface TextItem {
  str: string;
  transform: number[];
  width: number;
  height: number;
  hasEOL: boolean;
}

/** A gap wider than this many type sizes separates the cells of a table. */
const CELL_GAP = 1.5;

/** Puts the items of a page together to lines. @param view left, bottom, right, top of the page */
export function toLines(items: readonly TextItem[], [, bottom = 0, , top = 0]: readonly number[]): PdfLine[] {
  const edge = (top - bottom) / 10;
  const lines: PdfLine[] = [];
  let current: PdfLine | null = null;
  const close = () => {
    if (current !== null && current.text.trim() !== '') lines.push(finished(current));
    current = null;
  };
  for (const item of items) {
    const [, , skew = 0, scale = 0, x = 0, y = 0] = item.transform;
    const size = Math.hypot(skew, scale) || item.height;
    const open = current;
    if (open !== null && item.str !== '' && Math.abs(y - open.y) > Math.max(size, open.size) / 2) close();
    if (item.str !== '') {
      current ??= { text: '', x, y, width: 0, size: 0, margin: y > top - edge || y < bottom + edge, cells: [] };
      extend(current, item, x, size);
    }
    if (item.hasEOL) close();
  }
  close();
  return lines;
}

function extend(line: PdfLine, item: TextItem, x: number, size: number): void {
  const blank = item.str.trim() === '';
  const wide = x - (line.x + line.width) > CELL_GAP * size;
  const last = line.cells.at(-1);
  const right = blank ? 0 : x + item.width;
  if (!blank && (last === undefined || wide)) line.cells.push({ x, right, text: item.str });
  else if (last !== undefined) {
    last.text += item.str;
    last.right = Math.max(last.right, right);
  }
  line.text += wide && !/\s$/.test(line.text) ? ` ${item.str}` : item.str;
  if (blank) return;
  line.width = Math.max(line.width, x + item.width - line.x);
  line.size = Math.max(line.size, size);
}

const finished = (line: PdfLine): PdfLine => ({
  ...line,
  text: line.text.trim(),
  cells: line.cells.map((cell) => ({ ...cell, text: cell.text.trim() })),
});
