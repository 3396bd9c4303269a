import { enumeration } from '../../../kernel/enumeration.js';
import type { ExperimentMetric } from './conclude.js';

/** What of answers an experiment can compare. */
export const ExperimentMetricName = enumeration(
  ...(['FEEDBACK', 'AGREEMENT', 'FAILURE', 'ABSTENTION', 'LATENCY', 'COST', 'CONFIDENCE'] as const),
);
export type ExperimentMetricName = keyof typeof ExperimentMetricName;

/** How a metric's mean is made to vary less, by what was known before anything differed. */
export const Adjustment = enumeration('NONE', 'CUPED');
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
