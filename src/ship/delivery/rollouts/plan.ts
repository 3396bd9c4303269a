import { z } from 'zod';
import { record, float, int, boolean } from '../../../kernel/record.js';

/** A figure that takes the rollout back at once where the candidate is shown to be worse. */
const guardrail = z.object({
  name: z.string(),
  /** By how much the candidate's share of good answers may be lower: percentage points over 100 (.02). */
  margin: z.number(),
  /** The least share of good answers of a candidate that answers without controls, 0 to 1; null or absent: none. */
  least: z.number().nullable().optional(),
});

export type Guardrail = z.infer<typeof guardrail>;

export const rolloutStep = record('RolloutStep', 'A step of a rollout.', {
  share: float('Share of the adapter’s questions that the candidate answers, 0 to 1.'),
  controls: float(
    'Controls a candidate’s answer that were asked for; where fewer questions are left, all of them are controls.',
  ),
  leastAnswers: int('Answers of the candidate before the next step.'),
  leastMinutes: float('Minutes before the next step.'),
  approval: boolean('Whether a person must approve before it is left.'),
});
export type RolloutStep = z.infer<typeof rolloutStep>;

export const rolloutPlan = z.object({
  steps: z.array(rolloutStep),
  /** Probability with which an equally good candidate is rolled back, in all and however often it is looked at; .05. */
  alpha: z.number(),
  guardrails: z.array(guardrail),
  /** Without an answer of the candidate's for so long there is no traffic. */
  noTrafficMinutes: z.number(),
  /** Share of production's answers that people judged before it began, 0 to 1; null where there were none: what it may hope to see. */
  judged: z.number().nullable().optional(),
});
type Stored = z.infer<typeof rolloutPlan>;
/** Its lists are only read. */
export type RolloutPlan = { readonly [K in keyof Stored]: Stored[K] extends (infer T)[] ? readonly T[] : Stored[K] };

export const MOST_STEPS = 12;
export const MOST_ANSWERS = 1_000_000;
/** Thirty days. */
export const MOST_MINUTES = 43_200;

/** A tenth of the units stay controls until a person has approved: nobody would see what befalls everybody. */
export const MOST_SHARE = 0.9;

/** Controls a candidate's answer, as far as the rest of the questions goes. */
export const CONTROLS = 9;
/** An hour of silence is no traffic. */
export const NO_TRAFFIC_MINUTES = 60;

const SHARES = [0.01, 0.05, 0.1, 0.25, 0.5];

export const STANDARD_STEPS: readonly RolloutStep[] = SHARES.map((share, i) => ({
  share,
  controls: CONTROLS,
  leastAnswers: i === 0 ? 20 : 50,
  leastMinutes: 10,
  // Approval comes last, while half of the answers are controls still: then production names the candidate.
  approval: i === SHARES.length - 1,
}));

/** A broken sample ratio must be beyond doubt. */
export const SAMPLE_RATIO_ALPHA = 0.001;

/** A guardrail's part of alpha: the parts add up to it, so that all guardrails together keep it (Bonferroni). */
export const alphaOf = ({ alpha, guardrails }: Pick<RolloutPlan, 'alpha' | 'guardrails'>): number =>
  alpha / guardrails.length;

/** What is wrong with a plan, as pairs of the field and what to do; none where it can be followed. */
export function flawsOf({
  steps,
  alpha,
  guardrails,
  noTrafficMinutes,
}: RolloutPlan): { field: string; hint: string }[] {
  const flaws: { field: string; hint: string }[] = [];
  const check = (holds: boolean, field: string, hint: string): void => {
    if (!holds) flaws.push({ field, hint });
  };
  check(steps.length > 0 && steps.length <= MOST_STEPS, 'steps', `Give 1 to ${MOST_STEPS} steps.`);
  steps.forEach((step, i) => {
    const previousShare = steps[i - 1]?.share ?? 0;
    check(
      step.share > previousShare && step.share <= MOST_SHARE,
      `steps[${i}].share`,
      `Give more than ${previousShare} and at most ${MOST_SHARE}: the rest are controls until a person approves.`,
    );
    const { leastAnswers, leastMinutes } = step;
    check(
      Number.isInteger(leastAnswers) && leastAnswers >= 0 && leastAnswers <= MOST_ANSWERS,
      `steps[${i}].leastAnswers`,
      `Give 0 to ${MOST_ANSWERS} answers.`,
    );
    check(leastMinutes >= 0 && leastMinutes <= MOST_MINUTES, `steps[${i}].leastMinutes`, `Give 0 to ${MOST_MINUTES}.`);
  });
  check(alpha > 0 && alpha < 1, 'alpha', 'Give more than 0 and less than 1; .05 is usual.');
  check(new Set(guardrails.map(({ name }) => name)).size === guardrails.length, 'guardrails', 'Give each name once.');
  guardrails.forEach(({ margin }, i) =>
    check(margin >= 0 && margin < 1, `guardrails[${i}].margin`, 'Give 0 to below 1.'),
  );
  check(
    noTrafficMinutes > 0 && noTrafficMinutes <= MOST_MINUTES,
    'noTrafficMinutes',
    `Give more than 0 and at most ${MOST_MINUTES}.`,
  );
  return flaws;
}

/** Whether anything that is said of answers is compared. */
export const listens = ({ guardrails }: Pick<RolloutPlan, 'guardrails'>): boolean =>
  guardrails.some(({ name }) => name === 'FEEDBACK');
