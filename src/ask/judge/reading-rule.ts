import type { Evidence } from '../answer.js';

/**
 * How sentences are read before an answer is given from one. Chosen on six corpora: XQuAD's unseen articles, COVID-QA, the example handbook and
 * three sets in a user's own words; `bench -- own-words` and `near` show what answers come to under it.
 */
export const READING = {
  /** Version of what is shown of a sentence: see `surroundings.ts`. */
  form: 2,
  /** Sentences that are read, best first: until one of them is sure to hold the answer, and so many at most. Each takes a prompt of some hundred tokens. */
  atLeast: 2,
  most: 8,
  sure: 0.8,
  /** What a unit of the reader's log-odds adds to a sentence's score: any from .07 to .13 served each corpus better than none, or as well. */
  weight: 0.1,
  /**
   * Probability that a sentence holds the answer, from the log-odds that the reader gives it and its cosine with the question: a logistic
   * regression, sentences with the answer weighing as much as those without, and each corpus as much as another. The reader alone is too sure of
   * itself on texts unlike those that it learned from.
   */
  rule: { bias: -1.99, logOdds: 0.39, similarity: 3.25 },
} as const;

/**
 * Where the caller leaves the choice, a sentence less probable than this to hold the answer is answered from no more. Relevance alone
 * (`abstain.ts`) can't tell text near an answer from text with it. `bench -- own-words` and `near` show what it refuses and costs.
 */
export const LEAST_ANSWERABILITY = 0.35;

/**
 * The same where relevance says less than this, as it does of most questions about something else: the reader, which learned to tell an answer from
 * what is near it, has to be surer there. Chosen on two of the sets in a user’s own words and on questions of all four that were asked of another set’s
 * documents; what the fourth's own documents are asked was in no choice.
 */
export const DOUBTED = { below: 0.2, leastAnswerability: 0.6 } as const;

/** The least probability that is answered from, by how relevant the best sentence is. */
export const leastAnswerability = (relevant: number): number =>
  relevant < DOUBTED.below ? DOUBTED.leastAnswerability : LEAST_ANSWERABILITY;

/** The reader is taken for no surer than this, that its log-odds stay finite. */
const LEAST_CERTAIN = 1e-4;

/** Log-odds of what the reader says, 0 to 1. */
export function readingLogOdds(probability: number): number {
  const certain = Math.min(Math.max(probability, LEAST_CERTAIN), 1 - LEAST_CERTAIN);
  return Math.log(certain / (1 - certain));
}

/** Probability that a sentence holds the answer; what the reader says alone where there is no cosine. */
export function answerabilityOf({
  answerability = 0,
  similarity,
}: Pick<Evidence, 'answerability' | 'similarity'>): number {
  if (similarity === null) return answerability;
  const { bias, logOdds, similarity: cosine } = READING.rule;
  return 1 / (1 + Math.exp(-(bias + logOdds * readingLogOdds(answerability) + cosine * similarity)));
}
