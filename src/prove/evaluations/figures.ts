import { z } from 'zod';
import { hasLabel, readAnswer, rightAnswer, taskOf, type TaskContext, type TaskRow } from '../../sources/data/index.js';
import { riskCurveOf, type RiskCurve } from '../../kernel/risk.js';
import { record, int, string, boolean, float, list } from '../../kernel/record.js';
import { storedJson } from '../../kernel/stored-json.js';
import {
  calibrationBins,
  calibrationError,
  confusions,
  cutConfusions,
  judgedLabels,
  LEAST_CLASS_ROWS,
  perClass,
  type ClassifiedRow,
} from '../metrics/classification.js';
import { asLabelled, measureNamed, type GivenAnswer, type TaskMeasure } from '../metrics/measures.js';
import { measure, type Metric } from '../metrics/metric.js';
import { foreignFigures } from '../membership/foreign-figures.js';
import { nearestRows, regression, type WithoutModel } from '../regression/without-model.js';
import { retention } from '../retention/retention.js';
import { estimate, pairedCounts, pairedDifference } from '../bootstrap.js';
import { intervalFields, metricDifference } from '../../kernel/interval.js';

/** A row's answer as the model gave it. */
export type Answered = Pick<GivenAnswer, 'text' | 'probability'>;

const pairedRows = record('PairedRows', 'Rows that one of two answerers alone has right.', {
  gained: int('This one.'),
  lost: int('The comparison.'),
});

const metricFigure = record('EvaluationMetric', 'A metric of all rows with its interval.', {
  name: string('E.g. `accuracy`, `macro-F1`, `entity F1`, `chrF`, `token F1`.'),
  higherIsBetter: boolean('Whether a larger value is a better one.'),
  ...intervalFields(
    'Its value: 0 to 1, BLEU and chrF 0 to 100.',
    'Lower end of the interval that holds the true value in 95 of 100 cases.',
    'Upper end of that interval.',
  ),
  difference: metricDifference
    .nullable()
    .describe('Against the comparison; null when there is none, or it gave nothing to compare.'),
  pairs: pairedRows
    .nullable()
    .default(null)
    .describe('Rows that one of both alone has right, where the metric is a share of the rows; else null.'),
});
export type MetricFigure = z.infer<typeof metricFigure>;

const classFigures = record('ClassFigures', 'How well one label is told.', {
  label: string('The label.'),
  support: int(`Rows that have it; fewer than ${LEAST_CLASS_ROWS} are shown and not judged.`),
  gained: int('Of those, what this alone has right; null without a comparison.').nullable().default(null),
  lost: int('Of those, what the comparison alone has right; null without one.').nullable().default(null),
  precision: float('Share of the rows given this label that have it, 0 to 1.'),
  recall: float('Share of the rows with this label that were given it, 0 to 1.'),
  f1: float('Harmonic mean of both, 0 to 1.'),
});

const confusionCell = record('ConfusionCell', 'A cell of the confusion matrix that is not 0.', {
  gold: string('The label that the rows have.'),
  predicted: string('The label that they were given; null: none of the set.').nullable(),
  count: int('Number of rows.'),
});

const confusionRest = record('ConfusionRest', 'Rows in cells of the confusion matrix that are not kept.', {
  predicted: string('The label that they were given; null: none of the set.').nullable(),
  count: int('Number of rows.'),
  right: int('How many of them have that label.'),
});

const calibrationBin = record(
  'CalibrationBin',
  'A bar of the reliability diagram: answers of like probability, and how many of them are right.',
  {
    from: float('Probabilities above this, 0 to 1.'),
    to: float('Up to and including this, 0 to 1.'),
    rows: int('Number of rows.'),
    meanProbability: float('Mean of their probabilities, 0 to 1.'),
    accuracy: float('Share that is right, 0 to 1.'),
  },
);

const asBefore = record(
  'FiguresAsBefore',
  'The deciding metric on the test rows as they were when the comparison learned, where some have another answer now.',
  {
    rows: int('Rows that were for testing then, too.'),
    changed: int('How many of them have another answer now.'),
    metric: metricFigure.describe('By the answers that they had then.'),
  },
);
export type FiguresAsBefore = z.infer<typeof asBefore>;

/** What an evaluation found; the first metric is the one that decides. */
export const figures = z.object({
  metrics: list(metricFigure, 'The metrics of the task; the first decides.').min(1),
  classes: list(classFigures, 'Each label’s figures, the worst first; empty unless rows have labels.'),
  confusions: list(confusionCell, 'Cells of the confusion matrix, the fullest first; at most 2,000.'),
  confusionsRest: list(
    confusionRest,
    'Rows in further cells, by the label that they were given; empty where there are none, and in evaluations of before that was kept.',
  ).default([]),
  calibration: list(calibrationBin, 'Bars of the reliability diagram; empty without probabilities.'),
  asBefore: asBefore
    .nullable()
    .default(null)
    .describe('The same by the answers that rows had before; null where none has changed.'),
  retention: retention
    .nullable()
    .default(null)
    .describe('What the adapter has forgotten; null when that was not measured.'),
  regression: regression
    .nullable()
    .default(null)
    .describe('What a regression without a language model makes of the same rows; null when it was not asked.'),
  nearestRows: nearestRows
    .nullable()
    .default(null)
    .describe('What the nearest labelled rows make of the same rows; null when they were not asked.'),
  foreign: foreignFigures
    .nullable()
    .default(null)
    .describe('Whether the adapter knows messages that are not its own; null when that was not learned.'),
});
export type EvaluationFigures = z.infer<typeof figures>;
/** The column `figures` of an evaluation. */
export const storedFigures = storedJson(figures);

