import { estimate } from '../../src/prove/index.js';
import { byDocument, overDocuments, type OfDocument } from './by-document.js';
import { median } from './report.js';

/** The share of rows for which something holds, in percent, with its interval over documents that holds the true one in 95 of 100 cases. */
export function shareOf<R extends OfDocument>(rows: readonly R[], holds: (row: R) => boolean): string {
  const metric = {
    name: 'share',
    higherIsBetter: true,
    top: 1,
    statistics: (row: R) => [Number(holds(row)), 1],
    value: ([hits = 0, all = 1]: readonly number[]) => hits / all,
  };
  const { value, low, high } = estimate(overDocuments(metric), byDocument(rows));
  return `${(100 * value).toFixed(1)} (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;
}

/** An answer to a question that its documents come near to and don't answer, or do. */
export interface ToldOrRefused extends OfDocument {
  near: boolean;
  refused: boolean;
  ms: number;
}

/** How often nothing was answered, and how long an answer took. */
export function refusals(told: readonly ToldOrRefused[]) {
  const [near, answerable] = [true, false].map((is) => told.filter((each) => each.near === is)) as [
    ToldOrRefused[],
    ToldOrRefused[],
  ];
  return {
    near: near.length,
    'refused near': shareOf(near, ({ refused }) => refused),
    answerable: answerable.length,
    'refused though answerable': shareOf(answerable, ({ refused }) => refused),
    'median ms': Math.round(median(told.filter(({ refused }) => !refused).map(({ ms }) => ms))),
  };
}
