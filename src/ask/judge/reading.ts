import { LEAST_PROBABILITY } from './abstain.js';
import { answerProbability, type JudgedSentence, type ProbabilityRule } from './probability.js';

/** How sentences are read by the reader before an answer is given from one: `bench -- probability` shows what it comes to. */
export const READING = {
  /** Version of what is shown of a sentence: see `surroundings.ts`. */
  form: 2,
  /** Sentences that are read, best first: until one of them is sure to hold the answer, and so many at most. Each takes a prompt of some hundred tokens. */
  atLeast: 2,
  most: 6,
  sure: 0.8,
  /** What the reader says at most of 99 of 100 sentences that don't answer. What it couldn't make probable by that isn't read. */
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

/** Whether the next sentence needn't be read: one of those that were is sure to hold the answer. */
export const isReadEnough = (read: readonly JudgedSentence[], rule?: ProbabilityRule): boolean =>
  read.length >= READING.atLeast && read.some((sentence) => answerProbability(sentence, rule) >= READING.sure);