/** Cells of a confusion matrix that are kept, the fullest first: all of a matrix of 100 labels that errs widely. */
const MOST_CELLS = 2_000;

/** What a model gave to a row, in the form that measures take. */
const given = (row: TaskRow, { text, probability }: Answered, context: TaskContext): GivenAnswer => ({
  right: rightAnswer(row),
  said: readAnswer(text, row, context),
  text,
  probability,
});

const measureFor = ({ task }: TaskRow, context: TaskContext, classLabels: readonly string[] = []): TaskMeasure =>
  measureNamed(taskOf(task).measure, context, classLabels);

/** How right the answer to one row is, 0..1: equal labels, F1 of entities or words, chrF. */
export const scoreRow = (row: TaskRow, answer: Answered, context: TaskContext): number =>
  measureFor(row, context).score(given(row, answer, context));

/** Half of the words, or the label: below that an answer counts as wrong. */
const RIGHT = 0.5;

/** How often answers that said how sure they are were wrong; a refusal is no answer. Empty where none said it. */
export const riskOf = (rows: readonly TaskRow[], answers: readonly Answered[], context: TaskContext): RiskCurve =>
  riskCurveOf(
    answers.flatMap((answer, i) => {
      const parsedAnswer = readAnswer(answer.text, rows[i]!, context);
      if (answer.probability === null || (parsedAnswer?.kind === 'TEXT' && parsedAnswer.refused)) return [];
      return [{ confidence: answer.probability, right: scoreRow(rows[i]!, answer, context) >= RIGHT }];
    }),
  );

/** The metric of a task that decides, with what one row adds to its sums. */
export function decidingStatistics(
  row: TaskRow,
  answer: Answered,
  context: TaskContext,
): { metric: Omit<Metric<never>, 'statistics'>; statistics: readonly number[]; score: number } {
  const { metrics, score } = measureFor(row, context);
  const read = given(row, answer, context);
  return { metric: metrics[0], statistics: metrics[0].statistics(read), score: score(read) };
}

/** All figures with their intervals. @param baselineAnswers answers of another to the same rows, null when it is compared with nobody */
export function measureAnswers(
  rows: readonly TaskRow[],
  answers: readonly Answered[],
  baselineAnswers: readonly Answered[] | null,
  context: TaskContext,
): Omit<EvaluationFigures, 'asBefore' | 'retention' | 'foreign' | keyof WithoutModel> {
  const read = (rawAnswers: readonly Answered[]): GivenAnswer[] =>
    rawAnswers.map((answer, i) => given(rows[i]!, answer, context));
  const [parsedAnswers, parsedBaseline] = [read(answers), baselineAnswers && read(baselineAnswers)];
  const labelled = hasLabel(rows[0]!.task) ? parsedAnswers.map(asLabelled) : [];
  const { metrics } = measureFor(rows[0]!, context, judgedLabels(labelled));
  return {
    metrics: metrics
      .filter(({ name }) => name !== calibrationError.name || saysHowSure(parsedAnswers))
      .map((metric) =>
        figureOf(
          metric,
          parsedBaseline && (metric.name !== calibrationError.name || saysHowSure(parsedBaseline))
            ? parsedBaseline
            : null,
          parsedAnswers,
        ),
      ),
    classes: perClass(
      context.labels.labels,
      labelled,
      parsedBaseline && labelled.length > 0 ? parsedBaseline.map(asLabelled) : null,
    ),
    ...cutConfusions(confusions(labelled), MOST_CELLS),
    calibration: calibrationBins(labelled),
  };
}

/** Whether probabilities can be held against what is right: of a model that never gives one, or never answers, nothing can be said. */
const saysHowSure = (answers: readonly GivenAnswer[]): boolean =>
  answers.every(({ probability }) => probability !== null) && answers.some(({ said }) => said !== null);

/** The metric of the task that decides, of all rows, without an interval. */
export function decidingMetric(
  rows: readonly TaskRow[],
  answers: readonly Answered[],
  context: TaskContext,
): { name: string; value: number; higherIsBetter: boolean } {
  const [metric] = measureFor(rows[0]!, context).metrics;
  const read = answers.map((answer, i) => given(rows[i]!, answer, context));
  return { name: metric.name, value: measure(metric, read), higherIsBetter: metric.higherIsBetter };
}

/** Rows with a label and their answers, as the metrics of labels take them. */
export const labelledRows = (
  rows: readonly TaskRow[],
  answers: readonly Answered[],
  context: TaskContext,
): ClassifiedRow[] => answers.map((answer, i) => asLabelled(given(rows[i]!, answer, context)));

function figureOf(
  metric: Metric<GivenAnswer>,
  baselineAnswers: readonly GivenAnswer[] | null,
  answers: readonly GivenAnswer[],
): MetricFigure {
  const { value, low, high } = estimate(metric, answers);
  const paired = baselineAnswers && pairedDifference(metric, baselineAnswers, answers);
  const statistics = (givenAnswers: readonly GivenAnswer[]) => givenAnswers.map((answer) => metric.statistics(answer));
  const counts = baselineAnswers && pairedCounts(metric, statistics(baselineAnswers), statistics(answers));
  return {
    name: metric.name,
    higherIsBetter: metric.higherIsBetter,
    value,
    low,
    high,
    difference: paired && { value: paired.value, low: paired.low, high: paired.high, p: paired.p },
    pairs: counts && { gained: counts.gained, lost: counts.lost },
  };
}

/** The metric that decides, larger is better whichever way it counts; of a finished evaluation. */
export function decidingValue({ figures: json }: { figures: unknown }): number {
  const [{ value, higherIsBetter }] = storedFigures.decode(json).metrics as [MetricFigure];
  return higherIsBetter ? value : -value;
}
