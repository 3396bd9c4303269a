/** An experiment as it is kept: its plan, which is fixed, what was counted, and how units are drawn into it. */
import { z } from 'zod';
import { choice, record, int, float, oneOf, string, boolean, date } from '../../../kernel/record.js';
import { storedJson, type ValueOf } from '../../../kernel/stored-json.js';
import type { Prisma } from '../../../platform/database/index.js';
import { MAX_ANSWER_TOKENS, StrategyValues } from '../../../answer/ask/index.js';
import { WordingChoice } from '../../../sources/registry/index.js';
import { bucketRanges, type Test } from '../assignment/index.js';
import { Better, type ExperimentPlan } from './conclude.js';
import { Adjustment, ExperimentMetricName, kindOf, titleOf } from './metrics.js';

export type ExperimentRow = Prisma.ExperimentGetPayload<object>;
export type ExperimentDecisionRow = Prisma.ExperimentDecisionGetPayload<object>;

/** How far an experiment is. */
export const ExperimentStatus = choice('ExperimentStatus', 'How far an experiment is.', {
  DRAFT: 'It is planned; nobody is drawn.',
  RUNNING: 'Questions are drawn into its arms.',
  PAUSED: 'Production answers everything; what is said late of its answers still counts.',
  ENDED: 'It came to a conclusion. It ships nothing.',
  STOPPED: 'It was given up: by a person, or because something that it needs is gone.',
});
export type ExperimentStatus = keyof typeof ExperimentStatus;

export const isLive = (status: string): boolean => status === 'RUNNING' || status === 'PAUSED';

/** What happened to an experiment. */
export const ExperimentAction = choice('ExperimentAction', 'What happened to an experiment.', {
  CREATE: 'It was planned.',
  START: 'Questions are drawn from then on.',
  PAUSE: 'A person paused it.',
  RESUME: 'A person let it go on.',
  BEGIN_TEST: 'Enough was known of units as they are; the arms differ from then on.',
  WIDEN: 'More of the questions take part.',
  STOP_ARM: 'An arm can’t answer any more; its units are answered as production.',
  WARN: 'Its figures can’t be trusted, or going on is futile.',
  FIND: 'Its figures say something that they didn’t before.',
  END: 'It came to a conclusion.',
  STOP: 'It was given up.',
});
export type ExperimentAction = keyof typeof ExperimentAction;

const generation = {
  maxTokens: int(`Most tokens of an answer, 1 to ${MAX_ANSWER_TOKENS}.`).optional(),
  temperature: float('Temperature: 0 (always the likeliest token) to 2.').optional(),
  seed: int('Seed, for temperatures above 0.').optional(),
};

const changes = {
  weight: float('Its share of the units that take part; all add up to 1, and are equal by default.'),
  strategy: oneOf(StrategyValues, 'The strategy.').nullable(),
  adapter: string('The adapter version: `name@3`.').nullable(),
  model: string('The model: `name` or `name@quantization`.').nullable(),
  denseWeight: float('Share of the dense score in what is retrieved, 0 to 1.').nullable(),
  /** Missing in experiments from before there was a choice. */
  wording: oneOf(WordingChoice, 'Whose words an answer from documents has.').nullable().optional(),
};

const arm = {
  name: string('Its name, 1 to 63 characters; `forceArm` takes it.'),
  ...changes,
  versionId: z.string().nullable(),
  variantId: z.string().nullable(),
  generation: record('ExperimentGeneration', 'How an arm generates; null is as the question has it.', generation)
    .nullable()
    .describe('How it generates.'),
};
const storedArm = z.object(arm);
export type ExperimentArm = z.infer<typeof storedArm>;

/** An arm as its caller says it. */
export const armRequest = record(
  'ExperimentArmInput',
  'How an arm answers. What is left out is as `ask` would have it.',
  {
    name: arm.name,
    ...z.object(changes).partial().shape,
    adapter: changes.adapter
      .optional()
      .describe(
        'The adapter version: `name@3`, or `name`, `name@candidate`, as they are when it is created. It must be attested.',
      ),
    generation: record('ExperimentGenerationInput', 'How generation is changed.', generation)
      .nullish()
      .describe('How it generates.'),
  },
);

/** An arm with what became of it. */
export const shownArm = record('ExperimentArm', 'An arm of an experiment; what is null is as `ask` would have it.', {
  ...arm,
  isControl: boolean('Whether the others are compared with it.'),
  stopped: string('Why it can’t answer any more; null while it can.').nullable(),
});

const metric = {
  name: oneOf(ExperimentMetricName, 'Which.').meta({ name: 'metric' }),
  beyond: float(
    'The limit in its unit above which an answer counts: the share of such answers is compared. Null: the metric as it is.',
  ).nullable(),
  better: oneOf(Better, 'Which way is better.'),
  margin: float('The largest difference that is none, in its unit.'),
  primary: boolean('Whether it decides.'),
};

/** A metric with how it is taken. */
export const shownMetric = record('ExperimentMeasure', 'A metric of an experiment.', {
  ...metric,
  isRate: boolean('Whether it is a share of answers, 0 to 1, and not a mean.'),
  adjustment: oneOf(Adjustment, 'How its mean or share is adjusted.'),
});

