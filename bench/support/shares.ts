import { estimate } from '../../src/evaluation/index.js';

/** The share of rows for which something holds, in percent, with its interval that holds the true one in 95 of 100 cases. */
export function shareOf<R>(rows: readonly R[], holds: (row: R) => boolean): string {
  const metric = {
    ...{ name: 'share', higherIsBetter: true, statistics: (row: R) => [Number(holds(row)), 1] },
    value: ([hits = 0, all = 1]: readonly number[]) => hits / all,
  };
  const { value, low, high } = estimate(metric, rows);
  return `${(100 * value).toFixed(1)} (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;
}
