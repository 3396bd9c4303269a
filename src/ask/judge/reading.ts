import { LEAST_PROBABILITY } from './abstain.js';
import type { Evidence } from '../answer.js';
import { byScore } from '../read/evidence.js';
import { answerProbability, readerLogOdds, type JudgedSentence, type ProbabilityRule } from './probability.js';

/** How sentences are read by the reader before an answer is given from one: `bench -- probability` shows what it comes to. */
export const READING = {
  /** Version of what is shown of a sentence: see `surroundings.ts`. */
  form: 2,
  /** Sentences that are read at most, best first. Each takes a prompt of some hundred tokens. */
  most: 6,
  /**
   * What the reader says at most of 99 of 100 sentences that don't answer. What it couldn't make probable by that isn't read, nor what couldn't come
   * first by it.
   */
  reach: 0.95,
  /** What a unit of the reader's log-odds adds to a sentence's score: any from .07 to .13 served each corpus better than none, or as well. */
  weight: 0.1,
} as const;

/** Whether a sentence would be probable enough to be answered from if the reader gave it as much as it gives hardly any that doesn't answer. */
export const isWorthReading = (
  sentence: JudgedSentence,
  least: number = LEAST_PROBABILITY,
  rule?: ProbabilityRule,
): boolean =>
  answerProbability({ ...sentence, answerability: READING.reach }, rule) >= Math.min(least, LEAST_PROBABILITY);

/** Whether the next sentence needn't be read: one of those that were stays before it even if the reader gave it as much as it gives hardly any that doesn't answer. */
export const isReadEnough = (read: readonly Scored[], next: Scored): boolean => {
  const atBest = { ...next, score: next.score + READING.weight * readerLogOdds(READING.reach) };
  return read.some((each) => byScore(each, atBest) <= 0);
};

type Scored = Pick<Evidence, 'score' | 'addressed'>;
