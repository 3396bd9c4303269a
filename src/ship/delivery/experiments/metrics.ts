import { choice } from '../../../kernel/record.js';
import type { ExperimentMetric } from './conclude.js';

/** What of answers an experiment can compare. */
export const ExperimentMetricName = choice('ExperimentMetric', 'What of answers is compared between arms.', {
  FEEDBACK: 'Share that most opinions on it find right, of the answers on which there are any.',
  AGREEMENT: 'Share that is as those expected who showed the right answer, of the answers for which somebody did.',
  FAILURE: 'Share of the answers that were errors.',
  ABSTENTION: 'Share of the answers that gave none.',
  LATENCY: 'Typical time until the answer: the geometric mean, in ms.',
  COST: 'Tokens that were typically computed for an answer: the geometric mean.',
  CONFIDENCE: 'Mean estimated probability that the answer is right, 0 to 1, where there is one.',
});
export type ExperimentMetricName = keyof typeof ExperimentMetricName;

/** How a metric's mean is made to vary less, by what was known before anything differed. */
export const Adjustment = choice(
  'ExperimentAdjustment',
  'How a mean is made to vary less, by what was known before the arms differed.',
  {
    NONE: 'Not at all.',
    CUPED: 'By how each unit was before (Deng, Xu, Kohavi and Walker, 2013).',
  },
);
export type Adjustment = keyof typeof Adjustment;

/** How each is taken, and which way is better; the margins are those of plans that name none. */
export const METRICS = {
  FEEDBACK: { kind: 'RATE', better: 'HIGHER', margin: 0.05 },
  AGREEMENT: { kind: 'RATE', better: 'HIGHER', margin: 0.05 },
  FAILURE: { kind: 'RATE', better: 'LOWER', margin: 0.02 },
  ABSTENTION: { kind: 'RATE', better: 'LOWER', margin: 0.05 },
  LATENCY: { kind: 'GEOMETRIC', better: 'LOWER', margin: 0 },
  COST: { kind: 'GEOMETRIC', better: 'LOWER', margin: 0 },
  CONFIDENCE: { kind: 'MEAN', better: 'HIGHER', margin: 0 },
} as const satisfies Record<ExperimentMetricName, Pick<ExperimentMetric, 'kind' | 'better' | 'margin'>>;

/** Those that are said of an answer later. */
export const LATE_METRICS = ['FEEDBACK', 'AGREEMENT'] as const;

/** An answer of an experiment as its row’s columns tell it. */
export interface ExperimentOutcome {
  /** Its number among all answers that count. */
  sequence: bigint;
  arm: string;
  stage: number;
  status: 'COMPLETE' | 'FAILED' | 'CANCELLED';
  abstained: boolean;
  latencyMs: number;
  confidence: number | null;
  /** Tokens that were computed for it; null where the experiment doesn’t compare them. */
  tokens: number | null;
  /** null: the request named none, and is a unit of its own. */
  unitHash: string | null;
}

/** What an answer says at once, by metric; null where it says nothing of it. Of a rate 1 or 0, of a geometric mean the logarithm. */
export function valuesOf(outcome: ExperimentOutcome): Partial<Record<ExperimentMetricName, number | null>> {
  const { status, abstained, latencyMs, confidence, tokens } = outcome;
  if (status !== 'COMPLETE') return { FAILURE: status === 'FAILED' ? 1 : null };
  return {
    FAILURE: 0,
    ABSTENTION: Number(abstained),
    LATENCY: logOf(latencyMs),
    COST: logOf(tokens),
    CONFIDENCE: confidence,
  };
}

/** Below one ms or token nothing is told apart. */
const logOf = (value: number | null): number | null => (value === null ? null : Math.log(Math.max(1, value)));
