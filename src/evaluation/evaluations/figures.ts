import { z } from 'zod';
import { readAnswer, renderExample, NO_AIDS, type TaskContext, type TaskRow } from '../../data/index.js';
import { storedJson } from '../../kernel/stored-json.js';
import {
  accuracy,
  calibrationBins,
  calibrationError,
  confusions,
  macroF1,
  perClass,
  worstClassF1,
  type LabelledRow,
} from '../metrics/classification.js';
import { entityF1, entityPrecision, entityRecall, type EntityRow } from '../metrics/entities.js';
import { measure, type Metric } from '../metrics/metric.js';
import {
  exactMatch,
  refusalPrecision,
  refusalRecall,
  tokenF1,
  type AnsweredRow,
} from '../metrics/question-answering.js';
import { bleu, chrf, type TranslatedRow } from '../metrics/translation.js';
import { regression } from '../regression/regression.js';
import { retention } from '../retention/retention.js';
import { estimate, pairedDifference } from '../statistics/bootstrap.js';

/** A row's answer as the model gave it. */
export interface Answered {
  text: string;
  /** Of the label among all labels, 0..1; null where the answer was not chosen by label tokens. */
  probability: number | null;
}

const interval = { value: z.number(), low: z.number(), high: z.number() };
const metricFigure = z.object({
  name: z.string(),
  higherIsBetter: z.boolean(),
  ...interval,
  difference: z.object({ ...interval, p: z.number() }).nullable(),
});
export type MetricFigure = z.infer<typeof metricFigure>;

/** What an evaluation found; the first metric is the one that decides. */
const figures = z.object({
  metrics: z.array(metricFigure).min(1),
  classes: z.array(
    z.object({ label: z.string(), support: z.number(), precision: z.number(), recall: z.number(), f1: z.number() }),
  ),
  confusions: z.array(z.object({ gold: z.string(), predicted: z.string().nullable(), count: z.number() })),
  calibration: z.array(
    z.object({
      from: z.number(),
      to: z.number(),
      rows: z.number(),
      meanProbability: z.number(),
      accuracy: z.number(),
    }),
  ),
  /** What the adapter leaves of the base model; null where it was not measured. */
  retention: retention.nullable().default(null),
  /** What a regression on the embedder's vectors makes of the same rows; null where it was not asked. */
  regression: regression.nullable().default(null),
});
export type Figures = z.infer<typeof figures>;
/** The column `figures` of an evaluation. */
export const storedFigures = storedJson(figures);

/** Cells of a confusion matrix that are kept, the fullest first: all of a matrix of 100 labels that errs widely. */
const MOST_CELLS = 2_000;

/** How one kind of task is measured. Methods, so that measures of all kinds can stand in one list, each given rows of its own. */
interface Measured<Row> {
  metrics: readonly Metric<Row>[];
  /** How right one row is, 0..1. */
  score(row: Row): number;
  /** A row with its answer, in the form that the metrics take. */
  read(row: TaskRow, answer: Answered, context: TaskContext): Row;
}

const classification = (context: TaskContext): Measured<LabelledRow> => ({
  metrics: [accuracy, macroF1(context.labels.labels), worstClassF1(context.labels.labels), calibrationError],
  score: (row) => measure(accuracy, [row]),
  read(row, { text, probability }) {
    const said = readAnswer(text, row, context);
    return {
      gold: row.task === 'CLASSIFICATION' ? row.label : '',
      predicted: said?.kind === 'LABEL' ? said.label : null,
      probability,
    };
  },
});

const extraction: Measured<EntityRow> = {
  metrics: [entityF1, entityPrecision, entityRecall],
  score: (row) => (row.gold.length + row.predicted.length === 0 ? 1 : measure(entityF1, [row])),
  read(row, { text }, context) {
    const said = readAnswer(text, row, context);
    return {
      gold: row.task === 'EXTRACTION' ? row.entities : [],
      predicted: said?.kind === 'ENTITIES' ? said.entities : [],
    };
  },
};

const translation: Measured<TranslatedRow> = {
  metrics: [chrf, bleu],
  score: (row) => measure(chrf, [row]) / 100,
  read: (row, { text }) => ({ reference: row.task === 'TRANSLATION' ? row.target : '', translation: text }),
};

