import { z } from 'zod';
import { badInput } from '../../../kernel/errors.js';
import { choice, record, float, int, boolean, oneOf, string, id } from '../../../kernel/record.js';
import { checkedNumber, checkedShare, requestedOnce } from '../request.js';
import { ROLLOUT_METRICS, RolloutMetric } from './measures.js';
import {
  CONTROLS,
  flawsOf,
  MOST_ANSWERS,
  MOST_MINUTES,
  MOST_SHARE,
  MOST_STEPS,
  NO_TRAFFIC_MINUTES,
  STANDARD_STEPS,
  type RolloutPlan,
  type RolloutStep,
} from './plan.js';

/** Ready plans. */
export const RolloutTemplate = choice('RolloutTemplate', 'A ready plan.', {
  STANDARD:
    '1, 5, 10, 25 and 50 %, each for at least ten minutes and 20 to 50 answers of the candidate; everybody after an approval.',
  CAREFUL: 'The same shares, each for at least an hour and four times the answers, with an approval at 10 %.',
  QUICK: '10 and 50 %, each for at least ten answers and no time: for trying it.',
});
export type RolloutTemplate = keyof typeof RolloutTemplate;

const QUICK_SHARES = [0.1, 0.5];

const TEMPLATES: Readonly<Record<RolloutTemplate, readonly RolloutStep[]>> = {
  STANDARD: STANDARD_STEPS,
  CAREFUL: STANDARD_STEPS.map((step) => ({
    ...step,
    leastAnswers: 4 * step.leastAnswers,
    leastMinutes: 60,
    approval: step.approval || step.share === 0.1,
  })),
  QUICK: QUICK_SHARES.map((share, i) => ({
    share,
    controls: CONTROLS,
    leastAnswers: 10,
    leastMinutes: 0,
    approval: i === QUICK_SHARES.length - 1,
  })),
};

const DEFAULT_ALPHA = 0.05;
const METRICS = Object.values(ROLLOUT_METRICS);

const stepRequest = record('RolloutStepInput', 'A step of a rollout.', {
  share: float(
    `Share of the adapter’s questions that the candidate answers, above that of the step before, at most ${MOST_SHARE}.`,
  ),
  leastAnswers: int(
    `Answers of the candidate in this step before the next, 0 to ${MOST_ANSWERS}; 50 by default.`,
  ).optional(),
  leastMinutes: float(`Minutes in this step before the next, 0 to ${MOST_MINUTES}; 10 by default.`).optional(),
  approval: boolean(
    'Whether a person must approve before it is left; false by default, always true for the last.',
  ).optional(),
});

const guardRequest = record('GuardrailInput', 'A figure that takes a rollout back.', {
  metric: oneOf(RolloutMetric, 'Which.'),
  margin: float(
    `By how much the candidate may be worse, of 1, 0 to below 1; by default ${METRICS.map(({ name, margin }) => `${margin} for ${name}`).join(', ')}.`,
  ).nullish(),
});

/** What few callers say of a rollout. */
const advanced = record('RolloutOptionsInput', 'What most rollouts leave to their template.', {
  steps: z
    .array(stepRequest)
    .max(MOST_STEPS)
    .nullish()
    .describe(
      `1 to ${MOST_STEPS} steps with growing shares, at most ${MOST_SHARE}, instead of the template’s: a tenth stays with production until a person approves.`,
    ),
  guardrails: z
    .array(guardRequest)
    .max(METRICS.length)
    .nullish()
    .describe(`At most ${METRICS.length} figures that roll back at once; all of them by default.`),
  alpha: float(
    `Probability with which an equally good candidate is rolled back, in all and however often it is looked at; above 0, below 1; ${DEFAULT_ALPHA} by default.`,
  ).nullish(),
  slowMs: float(
    'Milliseconds above which an answer is slow; by default twice the median of the first 20 controls, and at least 500 ms above it.',
  ).nullish(),
  unsure: float(
    'Confidence below which an answer is unsure, above 0 to 1; by default the fifth least sure of the first 20 controls.',
  ).nullish(),
  noTrafficMinutes: float(
    `Minutes without an answer of the candidate after which it holds, above 0 to ${MOST_MINUTES}; ${NO_TRAFFIC_MINUTES} by default.`,
  ).nullish(),
});

export const rolloutRequest = record('StartRolloutInput', 'Which version goes to users, and how.', {
  adapter: string('Name of the adapter.'),
  candidate: int('Number of the version; by default the one that `CANDIDATE` names.').nullish(),
  template: oneOf(RolloutTemplate, 'A ready plan; `STANDARD` by default.').nullish(),
  shadow: id(
    'Id of a COMPLETE shadow of this candidate beside what is production now, as evidence; by default none. CONFLICT where it isn’t one.',
  ).nullish(),
  requireShadow: boolean(
    'Whether such a shadow must exist, also where none is named; CONFLICT without one. False by default.',
  ).nullish(),
  advanced: advanced.nullish().describe('What most rollouts leave to their template.'),
  ...requestedOnce,
});

/** How a rollout shall go, as its caller said it. */
export type PlanRequest = Pick<z.infer<typeof rolloutRequest>, 'template'> & z.infer<typeof advanced>;

/**
 * The plan of a rollout. Its last step always wants an approval, and leaves a tenth of the units to controls at least: what everybody gets
 * was decided by a person.
 * @throws BAD_USER_INPUT naming the field
 */
export function planOf(request: PlanRequest): RolloutPlan {
  const steps = stepsOf(request);
  const guardrails = (request.guardrails ?? METRICS.map(({ name: metric }) => ({ metric }))).map(guard);
  const noTrafficMinutes = request.noTrafficMinutes ?? NO_TRAFFIC_MINUTES;
  const plan = { steps, alpha: request.alpha ?? DEFAULT_ALPHA, guardrails, noTrafficMinutes };
  const [flaw] = flawsOf(plan);
  if (flaw) throw badInput(`input.advanced.${flaw.field}`, `${flaw.field} can’t be followed.`, flaw.hint);
  return plan;
}

/** Where slow and unsure begin; null where the first controls tell. @throws BAD_USER_INPUT naming the field */
export function checkedBounds({ slowMs = null, unsure = null }: PlanRequest): {
  slowMs: number | null;
  unsure: number | null;
} {
  if (slowMs !== null) checkedNumber(slowMs, 'input.advanced.slowMs', slowMs > 0, 'above 0');
  if (unsure !== null) checkedShare(unsure, 'input.advanced.unsure');
  return { slowMs, unsure };
}

function stepsOf({ template, steps }: PlanRequest): RolloutStep[] {
  if (!steps) return [...TEMPLATES[template ?? 'STANDARD']];
  return steps.map((step, i) => ({
    controls: CONTROLS,
    leastAnswers: step.leastAnswers ?? 50,
    leastMinutes: step.leastMinutes ?? 10,
    share: step.share,
    approval: (step.approval ?? false) || i === steps.length - 1,
  }));
}

const guard = ({ metric, margin }: z.infer<typeof guardRequest>) => ({
  name: metric,
  least: ROLLOUT_METRICS[metric].least ?? null,
  margin: margin ?? ROLLOUT_METRICS[metric].margin,
});
