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
 * Whether the first row of a table that marks no header reads like one: short, distinct cells without digits, and either
 * three or more of them, or two over a column where every value has digits. Two columns of words are not enough evidence:
 * they are often a list of names and values.
 */
export function looksLikeHeader(rows: readonly (readonly string[])[]): boolean {
  const [first, ...rest] = rows.map((row) => row.map(collapse));
  if (first === undefined || rest.length === 0 || first.length < 2) return false;
  const labels = new Set(first).size === first.length && first.every((cell) => /^[^\d]{1,60}$/.test(cell));
  return labels && (first.length > 2 || rest.every((row) => /\d/.test(row[1] ?? '')));
}
