import type { MeasureName, TaskAnswer, TaskContext } from '../../sources/data/index.js';
import { accuracy, calibrationError, macroF1, worstClassF1, type ClassifiedRow } from './classification.js';
import { entityF1, entityPrecision, entityRecall, type EntityRow } from './entities.js';
import { measure, type Metric } from './metric.js';
import { exactMatch, refusalPrecision, refusalRecall, tokenF1, type AnsweredRow } from './question-answering.js';
import { bleu, chrf, type TranslatedRow } from './translation.js';

/** What a model gave to one row, beside what is right. */
export interface GivenAnswer {
  right: TaskAnswer;
  /** `text` as the row's task reads it; null when it is no answer of the task. */
  said: TaskAnswer | null;
  text: string;
  /** Of the label among all labels, 0..1; null where the answer was not chosen by label tokens. */
  probability: number | null;
}

/** How answers are measured. */
export interface TaskMeasure {
  /** The first one decides. */
  metrics: readonly [Metric<GivenAnswer>, ...Metric<GivenAnswer>[]];
  /** How right one answer is, 0..1. */
  score(answer: GivenAnswer): number;
}

/** The answer to a row with a label, as the metrics of labels take it. */
export const asLabelled = ({ right, said, probability }: GivenAnswer): ClassifiedRow => ({
  gold: right.kind === 'LABEL' ? right.label : '',
  predicted: said?.kind === 'LABEL' ? said.label : null,
  probability,
});

const asEntities = ({ right, said }: GivenAnswer): EntityRow => ({
  gold: right.kind === 'ENTITIES' ? right.entities : [],
  predicted: said?.kind === 'ENTITIES' ? said.entities : [],
});

const asTranslated = ({ right, text }: GivenAnswer): TranslatedRow => ({ reference: textOf(right), translation: text });

const asAnswered = ({ right, said }: GivenAnswer): AnsweredRow => ({
  gold: right.kind === 'TEXT' && !right.refused ? [right.text] : [],
  answer: textOf(said),
});

const asWords = ({ right, text }: GivenAnswer): AnsweredRow => ({ gold: [textOf(right)], answer: text });

const textOf = (answer: TaskAnswer | null): string => (answer?.kind === 'TEXT' ? answer.text : '');

/** Metrics of rows in one form, taken of answers that `read` brings into it. */
function measureOf<Row>(
  read: (answer: GivenAnswer) => Row,
  [first, ...rest]: readonly [Metric<Row>, ...Metric<Row>[]],
  score: (row: Row) => number,
): TaskMeasure {
  const liftMetric = (metric: Metric<Row>): Metric<GivenAnswer> => ({
    ...metric,
    statistics: (answer) => metric.statistics(read(answer)),
  });
  return { metrics: [liftMetric(first), ...rest.map(liftMetric)], score: (answer) => score(read(answer)) };
}

const MEASURES: Readonly<Record<MeasureName, (context: TaskContext, judged: readonly string[]) => TaskMeasure>> = {
  LABELS: ({ labels: { labels } }, classLabels) =>
    measureOf(
      asLabelled,
      [accuracy, macroF1(labels), ...(classLabels.length > 0 ? [worstClassF1(classLabels)] : []), calibrationError],
      (row) => measure(accuracy, [row]),
    ),
  ENTITIES: () =>
    measureOf(asEntities, [entityF1, entityPrecision, entityRecall], (row) =>
      row.gold.length + row.predicted.length === 0 ? 1 : measure(entityF1, [row]),
    ),
  TRANSLATIONS: () => measureOf(asTranslated, [chrf, bleu], (row) => measure(chrf, [row]) / 100),
  ANSWERS: () =>
    measureOf(asAnswered, [tokenF1, exactMatch, refusalPrecision, refusalRecall], (row) => measure(tokenF1, [row])),
  WORDS: () => measureOf(asWords, [tokenF1, exactMatch], (row) => measure(tokenF1, [row])),
};

/** The measure that a task names. @param classLabels labels with rows enough to be judged alone */
export const measureNamed = (
  name: MeasureName,
  context: TaskContext,
  classLabels: readonly string[] = [],
): TaskMeasure => MEASURES[name](context, classLabels);
