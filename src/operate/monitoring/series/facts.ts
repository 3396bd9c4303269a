import type { AnswerOutcome } from '../../../answer/ask/index.js';
import { beginningOf } from '../../../kernel/text.js';
import { durationBin, NO_CONFIDENCE, unitBin } from './bins.js';
import { AMOUNTS, type Counted, type SeriesKey } from './metric.js';

/** What monitoring knows of an answer that was settled: numbers and names, no text of anybody's. */
export interface AnswerFacts extends Omit<AnswerOutcome, 'tokens'> {
  workspaceId: string;
  answerId: string;
  adapterVersionId: string | null;
  at: Date;
  errorCode: string | null;
  key: SeriesKey;
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
  const { status, errorCode, label } = facts;
  if (status === 'CANCELLED') return [one('CANCELLED')];
  const amounts = Object.values(AMOUNTS).flatMap(({ read, counted, scale, failures = false }) => {
    const value = status === 'COMPLETE' || failures ? read(facts) : null;
    if (value === null) return [];
    return [one(counted, value, scale === 'DURATION' ? durationBin(value) : scale === 'UNIT' ? unitBin(value) : 0)];
  });
  if (status === 'FAILED') return [one('FAILED', 0, 0, errorCode ?? 'INTERNAL_ERROR'), ...amounts];
  return [
    one('ANSWERS'),
    ...amounts,
    ...(facts.abstained ? [one('ABSTAINED')] : []),
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
