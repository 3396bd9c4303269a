import { f1, ratio, type Metric } from './metric.js';

/** A named entity by its place in the text; offsets in UTF-16 units, `end` exclusive. */
export interface EntitySpan {
  type: string;
  start: number;
  end: number;
}

export interface EntityRow {
  gold: readonly EntitySpan[];
  predicted: readonly EntitySpan[];
}

const key = ({ type, start, end }: EntitySpan): string => `${start}:${end}:${type}`;

/** `[found and right, found, there]`: an entity is right when type, start and end are (CoNLL's rule, which seqeval follows). */
function counts({ gold, predicted }: EntityRow): number[] {
  const there = new Set(gold.map(key));
  const found = new Set(predicted.map(key));
  return [[...found].filter((each) => there.has(each)).length, found.size, there.size];
}

const entityMetric = (
  name: string,
  value: (right: number, found: number, there: number) => number,
): Metric<EntityRow> => ({
  name,
  higherIsBetter: true,
  top: 1,
  statistics: counts,
  value: ([right, found, there]) => value(right!, found!, there!),
});

/** Over all entities of all rows together (seqeval's micro average). */
export const entityPrecision = entityMetric('entity precision', (right, found) => ratio(right, found));
export const entityRecall = entityMetric('entity recall', (right, _found, there) => ratio(right, there));
export const entityF1 = entityMetric('entity F1', (right, found, there) => f1(right, found - right, there - right));
