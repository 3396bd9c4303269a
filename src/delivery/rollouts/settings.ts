import { badInput } from '../../kernel/errors.js';
import { enumeration } from '../../kernel/enumeration.js';
import { RolloutMetric } from './measures.js';
import {
  flawsOf,
  type RolloutCounting,
  STANDARD_HEALTH,
  STANDARD_STEPS,
  type RolloutPlan,
  type RolloutStep,
  type HealthSignal,
} from './plan.js';

/** Ready plans. */
export const RolloutTemplate = enumeration('STANDARD', 'CAREFUL', 'QUICK');
export type RolloutTemplate = keyof typeof RolloutTemplate;

const QUICK_SHARES = [0.1, 0.5];

export const TEMPLATES: Readonly<Record<RolloutTemplate, readonly RolloutStep[]>> = {
  STANDARD: STANDARD_STEPS,
  CAREFUL: STANDARD_STEPS.map((step) => ({
    ...step,
    leastAnswers: 4 * step.leastAnswers,
    leastMinutes: 60,
    approval: step.approval || step.share === 0.1,
  })),
  QUICK: QUICK_SHARES.map((share, i) => ({
    share,
    controls: 9,
    leastAnswers: 10,
    leastMinutes: 0,
    monitored: true,
    approval: i === QUICK_SHARES.length - 1,
  })),
};

export type StepWish = Partial<RolloutStep> & Pick<RolloutStep, 'share'>;

export interface GuardWish {
  metric: RolloutMetric;
  margin?: number | null;
  weight?: number | null;
  demand?: HealthSignal['demand'] | null;
}

/** How a rollout shall go, as its caller said it. */
export interface PlanWish {
  template?: RolloutTemplate | null;
  steps?: readonly StepWish[] | null;
  guardrails?: readonly GuardWish[] | null;
  signals?: readonly GuardWish[] | null;
  alpha?: number | null;
  noTrafficMinutes?: number | null;
  counting?: RolloutCounting | null;
}

export const MOST_STEPS = 12;
export const DEFAULT_ALPHA = 0.05;
export const MOST_ANSWERS = 1_000_000;
/** Thirty days. */
export const MOST_MINUTES = 43_200;

/** By how much a candidate may be worse before that counts against it: of so many answers in one. */
export const MARGINS: Readonly<Record<RolloutMetric, number>> = {
  FAILURE: 0.01,
  ABSTENTION: 0.02,
  LATENCY: 0.05,
  CONFIDENCE: 0.05,
  FEEDBACK: 0.05,
};

/** The least share of good answers of a candidate beside which no controls answer any more. */
const LEAST: Partial<Record<RolloutMetric, number>> = { FAILURE: 0.8, LATENCY: 0.5 };

const DEFAULT_GUARDRAILS: readonly GuardWish[] = Object.values(RolloutMetric).map((metric) => ({ metric }));

/**
 * The plan of a rollout. Its last step always wants an approval, and leaves a tenth of the units to controls at least: what everybody gets
 * was decided by a person.
 * @throws BAD_USER_INPUT naming the field
 */
export function planOf(wish: PlanWish): RolloutPlan {
  const steps = stepsOf(wish);
  const guardrails = (wish.guardrails ?? DEFAULT_GUARDRAILS).map(guard);
  const signals = (wish.signals ?? []).map((each) => ({
    ...guard(each),
    demand: each.demand ?? 'NOT_SHOWN_WORSE',
  }));
  const health = { ...STANDARD_HEALTH, noTrafficMinutes: wish.noTrafficMinutes ?? STANDARD_HEALTH.noTrafficMinutes };
  if (!(health.noTrafficMinutes > 0 && health.noTrafficMinutes <= MOST_MINUTES))
    throw badInput('input.noTrafficMinutes', `noTrafficMinutes must be above 0 and at most ${MOST_MINUTES}.`);
  const counting = wish.counting ?? 'FIRST_OF_UNIT';
  const plan = { steps, alpha: wish.alpha ?? DEFAULT_ALPHA, guardrails, signals, health, counting };
  const [flaw] = flawsOf(plan);
  if (flaw) throw badInput(`input.${flaw.field}`, `${flaw.field} can’t be followed.`, flaw.hint);
  return plan;
}

function stepsOf({ template, steps }: PlanWish): RolloutStep[] {
  if (!steps) return [...TEMPLATES[template ?? 'STANDARD']];
  if (steps.length < 1 || steps.length > MOST_STEPS)
    throw badInput('input.steps', `steps must have 1 to ${MOST_STEPS} entries, not ${steps.length}.`);
  const full = steps.map((step, i) => ({
    controls: step.controls ?? 9,
    leastAnswers: step.leastAnswers ?? 50,
    leastMinutes: step.leastMinutes ?? 10,
    monitored: step.monitored ?? true,
    share: step.share,
    approval: (step.approval ?? false) || i === steps.length - 1,
  }));
  full.forEach(({ controls, leastAnswers, leastMinutes }, i) => {
    const field = `input.steps[${i}]`;
    if (!(controls >= 1 && controls <= 9))
      throw badInput(`${field}.controls`, `controls must be 1 to 9, not ${controls}.`);
    if (!(Number.isInteger(leastAnswers) && leastAnswers >= 0 && leastAnswers <= MOST_ANSWERS))
      throw badInput(`${field}.leastAnswers`, `leastAnswers must be 0 to ${MOST_ANSWERS}, not ${leastAnswers}.`);
    if (!(leastMinutes >= 0 && leastMinutes <= MOST_MINUTES))
      throw badInput(`${field}.leastMinutes`, `leastMinutes must be 0 to ${MOST_MINUTES}, not ${leastMinutes}.`);
  });
  return full;
}

const guard = ({ metric, margin, weight }: GuardWish) => ({
  name: metric,
  least: LEAST[metric] ?? null,
  margin: margin ?? MARGINS[metric],
  ...(weight !== null && weight !== undefined && { weight }),
});
