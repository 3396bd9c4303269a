import { columnSums, type Metric } from '../../src/prove/index.js';
import { groupBy } from '../../src/kernel/group-by.js';

/** A row of a figure over questions, and the document that its question is about. */
export interface OfDocument {
  document: string;
}

/**
 * The rows of each document together. Questions about one document are right and wrong together, so intervals draw documents with all of
 * their questions (cluster bootstrap, Davison and Hinkley 1997, section 3.8): 120 questions of 12 articles say as much as 12 independent things do.
 */
export function byDocument<R extends OfDocument>(rows: readonly R[]): R[][] {
  return [...groupBy(rows, ({ document }) => document).values()];
}

/** The same metric of rows that stand in groups: it is the same for any grouping, its interval is not. */
export const overDocuments = <R>(metric: Metric<R>): Metric<readonly R[]> => ({
  name: metric.name,
  higherIsBetter: metric.higherIsBetter,
  statistics: (rows) => columnSums(rows.map((row) => metric.statistics(row))),
  value: (sums) => metric.value(sums),
  ...(metric.top !== undefined && { top: metric.top }),
});
