import { pairedDifference } from '../../src/prove/index.js';
import { byDocument, overDocuments, type OfDocument } from './by-document.js';

/**
 * How a share differs, in points, with its interval over documents.
 * @param before whether it held, and whether it does
 */
export function pairedShare<R extends OfDocument>(
  rows: readonly R[],
  before: (row: R) => boolean,
  after: (row: R) => boolean,
): string {
  const held = (holds: (row: R) => boolean) =>
    byDocument(rows.map((row) => ({ document: row.document, holds: holds(row) })));
  const { value, low, high } = pairedDifference(overDocuments(SHARE), held(before), held(after));
  return `${points(value)} (${points(low)} to ${points(high)})`;
}

const SHARE = {
  name: 'share',
  higherIsBetter: true,
  top: 1,
  statistics: ({ holds }: { holds: boolean }) => [Number(holds), 1],
  value: ([hits = 0, all = 1]: readonly number[]) => hits / all,
};

const points = (share: number): string => `${share > 0 ? '+' : ''}${(100 * share).toFixed(1)}`;
