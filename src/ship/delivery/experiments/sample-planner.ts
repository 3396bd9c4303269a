/*
 * Of size, effect and power, what is missing follows from the others:
 *   effect alone      the size that shows it with that power
 *   size alone        the least effect that it shows with that power
 *   both              the power for this effect, and the least effect
 *   neither           nothing but what is asked for
 * With a size and traffic go the days. Baseline, variance and traffic are what answers of the days before say; of a test that runs, what its own control
 * says once that is enough.
 */

import { type z } from 'zod';
import { daysLeft, leastEffect, powerOf, samplePlan, type Design } from '../../../prove/index.js';
import { badInput } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { record, oneOf, string, int, float } from '../../../kernel/record.js';
import type { AdapterRegistry } from '../../../sources/registry/index.js';
import { checkedCount, checkedNumber } from '../request.js';
import { outcomesOf } from './count.js';
import { primaryOf, storedExperimentState, storedSettings, type ExperimentRow } from './experiment.js';
import { futilityOf } from './look.js';
import { ExperimentMetricName, kindOf, titleOf, type Measure } from './metrics.js';
import { checkedBeyond, DEFAULT_ALPHA, DEFAULT_POWER, MOST_ANSWERS, MOST_ARMS } from './settings.js';
import { plainMoments } from './tally.js';
import { LOOKED_AT, type UnitStore } from './unit-store.js';
import { AT_THE_END, inUnits } from './conclude.js';

export const sampleRequest = record(
  'PlanExperimentInput',
  'What a test is asked before it is made: with an alpha of 0.05, a power of 0.8, and every question taking part. A coverage of 0.2 takes five times the days. What is left out is measured on recent answers.',
  {
    metric: oneOf(ExperimentMetricName, 'The primary metric.'),
    beyond: float('A limit in its unit: the share of answers above it is planned for instead of the mean.').nullish(),
    adapter: string('The adapter whose production’s answers are measured; by default answers of any kind.').nullish(),
    arms: int(`Arms with the control, 2 to ${MOST_ARMS}; 2 by default.`).nullish(),
    effect: float(
      'The difference that would matter, in the metric’s unit, above 0; by default only `size` is asked about.',
    ).nullish(),
    size: int(`Outcomes in all arms together, 1 to ${MOST_ANSWERS}; by default as many as \`effect\` needs.`).nullish(),
    baseline: float('Of a rate: that of the control, 0 to 1; by default as measured.').nullish(),
  },
);
type SampleRequest = z.infer<typeof sampleRequest>;

export const samplePlanned = record('SamplePlan', 'How large a test must be, and what it can see.', {
  metric: oneOf(ExperimentMetricName, 'The primary metric.'),
  baseline: float('Mean of the control; null where nothing tells.').nullable(),
  deviation: float('Standard deviation of one value; null where nothing tells.').nullable(),
  measuredOn: int('Outcomes that these were measured on.'),
  perDay: float('Outcomes of the metric a day, in all; null where nothing tells.').nullable(),
  size: int('Outcomes in all arms together; null without size and effect.').nullable(),
  effect: float('The difference that would matter, in the metric’s unit; null where nobody said.').nullable(),
  power: float('Probability with which it is seen with this size, 0 to 1.').nullable(),
  leastEffect: float('The least difference that is seen with the power that was asked for.').nullable(),
  days: float('Days that it takes at today’s traffic; null where nothing tells.').nullable(),
  sentence: string('The same in a sentence.'),
});
type SampleEstimate = z.infer<typeof samplePlanned>;

export const experimentProgress = record(
  'ExperimentProgress',
  'How far an experiment is on the way to its planned end.',
  {
    plan: samplePlanned.describe('What it can see, by its own control once that says enough.'),
    counted: int('Outcomes of the primary metric so far.'),
    daysLeft: float('Days until its planned end; 0 when it has ended; null where nothing tells.').nullable(),
    conditionalPower: float(
      'Probability that the planned end shows the effect, given what was seen (conditional power: Lan and Wittes, 1988); below .1 going on is futile. Null without size and effect, and before 20 outcomes an arm.',
    ).nullable(),
  },
);
type Progress = z.infer<typeof experimentProgress>;

interface BaselineFigures {
  baseline: number | null;
  variance: number | null;
  perDay: number | null;
  measuredOn: number;
}

const UNKNOWN: BaselineFigures = { baseline: null, variance: null, perDay: null, measuredOn: 0 };

/** Says before a test begins, and while it runs, what it can see. */
export class SamplePlanner {
  constructor(private readonly parts: { units: UnitStore; adapters: AdapterRegistry }) {}

  /** @throws BAD_USER_INPUT, NOT_FOUND */
  async plan(workspaceId: WorkspaceId, request: SampleRequest): Promise<SampleEstimate> {
    const { metric, arms, effect = null, size = null, baseline = null } = request;
    const armCount = arms ?? 2;
    checkedCount(armCount, 'input.arms', 2, MOST_ARMS);
    if (effect !== null) checkedNumber(effect, 'input.effect', effect > 0, 'above 0');
    if (size !== null)
      checkedNumber(size, 'input.size', size > 0 && size <= MOST_ANSWERS, `above 0 and at most ${MOST_ANSWERS}`);
    const measure = { name: metric, beyond: checkedBeyond(metric, request.beyond, 'input.beyond') };
    if (baseline !== null && kindOf(measure) !== 'RATE')
      throw badInput('input.baseline', `${titleOf(measure)} is no rate: what it varies is measured on recent answers.`);
    if (baseline !== null && !(baseline >= 0 && baseline <= 1))
      throw badInput('input.baseline', `The baseline of ${metric} is a share, 0 to 1, not ${baseline}.`);
    const recentFigures = await this.#lately(workspaceId, request.adapter ?? null, measure);
    const figures =
      baseline === null ? recentFigures : { ...recentFigures, baseline, variance: baseline * (1 - baseline) };
    const design = { measure, arms: armCount, coverage: 1, alpha: DEFAULT_ALPHA, power: DEFAULT_POWER };
    return sampleOf(design, figures, { effect, size });
  }

