import { pairedDifference } from '../../src/evaluation/index.js';
import type { OfDocument } from './by-document.js';

/**
 * How a share differs, in points, with its interval: sums over the questions of a document are what is resampled.
 * @param before whether it held, and whether it does
 */
export function pairedShare<R extends OfDocument>(
  rows: readonly R[],
  before: (row: R) => boolean,
  after: (row: R) => boolean,
): string {
  const sums = (holds: (row: R) => boolean): { hits: number; all: number }[] => {
    const documents = new Map<string, { hits: number; all: number }>();
    for (const row of rows) {
      const sum = documents.get(row.document) ?? { hits: 0, all: 0 };
      documents.set(row.document, { hits: sum.hits + Number(holds(row)), all: sum.all + 1 });
    }
    return [...documents.values()];
  };
  const metric = {
    name: 'share',
    higherIsBetter: true,
    statistics: ({ hits, all }: { hits: number; all: number }) => [hits, all],
    value: ([hits = 0, all = 1]: readonly number[]) => hits / all,
  };
  const { value, low, high } = pairedDifference(metric, sums(before), sums(after));
  return `${points(value)} (${points(low)} to ${points(high)})`;
}

const points = (share: number): string => `${share > 0 ? '+' : ''}${(100 * share).toFixed(1)}`;