const questionAnswering: Measured<AnsweredRow> = {
  metrics: [tokenF1, exactMatch, refusalPrecision, refusalRecall],
  score: (row) => measure(tokenF1, [row]),
  read(row, { text }, context) {
    const said = readAnswer(text, row, context);
    const right = row.task === 'QUESTION_ANSWERING' ? readAnswer(row.answer, row, context) : null;
    const gold = right?.kind === 'TEXT' && !right.refused ? [right.text] : [];
    return { gold, answer: said?.kind === 'TEXT' ? said.text : '' };
  },
};

const instruction: Measured<AnsweredRow> = {
  metrics: [tokenF1, exactMatch],
  score: (row) => measure(tokenF1, [row]),
  read: (row, { text }, context) => ({ gold: [renderExample(row, context, NO_AIDS).answer], answer: text }),
};

/** Calls `use` with the measure of a task: each row that it reads is of the kind that its metrics take. */
function withMeasure<T>(task: TaskRow['task'], context: TaskContext, use: <Row>(measured: Measured<Row>) => T): T {
  switch (task) {
    case 'CLASSIFICATION':
      return use(classification(context));
    case 'EXTRACTION':
      return use(extraction);
    case 'TRANSLATION':
      return use(translation);
    case 'QUESTION_ANSWERING':
      return use(questionAnswering);
    case 'INSTRUCTION':
      return use(instruction);
  }
}

/** How right the answer to one row is, 0..1: equal labels, F1 of entities or words, chrF. */
export const scoreRow = (row: TaskRow, answer: Answered, context: TaskContext): number =>
  withMeasure(row.task, context, ({ read, score }) => score(read(row, answer, context)));

/** The metric of a task that decides, with what one row adds to its sums. */
export const decidingStatistics = (
  row: TaskRow,
  answer: Answered,
  context: TaskContext,
): { metric: Pick<Metric<never>, 'name' | 'higherIsBetter' | 'value'>; statistics: readonly number[]; score: number } =>
  withMeasure(row.task, context, ({ metrics, read, score }) => {
    const [metric] = metrics as readonly [(typeof metrics)[number]];
    const asRead = read(row, answer, context);
    return { metric, statistics: metric.statistics(asRead), score: score(asRead) };
  });

/** All figures with their intervals. @param against answers of another to the same rows, null when it is compared with nobody */
export function measureAnswers(
  rows: readonly TaskRow[],
  answers: readonly Answered[],
  against: readonly Answered[] | null,
  context: TaskContext,
): Omit<Figures, 'retention' | 'regression'> {
  const { task } = rows[0]!;
  const read = <Row>(measured: Measured<Row>, all: readonly Answered[]): Row[] =>
    all.map((answer, i) => measured.read(rows[i]!, answer, context));
  const labelled = task === 'CLASSIFICATION' ? labelledRows(rows, answers, context) : [];
  const metrics = withMeasure(task, context, (measured) => {
    const [after, before] = [read(measured, answers), against && read(measured, against)];
    return measured.metrics.map((metric) => figureOf(metric, before, after));
  });
  const calibrated = answers.every(({ probability }) => probability !== null);
  return {
    metrics: metrics.filter(({ name }) => calibrated || name !== calibrationError.name),
    classes: perClass(context.labels.labels, labelled),
    confusions: confusions(labelled).slice(0, MOST_CELLS),
    calibration: calibrationBins(labelled),
  };
}

/** The metric of the task that decides, of all rows, without an interval. */
export const decidingMetric = (
  rows: readonly TaskRow[],
  answers: readonly Answered[],
  context: TaskContext,
): { name: string; value: number; higherIsBetter: boolean } =>
  withMeasure(rows[0]!.task, context, ({ metrics, read }) => {
    const metric = metrics[0]!;
    const value = measure(
      metric,
      answers.map((answer, i) => read(rows[i]!, answer, context)),
    );
    return { name: metric.name, value, higherIsBetter: metric.higherIsBetter };
  });

/** Rows of a classification with their answers, as its metrics take them. */
export const labelledRows = (
  rows: readonly TaskRow[],
  answers: readonly Answered[],
  context: TaskContext,
): LabelledRow[] => answers.map((answer, i) => classification(context).read(rows[i]!, answer, context));

function figureOf<Row>(metric: Metric<Row>, before: readonly Row[] | null, after: readonly Row[]): MetricFigure {
  const { value, low, high } = estimate(metric, after);
  const paired = before && pairedDifference(metric, before, after);
  return {
    ...{ name: metric.name, higherIsBetter: metric.higherIsBetter, value, low, high },
    difference: paired && { value: paired.value, low: paired.low, high: paired.high, p: paired.p },
  };
}
