import { LEAST_PROBABILITY } from '../abstention.js';
import type { Evidence } from '../answer.js';
import { byScore } from '../read/evidence.js';
import type { Breadth } from '../read/retrieve.js';
import { answerProbability, readerLogOdds, type JudgedSentence, type ProbabilityRule } from '../read/probability.js';

/** How sentences are read by the reader before an answer is given from one: `bench -- probability` shows what it comes to. */
export const READING = {
  /** Version of what is shown of a sentence: see `surroundings.ts`. */
  form: 2,
  /** Sentences that are read at most, best first. Each takes a prompt of some hundred tokens. */
  most: 6,
  /**
   * What the reader says at most of 98 of 100 sentences that don't answer. What it couldn't make probable by that isn't read, nor what wouldn't come
   * first by it.
   */
  reach: 0.95,
  /** What a unit of the reader's log-odds adds to a sentence's score: any from .07 to .13 served each corpus better than none, or as well. */
  weight: 0.1,
} as const;

/** What is sought for a reader: the best of many hold the sentence that few words of the question lead to more often than the best of eight. */
export const TO_BE_READ: Breadth = { embedded: 40, kept: READING.most };

/** Whether a sentence would be probable enough to be answered from if the reader gave it as much as it gives hardly any that doesn't answer. */
export const isWorthReading = (
  sentence: JudgedSentence,
  threshold: number = LEAST_PROBABILITY,
  rule?: ProbabilityRule,
): boolean =>
  answerProbability({ ...sentence, answerability: READING.reach }, rule) >= Math.min(threshold, LEAST_PROBABILITY);

/**
 * Whether the next sentence needn't be read: the first of those that were may be answered from, and stays before it unless the reader is surer of it
 * than of nearly any that doesn't answer.
 */
export function isReadEnough(
  read: readonly (JudgedSentence & Ranked)[],
  next: Ranked,
  threshold: number = LEAST_PROBABILITY,
  rule?: ProbabilityRule,
): boolean {
  const [first] = read.toSorted(byScore);
  const atReach = { ...next, score: next.score + READING.weight * readerLogOdds(READING.reach) };
  return first !== undefined && answerProbability(first, rule) >= threshold && byScore(first, atReach) <= 0;
}

/** What puts sentences in order. */
type Ranked = Pick<Evidence, 'score' | 'addressed'>;
