import { z } from 'zod';
import { choice } from '../../../kernel/record.js';

/** What is compared of each answer of candidate and control. */
export const RolloutMetric = choice('RolloutMetric', 'What of an answer is compared between candidate and control.', {
  FAILURE: 'Whether there was an answer, not an error.',
  ABSTENTION: 'Whether one was given at all.',
  LATENCY: 'Whether it came in time: `slowMs`, or twice the median of the first 20 controls.',
  CONFIDENCE: 'Whether it was sure enough: `unsure`, or the fifth least sure of the first 20 controls.',
  FEEDBACK:
    'Whether the first who judged it, by `submitFeedback` or as a reviewer, found it right; counted when they say so, also of steps that were left. Answers of which nobody says anything count for nothing.',
});
export type RolloutMetric = keyof typeof RolloutMetric;

/** An answer of a test as its row’s columns tell it. */
export interface RolloutOutcome {
  /** Its number among all answers that count. */
  sequence: bigint;
  arm: string;
  stage: number;
  status: 'COMPLETE' | 'FAILED' | 'CANCELLED';
  abstained: boolean;
  latencyMs: number;
  confidence: number | null;
  /** Whether its unit had no answer of this arm in this stage before; a request that named no unit is always new. */
  newUnit: boolean;
}

/** The first thing that somebody said of an answer, whenever they did. */
export interface FirstVerdict {
  /** Its number among all of them. */
  sequence: bigint;
  arm: string;
  stage: number;
  /** Whether it says that the answer is right. */
  good: boolean;
  /** Whether nothing was said of this arm’s answers to the unit in this stage before; a request that named no unit is always new. */
  newUnit: boolean;
}

/** Where slow and unsure begin. Learned of the first controls where nobody said it, before anything is counted by it. */
export const bounds = z.object({
  /** Longer is slow; ms. */
  latencyMs: z.number().nullable(),
  /** Below it is unsure, 0 to 1. */
  confidence: z.number().nullable(),
  /** Of controls, until there are enough to learn of. */
  seen: z.object({ latencyMs: z.array(z.number()), confidence: z.array(z.number()) }),
});
export type RolloutBounds = z.infer<typeof bounds>;

/** Controls that bounds are learned of: their median time is known within some 20 % then, and the candidate has answered twice. */
const LEARNED_OF = 20;
/** How many times the control’s median is slow. Half of all answers would be slow at 1, and a tenfold time is caught at any. */
const SLOW = 2;
/** The share of controls that are less sure than the bound: low enough to be rare, high enough to be counted. */
const UNSURE = 0.2;

export const startBounds = (said: { latencyMs: number | null; confidence: number | null }): RolloutBounds => ({
  ...said,
  seen: { latencyMs: [], confidence: [] },
});

/** Takes note of a control while bounds are still to be learned. */
export function learnBounds(known: RolloutBounds, { status, latencyMs, confidence }: RolloutOutcome): void {
  if (status !== 'COMPLETE') return;
  const { seen } = known;
  if (known.latencyMs === null && seen.latencyMs.push(latencyMs) >= LEARNED_OF)
    [known.latencyMs, seen.latencyMs] = [SLOW * quantile(seen.latencyMs, 0.5), []];
  if (known.confidence === null && confidence !== null && seen.confidence.push(confidence) >= LEARNED_OF)
    [known.confidence, seen.confidence] = [quantile(seen.confidence, UNSURE), []];
}

/**
 * Whether an answer was good, by metric; null where it says nothing of it. An answer that its reader didn’t wait for counts as slow when it
 * had been slow by then, and for nothing else. What people say of it comes later.
 */
export function measuresOf(
  { status, abstained, latencyMs, confidence }: RolloutOutcome,
  known: RolloutBounds,
): Record<RolloutMetric, boolean | null> {
  const complete = status === 'COMPLETE';
  const slow = known.latencyMs === null ? null : latencyMs > known.latencyMs;
  return {
    FAILURE: status === 'CANCELLED' ? null : complete,
    ABSTENTION: complete ? !abstained : null,
    LATENCY: complete ? (slow === null ? null : !slow) : status === 'CANCELLED' && slow ? false : null,
    FEEDBACK: null,
    CONFIDENCE: complete && confidence !== null && known.confidence !== null ? confidence >= known.confidence : null,
  };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(share * sorted.length)]!;
}
