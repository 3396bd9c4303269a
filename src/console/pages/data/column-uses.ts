/** Uses of columns with that of one corrected, null for none: a field has one column, and a column one field. */
export const usesWith = <Use extends { column: string; field: string }>(
  uses: readonly Use[],
  column: string,
  field: Use['field'] | null,
): Use[] => [
  ...uses.filter((use) => use.column !== column && use.field !== field),
  ...(field === null ? [] : [{ column, field } as Use]),
];
