import { z } from 'zod';
import { hasLabel, readAnswer, rightAnswer, taskOf, type TaskContext, type TaskRow } from '../../data/index.js';
import { riskCurveOf, type RiskCurve } from '../../kernel/risk.js';
import { storedJson } from '../../kernel/stored-json.js';
import {
  calibrationBins,
  calibrationError,
  confusions,
  perClass,
  type LabelledRow,
} from '../metrics/classification.js';
import { asLabelled, measureNamed, type GivenAnswer, type Measure } from '../metrics/measures.js';
import { measure, type Metric } from '../metrics/metric.js';
import { regression } from '../regression/regression.js';
import { retention } from '../retention/retention.js';
import { estimate, pairedDifference } from '../statistics/bootstrap.js';

/** A row's answer as the model gave it. */
export type Answered = Pick<GivenAnswer, 'text' | 'probability'>;

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

/** What a model gave to a row, in the form that measures take. */
const given = (row: TaskRow, { text, probability }: Answered, context: TaskContext): GivenAnswer => ({
  right: rightAnswer(row),
  said: readAnswer(text, row, context),
  text,
  probability,
});

const measureFor = ({ task }: TaskRow, context: TaskContext): Measure => measureNamed(taskOf(task).measure, context);

/** How right the answer to one row is, 0..1: equal labels, F1 of entities or words, chrF. */
export const scoreRow = (row: TaskRow, answer: Answered, context: TaskContext): number =>
  measureFor(row, context).score(given(row, answer, context));

/** Half of the words, or the label: below that an answer counts as wrong. */
const RIGHT = 0.5;

/** How often answers that said how sure they are were wrong; a refusal is no answer. Empty where none said it. */
export const riskOf = (rows: readonly TaskRow[], answers: readonly Answered[], context: TaskContext): RiskCurve =>
  riskCurveOf(
    answers.flatMap((answer, i) => {
      const said = readAnswer(answer.text, rows[i]!, context);
      if (answer.probability === null || (said?.kind === 'TEXT' && said.refused)) return [];
      return [{ confidence: answer.probability, right: scoreRow(rows[i]!, answer, context) >= RIGHT }];
    }),
  );

/** The metric of a task that decides, with what one row adds to its sums. */
export function decidingStatistics(
  row: TaskRow,
  answer: Answered,
  context: TaskContext,
): { metric: Pick<Metric<never>, 'name' | 'higherIsBetter' | 'value'>; statistics: readonly number[]; score: number } {
  const { metrics, score } = measureFor(row, context);
  const read = given(row, answer, context);
  return { metric: metrics[0], statistics: metrics[0].statistics(read), score: score(read) };
}

/** All figures with their intervals. @param against answers of another to the same rows, null when it is compared with nobody */
export function measureAnswers(
  rows: readonly TaskRow[],
  answers: readonly Answered[],
  against: readonly Answered[] | null,
  context: TaskContext,
): Omit<Figures, 'retention' | 'regression'> {
  const read = (all: readonly Answered[]): GivenAnswer[] => all.map((answer, i) => given(rows[i]!, answer, context));
  const [after, before] = [read(answers), against && read(against)];
  const labelled = hasLabel(rows[0]!.task) ? after.map(asLabelled) : [];
  const metrics = measureFor(rows[0]!, context).metrics.map((metric) => figureOf(metric, before, after));
  const calibrated = answers.every(({ probability }) => probability !== null);
  return {
    metrics: metrics.filter(({ name }) => calibrated || name !== calibrationError.name),
    classes: perClass(context.labels.labels, labelled),
    confusions: confusions(labelled).slice(0, MOST_CELLS),
    calibration: calibrationBins(labelled),
  };
}

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
): LabelledRow[] => answers.map((answer, i) => asLabelled(given(rows[i]!, answer, context)));

function figureOf(
  metric: Metric<GivenAnswer>,
  before: readonly GivenAnswer[] | null,
  after: readonly GivenAnswer[],
): MetricFigure {
  const { value, low, high } = estimate(metric, after);
  const paired = before && pairedDifference(metric, before, after);
  return {
    name: metric.name,
    higherIsBetter: metric.higherIsBetter,
    value,
    low,
    high,
    difference: paired && { value: paired.value, low: paired.low, high: paired.high, p: paired.p },
  };
}

/** The metric that decides, larger is better whichever way it counts; of a finished evaluation. */
export function decidingValue({ figures: kept }: { figures: unknown }): number {
  const [{ value, higherIsBetter }] = storedFigures.decode(kept).metrics as [MetricFigure];
  return higherIsBetter ? value : -value;
}
