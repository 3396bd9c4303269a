import { collapse } from './builder.js';

/**
 * A table as text whose every line can be understood, and quoted, alone: `Plan: Team; Seats: 10; Price: $12`.
 * A cell without a header stands bare; empty cells are left out. Rows may be ragged.
 */
export function tableText(header: readonly string[] | null, rows: readonly (readonly string[])[]): string {
  const names = header?.map(collapse) ?? [];
  return rows
    .map((row) =>
      row
        .map(collapse)
        .map((value, column) => ({ value, name: names[column] ?? '' }))
        .filter(({ value }) => value !== '')
        .map(({ value, name }) => (name === '' || name === value ? value : `${name.replace(/:$/, '')}: ${value}`))
        .join('; '),
    )
    .filter((line) => line !== '')
    .join('\n');
}

const LABEL = /^[^\d]{1,60}$/;

/** The names of a table's columns, and the first row that is data. */
interface Header {
  names: readonly string[] | null;
  from: 0 | 1;
}

/**
 * Whether the first row of a table that marks no header reads like one: short, distinct cells without digits, and either
 * three or more of them, or two over a column where every value has digits. Two columns of words are not enough evidence:
 * they are often a list of names and values. Where the cells below are as short and as free of digits, nothing tells a header
 * from a row of its own: it names the columns and is kept as a row, too.
 */
export function headerOf(rows: readonly (readonly string[])[]): Header {
  const [first, ...rest] = rows.map((row) => row.map(collapse));
  const noHeader: Header = { names: null, from: 0 };
  if (first === undefined || rest.length === 0 || first.length < 2) return noHeader;
  if (new Set(first).size < first.length || !first.every((cell) => LABEL.test(cell))) return noHeader;
  if (first.length === 2) return rest.every((row) => /\d/.test(row[1] ?? '')) ? { names: first, from: 1 } : noHeader;
  return { names: first, from: first.some((_, column) => holdsValues(rest, column)) ? 1 : 0 };
}

/** Whether most cells of a column could be no names of columns. */
function holdsValues(rows: readonly (readonly string[])[], column: number): boolean {
  const filled = rows.map((row) => row[column] ?? '').filter((cell) => cell !== '');
  return filled.filter((cell) => !LABEL.test(cell)).length > filled.length / 2;
}
