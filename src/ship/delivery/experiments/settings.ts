import { z } from 'zod';
import { badInput } from '../../../kernel/errors.js';
import { record, oneOf, float, boolean, int, string } from '../../../kernel/record.js';
import { checkedText } from '../../../kernel/text.js';
import { MAX_ANSWER_TOKENS, STRATEGIES, strategiesThat } from '../../../answer/ask/index.js';
import { weightsAddUp } from '../assignment/index.js';
import { checkedCount, checkedNumber, checkedShare, requestedOnce } from '../request.js';
import { armRequest, type ExperimentArm, type ExperimentSettings } from './experiment.js';
import { ExperimentMetricName, kindOf, METRICS } from './metrics.js';

export const MOST_ARMS = 6;
const MOST_METRICS = Object.keys(METRICS).length;
const MAX_NAME = 63;
export const MOST_ANSWERS = 10_000_000;
const MOST_DAYS = 366;
export const DEFAULT_ALPHA = 0.05;
export const DEFAULT_POWER = 0.8;

/** The margin of a metric that `beyond` makes a share. */
const SHARE_MARGIN = 0.05;

const metricRequest = record('ExperimentMetricInput', 'What is compared, and how much matters.', {
  metric: oneOf(ExperimentMetricName, 'Which.'),
  margin: float(
    `The largest difference that is none, in the metric’s unit (of a rate .02 = two points); by default ${Object.values(
      METRICS,
    )
      .flatMap(({ name, margin }) => (margin > 0 ? [`${margin} for ${name}`] : []))
      .join(', ')}, ${SHARE_MARGIN} with \`beyond\`, and 0 for means: then no difference can be shown to be none.`,
  ).nullish(),
  beyond: float(
    'A limit in the metric’s unit: the share of answers above it is compared instead of the mean. LATENCY beyond 2000 counts answers that take longer than two seconds. Not for metrics that are shares already.',
  ).nullish(),
  primary: boolean(
    'Whether it decides; exactly one does. True by default where there is one metric, else false.',
  ).nullish(),
});

/** What few callers say of an experiment. */
const advanced = record('ExperimentOptionsInput', 'What most experiments leave as it is.', {
  alpha: float(
    `Probability with which a difference is found where there is none, of all arms by the primary metric together: however often it is looked at while it runs, the planned end included, which has four fifths of it. Above 0, below 1; ${DEFAULT_ALPHA} by default.`,
  ).nullish(),
  power: float(
    `Probability with which \`effect\` shall be seen, above 0, below 1; for planning and futility; ${DEFAULT_POWER} by default.`,
  ).nullish(),
  beforeAnswers: int(
    `Answers that are given as production before the arms differ, 0 to ${MOST_ANSWERS}, so that means and shares are adjusted by how each unit was (CUPED); only with \`sticky\`; 0 by default.`,
  ).nullish(),
});

const settingsRequest = {
  arms: z
    .array(armRequest)
    .max(MOST_ARMS)
    .describe(`2 to ${MOST_ARMS} arms; the first is the control, with which the others are compared.`),
  metrics: z.array(metricRequest).max(MOST_METRICS).describe(`1 to ${MOST_METRICS} metrics, one of which is primary.`),
  coverage: float(
    'Share of the questions that take part, above 0 to 1; the rest is answered as production. 1 by default.',
  ).nullish(),
  effect: float(
    'The difference that would matter, in the primary metric’s unit, above 0; by default its margin.',
  ).nullish(),
  plannedSize: int(
    `Outcomes of the primary metric in all arms together after which it ends, 1 to ${MOST_ANSWERS}; see planExperiment. By default it has no planned size.`,
  ).nullish(),
  plannedDays: float(
    `Days of running after which it ends, above 0 to ${MOST_DAYS}; by default none. Without a planned end it is read by sequences until somebody ends it.`,
  ).nullish(),
  sticky: boolean(
    'Whether only questions that name a `unit` take part, so that whoever comes back gets the same arm; a question without one is a unit of its own, which such an experiment can’t use. False by default.',
  ).nullish(),
};

