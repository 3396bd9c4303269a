import { beginningOf } from '../../../kernel/text.js';
import { durationBin, NO_CONFIDENCE, unitBin } from './bins.js';
import type { Counted, SeriesKey } from './metric.js';

/** What monitoring knows of an answer that was settled: numbers and names, no text of anybody's. */
export interface AnswerFacts {
  workspaceId: string;
  answerId: string;
  adapterVersionId: string | null;
  at: Date;
  status: 'COMPLETE' | 'FAILED' | 'CANCELLED';
  errorCode: string | null;
  key: SeriesKey;
  latencyMs: number | null;
  abstained: boolean;
  promptTokens: number | null;
  generatedTokens: number | null;
  /** How long model and embedder worked, in ms. */
  computeMs: number | null;
  /** 0 to 1: the probability of the label, else that the answer was found. */
  confidence: number | null;
  /** Fused score of the best passage, 0 to 1. */
  retrievalScore: number | null;
  label: string | null;
  /** Whether its conversation or unit has an earlier complete answer of the same hour. */
  repeats: boolean;
}

/** Something to be added to a bucket. */
export interface Addition {
  metric: Counted;
  bin: number;
  detail: string;
  count: number;
  sum: number;
}

/** Labels that are counted by name, in characters: models may read any text as one. */
const LONGEST_LABEL = 200;

const one = (metric: Counted, sum = 0, bin = 0, detail = ''): Addition => ({ metric, bin, detail, count: 1, sum });

/** What an answer adds to each of its buckets. */
export function additionsOf(facts: AnswerFacts): Addition[] {
  const { status, errorCode, latencyMs, confidence, retrievalScore, label, computeMs } = facts;
  if (status === 'CANCELLED') return [one('CANCELLED')];
  const latency = latencyMs === null ? [] : [one('LATENCY', latencyMs, durationBin(latencyMs))];
  if (status === 'FAILED') return [one('FAILED', 0, 0, errorCode ?? 'INTERNAL_ERROR'), ...latency];
  return [
    one('ANSWERS'),
    ...latency,
    ...(facts.abstained ? [one('ABSTAINED')] : []),
    ...(facts.promptTokens === null ? [] : [one('PROMPT_TOKENS', facts.promptTokens)]),
    ...(facts.generatedTokens === null ? [] : [one('GENERATED_TOKENS', facts.generatedTokens)]),
    ...(computeMs === null ? [] : [one('COMPUTE', computeMs, durationBin(computeMs))]),
    ...(confidence === null ? [] : [one('CONFIDENCE', confidence, unitBin(confidence))]),
    ...(retrievalScore === null ? [] : [one('RETRIEVAL', retrievalScore, unitBin(retrievalScore))]),
    ...(label === null ? [] : [one('LABEL', 0, 0, beginningOf(label, LONGEST_LABEL))]),
  ];
}

/** What monitoring knows of something that was said of an answer: the answer's key, and numbers. */
export interface FeedbackFacts {
  workspaceId: string;
  at: Date;
  key: SeriesKey;
  /** -1 to 1; null where none was given. */
  score: number | null;
  /** Whether it says that the answer is right; null where it says neither. */
  agrees: boolean | null;
  /** Of the answer, 0 to 1. */
  confidence: number | null;
}

/** What it adds to each bucket of the time at which it was said. */
export function additionsOfFeedback({ score, agrees, confidence }: FeedbackFacts): Addition[] {
  const bin = confidence === null ? NO_CONFIDENCE : unitBin(confidence);
  return [
    ...(score === null ? [] : [one('FEEDBACK', score)]),
    ...(agrees === null ? [] : [one('TRUTH', confidence ?? 0, bin)]),
    ...(agrees === true ? [one('RIGHT', 0, bin)] : []),
  ];
}
