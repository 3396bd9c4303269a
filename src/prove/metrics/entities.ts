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

/** `[predicted and right, predicted, gold]`: an entity is right when type, start and end are (CoNLL's rule, which seqeval follows). */
function counts({ gold, predicted }: EntityRow): number[] {
  const goldKeys = new Set(gold.map(key));
  const predictedKeys = new Set(predicted.map(key));
  return [[...predictedKeys].filter((entityKey) => goldKeys.has(entityKey)).length, predictedKeys.size, goldKeys.size];
}

const entityMetric = (
  name: string,
  value: (right: number, found: number, there: number) => number,
): Metric<EntityRow> => ({
  name,
  higherIsBetter: true,
  top: 1,
  statistics: counts,
  value: ([right, predictedCount, goldCount]) => value(right!, predictedCount!, goldCount!),
});

/** Over all entities of all rows together (seqeval's micro average). */
export const entityPrecision = entityMetric('entity precision', (right, predictedCount) =>
  ratio(right, predictedCount),
);
export const entityRecall = entityMetric('entity recall', (right, _found, goldCount) => ratio(right, goldCount));
export const entityF1 = entityMetric('entity F1', (right, predictedCount, goldCount) =>
  f1(right, predictedCount - right, goldCount - right),
);
