/** A value of a series as it is drawn: in `%` what is a share, 0 to 1; else as it is. */
export const inUnit = (value: number | null, unit: string): number | null =>
  value !== null && unit === '%' ? 100 * value : value;