export const experimentRequest = record(
  'CreateExperimentInput',
  'An experiment as it is planned. Nobody is drawn until it is started.',
  {
    name: string('What it is called, 1 to 100 characters.'),
    adapter: string(
      'The adapter whose production’s questions are drawn, whether they name it or the router gives them to it; by default the questions that leave everything to Graft (AUTO).',
    ).nullish(),
    ...settingsRequest,
    advanced: advanced.nullish().describe('What most experiments leave as it is.'),
    ...requestedOnce,
  },
);

type ArmRequest = z.infer<typeof armRequest>;
export type ExperimentSettingsRequest = z.infer<z.ZodObject<typeof settingsRequest>> & z.infer<typeof advanced>;

/**
 * The plan, of which arms are not looked up yet.
 * @param adapter whose questions are drawn; null: those that leave the choice to Graft
 * @throws BAD_USER_INPUT
 */
export function settingsOf(request: ExperimentSettingsRequest, adapter: string | null): ExperimentSettings {
  const sticky = request.sticky ?? false;
  const beforeAnswers = request.beforeAnswers ?? 0;
  checkedCount(beforeAnswers, 'input.advanced.beforeAnswers', 0, MOST_ANSWERS);
  if (beforeAnswers > 0 && !sticky)
    throw badInput(
      'input.advanced.beforeAnswers',
      'Only units that come back can be known before.',
      'Set sticky: true, and let requests name their unit.',
    );
  const plannedSize = request.plannedSize ?? null;
  if (plannedSize !== null) checkedCount(plannedSize, 'input.plannedSize', 1, MOST_ANSWERS);
  const plannedDays = request.plannedDays ?? null;
  if (plannedDays !== null)
    checkedNumber(
      plannedDays,
      'input.plannedDays',
      plannedDays > 0 && plannedDays <= MOST_DAYS,
      `above 0 and at most ${MOST_DAYS}`,
    );
  const effect = request.effect ?? null;
  if (effect !== null) checkedNumber(effect, 'input.effect', effect > 0 && Number.isFinite(effect), 'above 0');
  return {
    arms: armsOf(request.arms, adapter),
    coverage: checkedShare(request.coverage ?? 1, 'input.coverage'),
    metrics: metricsOf(request.metrics),
    alpha: probability('alpha', request.alpha ?? DEFAULT_ALPHA),
    power: probability('power', request.power ?? DEFAULT_POWER),
    effect,
    plannedSize,
    plannedDays,
    sticky,
    beforeAnswers,
  };
}

const probability = (name: string, value: number): number =>
  checkedNumber(value, `input.advanced.${name}`, value > 0 && value < 1, 'above 0 and below 1');

function armsOf(wishes: readonly ArmRequest[], adapter: string | null): ExperimentArm[] {
  if (wishes.length < 2 || wishes.length > MOST_ARMS)
    throw badInput('input.arms', `arms must have 2 to ${MOST_ARMS} entries, not ${wishes.length}.`);
  const weightCount = wishes.filter(({ weight }) => weight !== null && weight !== undefined).length;
  if (weightCount > 0 && weightCount < wishes.length)
    throw badInput('input.arms', 'Some arms have a weight and some have none.', 'Give each a weight, or none.');
  const weights = weightCount === 0 ? wishes.map(() => 1 / wishes.length) : wishes.map(({ weight }) => weight!);
  if (!weightsAddUp(weights) || weights.some((weight) => !(weight > 0))) {
    const sum = weights.reduce((a, b) => a + b, 0);
    throw badInput(
      'input.arms',
      `The arms’ weights must each be above 0 and add up to 1; they add up to ${Number(sum.toFixed(4))}.`,
      `Divide each by ${Number(sum.toFixed(4))}, or leave them out: then all are equal. A smaller share of the traffic is \`coverage\`.`,
    );
  }
  const arms = wishes.map((request, i) => armOf(request, weights[i]!, `input.arms[${i}]`, adapter));
  arms.forEach(({ name }, i) => {
    if (arms.findIndex((arm) => arm.name === name) !== i)
      throw badInput(`input.arms[${i}].name`, `Two arms are called ${JSON.stringify(name)}.`);
  });
  return arms;
}

const ADAPTING = strategiesThat(({ adapts }) => adapts).join(' or ');

