import { z } from 'zod';
import { meaningsOf, metricsFor, type AnswerOutcome } from '../../../answer/ask/index.js';
import { choice } from '../../../kernel/record.js';

/** What is compared of each answer of candidate and control. */
export const ROLLOUT_METRICS = metricsFor('rollout');

export const RolloutMetric = choice(
  'RolloutMetric',
  'What of an answer is compared between candidate and control.',
  meaningsOf(ROLLOUT_METRICS),
);
export type RolloutMetric = keyof typeof RolloutMetric;

/** An answer of a test as its row’s columns tell it. */
export interface RolloutOutcome extends Pick<AnswerOutcome, 'status' | 'abstained' | 'confidence'> {
  latencyMs: number;
  /** Its number among all answers that count. */
  sequence: bigint;
  arm: string;
  stage: number;
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
/**
 * So many ms above the median are not slow yet. A candidate with few of the questions has its adapter loaded, and its prompt read, for each of
 * them, which the control has not; beside quick controls that alone is twice their time, and nobody notices it.
 */
const UNNOTICED_MS = 500;
/** The share of controls that are less sure than the bound: low enough to be rare, high enough to be counted. */
const UNSURE = 0.2;

export const startBounds = (bounds: { latencyMs: number | null; confidence: number | null }): RolloutBounds => ({
  ...bounds,
  seen: { latencyMs: [], confidence: [] },
});

/** Takes note of a control while bounds are still to be learned. */
export function learnBounds(bounds: RolloutBounds, { status, latencyMs, confidence }: RolloutOutcome): void {
  if (status !== 'COMPLETE') return;
  const { seen } = bounds;
  if (bounds.latencyMs === null && seen.latencyMs.push(latencyMs) >= LEARNED_OF)
    [bounds.latencyMs, seen.latencyMs] = [slowAbove(quantile(seen.latencyMs, 0.5)), []];
  if (bounds.confidence === null && confidence !== null && seen.confidence.push(confidence) >= LEARNED_OF)
    [bounds.confidence, seen.confidence] = [quantile(seen.confidence, UNSURE), []];
}

/** Whether an answer was good, by metric; null where it says nothing of it. What people say of it comes later. */
export const measuresOf = (outcome: RolloutOutcome, bounds: RolloutBounds): Record<RolloutMetric, boolean | null> =>
  Object.fromEntries(
    Object.values(ROLLOUT_METRICS).map((metric) => [metric.name, isGood(metric, outcome, bounds)]),
  ) as Record<RolloutMetric, boolean | null>;

function isGood(
  { read, better, bound }: (typeof ROLLOUT_METRICS)[RolloutMetric],
  outcome: RolloutOutcome,
  bounds: RolloutBounds,
): boolean | null {
  const value = read(outcome);
  const limit = bound ? bounds[bound] : 0.5;
  if (value === null || limit === null) return null;
  const good = better === 'LOWER' ? value <= limit : value >= limit;
  if (!bound || outcome.status === 'COMPLETE') return good;
  // An answer that its reader didn’t wait for counts as slow when it had been slow by then, and for nothing else.
  return outcome.status === 'CANCELLED' && bound === 'latencyMs' && !good ? false : null;
}

const slowAbove = (medianMs: number): number => Math.max(SLOW * medianMs, medianMs + UNNOTICED_MS);

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(share * sorted.length)]!;
}
