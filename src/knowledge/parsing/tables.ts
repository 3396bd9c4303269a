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

/**
 * Whether the first row of a table that marks no header reads like one: three or more short, distinct cells without
 * digits. Two columns are not enough evidence: they are often a list of names and values.
 */
export function looksLikeHeader(rows: readonly (readonly string[])[]): boolean {
  const first = rows[0];
  if (first === undefined || rows.length < 2 || first.length < 3) return false;
  const cells = first.map(collapse);
  return new Set(cells).size === cells.length && cells.every((cell) => /^[^\d]{1,60}$/.test(cell));
}