  /** What an experiment can see, and how long it still runs: by its own control once that says more than the days before. */
  async of(row: ExperimentRow): Promise<Progress> {
    const plan = storedSettings.decode(row.plan);
    const state = storedExperimentState.decode(row.state);
    const measure = primaryOf(plan);
    const { name: metric, margin } = measure;
    const outcomeCount = outcomesOf(state, metric);
    const control = inUnits(kindOf(measure), plainMoments(state.arms[plan.arms[0]!.name], metric));
    const days = row.watchedMs / 86_400_000;
    const ownFigures: BaselineFigures | null =
      control.n < LEAST_OWN
        ? null
        : {
            baseline: control.mean,
            measuredOn: control.n,
            variance: control.variance,
            perDay: days > 0 ? outcomeCount / days / plan.coverage : null,
          };
    const figures = ownFigures ?? (await this.#lately(row.workspaceId as WorkspaceId, row.adapter, measure));
    const effect = plan.effect ?? (margin > 0 ? margin : null);
    const design = { measure, arms: plan.arms.length, coverage: plan.coverage, alpha: plan.alpha, power: plan.power };
    const sample = sampleOf(design, figures, { effect, size: plan.plannedSize });
    const perDay = figures.perDay === null ? 0 : figures.perDay * plan.coverage;
    const bySize = plan.plannedSize === null ? null : daysLeft(plan.plannedSize - outcomeCount, perDay);
    const byDays = plan.plannedDays === null ? null : Math.max(0, plan.plannedDays - days);
    const remainingDays = row.finishedAt ? 0 : Math.min(bySize ?? Infinity, byDays ?? Infinity);
    return {
      plan: sample,
      counted: outcomeCount,
      daysLeft: Number.isFinite(remainingDays) ? remainingDays : null,
      conditionalPower: futilityOf(plan, state),
    };
  }

  async #lately(workspaceId: WorkspaceId, adapter: string | null, measure: Measure): Promise<BaselineFigures> {
    const { units, adapters } = this.parts;
    const row = adapter === null ? null : await adapters.require(workspaceId, adapter, 'input.adapter');
    const version = row && (await adapters.store.resolve(row, { alias: 'production' }));
    if (row && !version) return UNKNOWN;
    const traffic = await units.traffic(workspaceId, version?.id ?? null, measure);
    if (!traffic) return UNKNOWN;
    const { mean, variance, perDay, n } = traffic;
    return { baseline: mean, variance, perDay, measuredOn: n };
  }
}

/** Outcomes of its own control from which on they say more than what was before. */
const LEAST_OWN = 20;

function sampleOf(
  {
    measure,
    arms,
    coverage,
    alpha,
    power,
  }: { measure: Measure; arms: number; coverage: number; alpha: number; power: number },
  { baseline, variance, perDay, measuredOn }: BaselineFigures,
  { effect, size }: { effect: number | null; size: number | null },
): SampleEstimate {
  const traffic = perDay === null ? null : perDay * coverage;
  const estimate = {
    metric: measure.name,
    baseline,
    measuredOn,
    perDay,
    deviation: variance === null ? null : Math.sqrt(variance),
  };
  if (variance === null || !(variance > 0))
    return {
      ...estimate,
      size,
      effect,
      power: null,
      leastEffect: null,
      days: size === null || traffic === null ? null : daysLeft(size, traffic),
      sentence: `Nothing is known of how much ${titleOf(measure)} varies: none of the last ${LOOKED_AT} answers says it. ${kindOf(measure) === 'RATE' ? 'Give baseline to learn' : 'Once some do, this tells'} what the test can see.`,
    };
  const design: Design = { variance, alpha: (AT_THE_END * alpha) / (arms - 1) };
  const neededSize = effect === null ? null : samplePlan(design, effect, power, 0).control * arms;
  const whole = size ?? neededSize;
  const armSize = whole === null ? null : whole / arms;
  const smallestEffect = armSize === null ? null : leastEffect(design, power, armSize);
  const days = whole === null || traffic === null ? null : daysLeft(whole, traffic);
  return {
    ...estimate,
    size: whole,
    effect,
    leastEffect: smallestEffect,
    days,
    power: effect === null || armSize === null ? null : powerOf(design, effect, armSize),
    sentence: sentenceOf(measure, { size: whole, least: smallestEffect, power, days }),
  };
}

function sentenceOf(
  measure: Measure,
  { size, least, power, days }: { size: number | null; least: number | null; power: number; days: number | null },
): string {
  const metric = titleOf(measure);
  if (size === null || least === null) return `Give the difference of ${metric} that would matter, or a size.`;
  const effectText = kindOf(measure) === 'RATE' ? `${(100 * least).toFixed(1)} points` : Number(least.toPrecision(3));
  const long =
    days === null
      ? ''
      : `, some ${days < 1 ? plural(Math.ceil(days * 24), 'hour') : plural(Math.ceil(days), 'day')} of today’s traffic`;
  return `With ${size} outcomes in all arms${long}, a difference of ${effectText} in ${metric} is seen with a probability of ${Math.round(100 * power)} %; smaller ones are seen less often.`;
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
