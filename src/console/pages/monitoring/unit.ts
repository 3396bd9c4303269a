/** A value of a series as it is drawn: in `%` what is a share, 0 to 1; else as it is. */
export const inUnit = (value: number | null, unit: string): number | null =>
  value !== null && unit === '%' ? 100 * value : value;

/** The place of the bucket that isn't over yet, whose values still change; null where all are over. Times are seconds. */
export function openFrom(starts: readonly number[], length: number, now: number): number | null {
  const index = starts.findIndex((start) => start + length > now);
  return index < 0 ? null : index;
}
