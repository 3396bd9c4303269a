import { z } from 'zod';
import { enumeration } from '../../kernel/enumeration.js';
import { record } from '../../kernel/record.js';

const measure = {
  name: z.string(),
  /** By how much the candidate's share of good answers may be lower: percentage points over 100 (.02). */
  margin: z.number(),
  /** The least share of good answers of a candidate that answers without controls, 0 to 1; null or absent: none. */
  least: z.number().nullable().optional(),
};
export type ArmMeasure = z.infer<z.ZodObject<typeof measure>>;

/** Crossed, the rollout goes back at once. */
const guardrail = z.object({
  ...measure,
  /** Of the shared alpha, in proportion to the others' weights; 1 by default. */
  weight: z.number().optional(),
});
export type Guardrail = z.infer<typeof guardrail>;

/** When a signal holds: while the candidate is shown to be worse, or until it is shown not to be. */
export const SignalDemand = enumeration('NOT_SHOWN_WORSE', 'SHOWN_NO_WORSE');
export type SignalDemand = keyof typeof SignalDemand;

/** Bad, the rollout holds: a person looks. */
const healthSignal = z.object({ ...measure, demand: z.enum(SignalDemand) });
export type HealthSignal = z.infer<typeof healthSignal>;

export const rolloutStep = record('RolloutStep', 'A step of a rollout.', {
  share: z.number().describe('Share of the adapter’s questions that the candidate answers, 0 to 1.'),
  controls: z
    .number()
    .describe(
      'Controls a candidate’s answer that were asked for; where fewer questions are left, all of them are controls.',
    ),
  leastAnswers: z.number().int().describe('Answers of the candidate before the next step.'),
  leastMinutes: z.number().describe('Minutes before the next step.'),
  approval: z.boolean().describe('Whether a person must approve before it is left.'),
  /** One that isn't may be caught up with others when it is overdue. */
  monitored: z.boolean().describe('Whether its own answers decide.'),
});
export type RolloutStep = z.infer<typeof rolloutStep>;

const healthPolicy = z.object({
  /** Without an answer of the candidate's for so long there is no traffic. */
  noTrafficMinutes: z.number(),
  /** What a sample ratio that isn't what was drawn does. */
  sampleRatio: z.enum(['HOLD', 'WARN']),
  /** What too many units that were answered by both arms in one step do. */
  exposure: z.enum(['HOLD', 'WARN']),
  /** Share of units in both, 0 to 1, above which there are too many. */
  mostInBoth: z.number(),
});
export type HealthPolicy = z.infer<typeof healthPolicy>;

/** Which outcomes are compared: every one, or one of each unit and step. */
export const RolloutCounting = enumeration('EVERY', 'FIRST_OF_UNIT');
export type RolloutCounting = keyof typeof RolloutCounting;

export const rolloutPlan = z.object({
  steps: z.array(rolloutStep),
  /** Probability with which an equally good candidate is rolled back, in all and however often it is looked at; .05. */
  alpha: z.number(),
  guardrails: z.array(guardrail),
  signals: z.array(healthSignal),
  health: healthPolicy,
  /**
   * `FIRST_OF_UNIT` (the default) takes one answer a unit and step, since answers to one user are no independent draws: with 20 to 500
   * users who come back and differ, equal candidates went back in 14 to 27 % where every answer counted. `EVERY` is right where each request
   * is its own unit.
   */
  counting: z.enum(RolloutCounting).optional(),
  /** Share of production's answers that people judged before it began, 0 to 1; null where there were none: what it may hope to see. */
  judged: z.number().nullable().optional(),
});
type Stored = z.infer<typeof rolloutPlan>;
/** Its lists are only read. */
export type RolloutPlan = { readonly [K in keyof Stored]: Stored[K] extends (infer T)[] ? readonly T[] : Stored[K] };

/** A tenth of the units stay controls until a person has approved: nobody would see what befalls everybody. */
export const MOST_SHARE = 0.9;

const SHARES = [0.01, 0.05, 0.1, 0.25, 0.5];

export const STANDARD_STEPS: readonly RolloutStep[] = SHARES.map((share, i) => ({
  share,
  controls: 9,
  leastAnswers: i === 0 ? 20 : 50,
  leastMinutes: 10,
  // Approval comes last, while half of the answers are controls still: then production names the candidate.
  approval: i === SHARES.length - 1,
  monitored: true,
}));

export const STANDARD_HEALTH: HealthPolicy = {
  noTrafficMinutes: 60,
  sampleRatio: 'HOLD',
  exposure: 'WARN',
  mostInBoth: 0.01,
};

/** A signal holds on evidence that chance gives one rollout in twenty; a broken sample ratio must be beyond doubt. */
export const SIGNAL_ALPHA = 0.05;
export const SAMPLE_RATIO_ALPHA = 0.001;

/** The guardrail's part of alpha: the parts add up to it, so that all guardrails together keep it (Bonferroni). */
export function alphaOf({ alpha, guardrails }: Pick<RolloutPlan, 'alpha' | 'guardrails'>, name: string): number {
  const total = guardrails.reduce((sum, { weight = 1 }) => sum + weight, 0);
  return (alpha * (guardrails.find((each) => each.name === name)?.weight ?? 1)) / total;
}

/** What is wrong with a plan, as pairs of the field and what to do; none where it can be followed. */
export function flawsOf({ steps, alpha, guardrails, signals, health }: RolloutPlan): { field: string; hint: string }[] {
  const flaws: { field: string; hint: string }[] = [];
  const check = (holds: boolean, field: string, hint: string): void => {
    if (!holds) flaws.push({ field, hint });
  };
  check(steps.length > 0, 'steps', 'Give at least one step.');
  steps.forEach((step, i) => {
    const before = steps[i - 1]?.share ?? 0;
    check(
      step.share > before && step.share <= MOST_SHARE,
      `steps[${i}].share`,
      `Give more than ${before} and at most ${MOST_SHARE}: the rest are controls until a person approves.`,
    );
    check(step.controls >= 1 && step.controls <= 9, `steps[${i}].controls`, 'Give 1 to 9 controls a candidate answer.');
    check(step.leastAnswers >= 0, `steps[${i}].leastAnswers`, 'Give 0 or more answers.');
    check(step.leastMinutes >= 0, `steps[${i}].leastMinutes`, 'Give 0 or more minutes.');
  });
  check(alpha > 0 && alpha < 1, 'alpha', 'Give more than 0 and less than 1; .05 is usual.');
  const measures = [...guardrails, ...signals];
  check(new Set(measures.map(({ name }) => name)).size === measures.length, 'guardrails', 'Give each name once.');
  measures.forEach(({ name, margin }) => check(margin >= 0 && margin < 1, `${name}.margin`, 'Give 0 to below 1.'));
  signals.forEach(({ name, margin, demand }) =>
    check(
      demand === 'NOT_SHOWN_WORSE' || margin > 0,
      `${name}.margin`,
      'Give more than 0: that two are exactly equal can never be shown.',
    ),
  );
  check(
    guardrails.every(({ weight = 1 }) => weight > 0),
    'guardrails.weight',
    'Give weights above 0.',
  );
  check(health.mostInBoth >= 0 && health.mostInBoth <= 1, 'health.mostInBoth', 'Give 0 to 1.');
  return flaws;
}

/** Whether anything that is said of answers is compared. */
export const listens = ({ guardrails, signals }: Pick<RolloutPlan, 'guardrails' | 'signals'>): boolean =>
  [...guardrails, ...signals].some(({ name }) => name === 'FEEDBACK');