const settings = z.object({
  /** The first is the control. */
  arms: z.array(storedArm),
  /** Share of the questions that take part, above 0 to 1. */
  coverage: z.number(),
  metrics: z.array(z.object(metric)),
  alpha: z.number(),
  /** With which an effect of this size, in the primary metric’s unit, shall be seen; null: nobody said which would matter. */
  power: z.number(),
  effect: z.number().nullable(),
  /** Outcomes of the primary metric in all arms together at which it ends; null: none. */
  plannedSize: z.number().nullable(),
  /** Days of running after which it ends; null: none. */
  plannedDays: z.number().nullable(),
  /** Only requests that name a unit take part. */
  sticky: z.boolean(),
  /** Answers that are given as production before the arms differ, to know how each unit is: 0 for none. */
  beforeAnswers: z.number(),
});

/** The column `plan`: what was decided before it began, and never after, but for its coverage. */
export const storedSettings = storedJson(settings);
export type ExperimentSettings = ValueOf<typeof storedSettings>;

const sums = z.object({ n: z.number(), sum: z.number(), sumSquares: z.number() });
export type MetricSums = z.infer<typeof sums>;

const tally = z.object({
  all: sums,
  /** Of those that were known before, beside what was known of them. */
  known: z.object({
    ...sums.shape,
    covariateSum: z.number(),
    covariateSumSquares: z.number(),
    sumProducts: z.number(),
  }),
});
export type Tally = z.infer<typeof tally>;

const armTally = z.object({
  answers: z.number(),
  units: z.number(),
  metrics: z.record(z.string(), tally),
});
export type ArmTally = z.infer<typeof armTally>;

/** The column `state`: what has been counted, and what the next look goes on from. */
export const storedExperimentState = storedJson(
  z.object({
    /** The arms don’t differ yet. */
    before: z.boolean(),
    arms: z.record(z.string(), armTally),
    units: z.number(),
    unitless: z.number(),
    /** The most evidence so far that units don’t fall into arms as drawn. */
    sampleRatioPeak: z.number(),
    /** Arms that can’t answer any more, and why. */
    stopped: z.record(z.string(), z.string()),
    /** What was told already, so that it is told once. */
    told: z.array(z.string()),
    /** Answers at which the next point of the plot is taken. */
    nextPoint: z.number(),
  }),
);
export type ExperimentState = ValueOf<typeof storedExperimentState>;

const pointComparison = record('ExperimentPointComparison', 'A difference as it was known at a moment.', {
  arm: string('The arm.'),
  metric: oneOf(ExperimentMetricName, 'The metric.'),
  value: float('Arm less control.').nullable(),
  low: float('Lower end; null where it wasn’t known.').nullable(),
  high: float('Upper end; null where it wasn’t known.').nullable(),
});
export type PointComparison = z.infer<typeof pointComparison>;

/** The column `comparisons` of a point. */
export const storedPoint = storedJson(z.array(pointComparison));

export const comparisonPoint = record('ExperimentPoint', 'How the intervals were after so many answers.', {
  phase: int('The phase, from 0; each counts anew.'),
  answers: int('Answers that had been counted in the phase.'),
  createdAt: date('When.').meta({ name: 'at' }),
  comparisons: z.array(pointComparison).describe('Each arm by each metric.'),
});
export type ComparisonPoint = z.infer<typeof comparisonPoint>;

/** Whether an arm can't answer any more. Its name is a person's, and may be one that every object has. */
export const isStopped = ({ stopped }: Pick<ExperimentState, 'stopped'>, arm: string): boolean =>
  Object.hasOwn(stopped, arm);

/** The arms that can still answer. */
export const activeArms = (
  { arms }: Pick<ExperimentSettings, 'arms'>,
  state: Pick<ExperimentState, 'stopped'>,
): ExperimentArm[] => arms.filter(({ name }) => !isStopped(state, name));

/** The plan as `conclude` takes it: of the arms that can still answer. */
export const planOf = (
  plan: ExperimentSettings,
  state: Pick<ExperimentState, 'stopped'>,
  final: boolean,
): ExperimentPlan => ({
  arms: activeArms(plan, state).map(({ name }) => name),
  control: 0,
  alpha: plan.alpha,
  ends: plan.plannedSize !== null || plan.plannedDays !== null,
  final,
  metrics: plan.metrics.map((metric) => ({ ...metric, title: titleOf(metric), kind: kindOf(metric) })),
});

export const primaryOf = ({ metrics }: ExperimentSettings): ExperimentSettings['metrics'][number] =>
  metrics.find(({ primary }) => primary)!;

/** The experiment as units are drawn into it. An arm that was stopped keeps its range, so that nobody changes arms: its units are answered as production. */
export function testOf(
  id: string,
  { arms, coverage }: Pick<ExperimentSettings, 'arms' | 'coverage'>,
  state: Pick<ExperimentState, 'stopped'>,
): Test & { indices: number[] } {
  const weights = arms.map(({ weight }) => weight);
  const ranges = bucketRanges(arms.length, coverage, weights);
  const indices = arms.flatMap(({ name }, index) => (isStopped(state, name) ? [] : [index]));
  return {
    key: id,
    indices,
    arms: indices.map((index) => arms[index]!.name),
    ranges: indices.map((index) => ranges[index]!),
  };
}