function armOf(request: ArmRequest, weight: number, field: string, experimentAdapter: string | null): ExperimentArm {
  const { strategy = null, adapter = null, model = null, denseWeight = null, wording = null } = request;
  const name = checkedText(request.name, `${field}.name`, MAX_NAME);
  const adapts = strategy !== null && STRATEGIES[strategy].adapts;
  if (adapts && adapter === null && experimentAdapter === null)
    throw badInput(`${field}.adapter`, `${strategy} needs an adapter.`, 'Name one, such as "routing@3".');
  if (adapter !== null && strategy !== null && !adapts)
    throw badInput(`${field}.adapter`, `${strategy} uses no adapter.`, `Leave it out, or take ${ADAPTING}.`);
  if (adapter !== null && strategy === null && experimentAdapter === null)
    throw badInput(
      `${field}.strategy`,
      'Where Graft chooses, an arm with an adapter says how it answers.',
      `Take ${ADAPTING}.`,
    );
  if (denseWeight !== null)
    checkedNumber(denseWeight, `${field}.denseWeight`, denseWeight >= 0 && denseWeight <= 1, '0 to 1');
  return {
    name,
    weight,
    strategy,
    adapter,
    versionId: null,
    model,
    variantId: null,
    denseWeight,
    wording,
    generation: generationOf(request.generation ?? null, `${field}.generation`),
  };
}

function generationOf(request: (ArmRequest['generation'] & object) | null, field: string): ExperimentArm['generation'] {
  if (request === null) return null;
  const { maxTokens = null, temperature = null, seed = null } = request;
  if (maxTokens !== null) checkedCount(maxTokens, `${field}.maxTokens`, 1, MAX_ANSWER_TOKENS);
  if (temperature !== null)
    checkedNumber(temperature, `${field}.temperature`, temperature >= 0 && temperature <= 2, '0 to 2');
  return {
    ...(maxTokens !== null && { maxTokens }),
    ...(temperature !== null && { temperature }),
    ...(seed !== null && { seed }),
  };
}

function metricsOf(wishes: ExperimentSettingsRequest['metrics']): ExperimentSettings['metrics'] {
  if (wishes.length < 1 || wishes.length > MOST_METRICS)
    throw badInput('input.metrics', `metrics must have 1 to ${MOST_METRICS} entries, not ${wishes.length}.`);
  const isSingle = wishes.length === 1;
  const metrics = wishes.map(({ metric, margin, primary, beyond }, i) => {
    const standard = METRICS[metric];
    const measure = { name: metric, beyond: checkedBeyond(metric, beyond, `input.metrics[${i}].beyond`) };
    const isRate = kindOf(measure) === 'RATE';
    const effectiveMargin = margin ?? (measure.beyond === null ? standard.margin : SHARE_MARGIN);
    if (!(effectiveMargin >= 0 && Number.isFinite(effectiveMargin) && (!isRate || effectiveMargin < 1)))
      throw badInput(
        `input.metrics[${i}].margin`,
        `The margin of ${metric} must be at least 0${isRate ? ' and below 1' : ''}, not ${effectiveMargin}.`,
      );
    if (wishes.findIndex((wish) => wish.metric === metric) !== i)
      throw badInput(`input.metrics[${i}].metric`, `${metric} is there twice.`);
    return { ...measure, better: standard.better, margin: effectiveMargin, primary: primary ?? isSingle };
  });
  const primary = metrics.filter((metric) => metric.primary).length;
  if (primary !== 1)
    throw badInput(
      'input.metrics',
      `One metric must be primary, not ${primary}.`,
      'Mark the one that decides with primary: true; the others are told beside it.',
    );
  return metrics;
}

/** The limit of a metric; null where the metric is compared as it is. @throws BAD_USER_INPUT */
export function checkedBeyond(
  metric: ExperimentMetricName,
  limit: number | null | undefined,
  field: string,
): number | null {
  if (limit === null || limit === undefined) return null;
  if (METRICS[metric].kind === 'RATE')
    throw badInput(field, `${metric} is a share of answers already.`, 'Leave beyond out.');
  return checkedNumber(limit, field, limit > 0 && Number.isFinite(limit), 'above 0');
}
