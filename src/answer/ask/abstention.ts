import type { Abstention, AbstentionReason, Evidence, RouteReason } from './answer.js';
import { percent } from '../../kernel/text.js';
import { answerProbability } from './read/probability.js';

/**
 * The least estimated probability that a sentence answers the question with which an answer is given from it, whoever estimated it: the least
 * hundredth that refuses 97 of 100 questions about something else, read or unread, on corpora that had no part in the fit, which
 * `npm run bench -- probability` finds; it prints, too, what else it refuses and what that costs.
 */
export const LEAST_PROBABILITY = 0.26;

/** Why no answer is given from the documents, or null when one is. */
export function abstention(
  readableChunks: number,
  evidence: readonly Evidence[],
  threshold: number = LEAST_PROBABILITY,
): Abstention | null {
  if (readableChunks === 0) return refuse('NO_DOCUMENTS', null, threshold);
  const best = evidence[0];
  if (best === undefined) return refuse('NOTHING_FOUND', null, threshold);
  const probability = answerProbability(best);
  return probability < threshold ? refuse('LOW_RELEVANCE', probability, threshold) : null;
}

const SENTENCES = {
  NO_DOCUMENTS: 'There are no documents yet that could answer this: add some, or ask for the strategy BASE.',
  NOTHING_FOUND: 'This is not in your documents: nothing in them matches the question.',
  // By words and vectors alone: an answer that is put in other words may be missed.
  LOW_RELEVANCE: 'This does not seem to be in your documents: nothing in them is near enough to the question.',
  MODEL_DECLINED: 'The model read the question and had no answer to it.',
  LOW_CONFIDENCE: 'The model found something in your documents, but not surely enough that it answers this.',
  UNPROVEN: 'Nothing shows that the wanted error rate is kept.',
  FOREIGN: 'This is unlike the messages that the adapter learned from.',
  OUT_OF_SCOPE: 'None of your documents or adapters knows this.',
} as const satisfies Record<AbstentionReason, string>;

/** The model said that it finds no answer, or said nothing at all where nothing can be quoted. */
export const declined = (probability: number | null = null, threshold = LEAST_PROBABILITY): Abstention =>
  refuse('MODEL_DECLINED', probability, threshold);

/** The model, or the labelled rows, have an answer that is less probable than the caller wants. */
export const unsure = (probability: number, threshold: number, answer: 'TEXT' | 'LABEL' = 'TEXT'): Abstention => {
  const lowConfidence = refuse('LOW_CONFIDENCE', probability, threshold);
  return answer === 'TEXT' ? lowConfidence : { ...lowConfidence, sentence: 'No label is sure enough.' };
};

/** Nothing shows that the error rate that the caller wants is kept: no confidence is enough. */
export const unproven = (sentence: string): Abstention => ({ ...refuse('UNPROVEN', null, 1), sentence });

/** The message is none of the adapter's own. @param adapter `name@3` */
export const foreign = (
  adapter: string,
  { pValue, probability }: { pValue: number; probability: number },
  threshold: number,
): Abstention => ({
  ...refuse('FOREIGN', probability, threshold),
  pValue,
  sentence: `This is unlike the messages that ${adapter} learned from.`,
});
/** The question belongs to no document and no adapter. */
export const outOfScope = (): Abstention => refuse('OUT_OF_SCOPE', null, 1);

/** The reader finds none of the sentences probable enough, which words and vectors found to be about the question (`isRelated`) or not. */
export const unanswered = (probability: number, threshold: number, isRelated: boolean): Abstention => ({
  ...refuse('LOW_CONFIDENCE', probability, threshold),
  sentence: isRelated
    ? 'Your documents are about this, but the answer does not seem to be in them.'
    : 'This is not in your documents: what comes closest does not answer the question.',
});

const refuse = (reason: AbstentionReason, probability: number | null, threshold: number): Abstention => ({
  reason,
  sentence: SENTENCES[reason],
  probability,
  threshold,
});

/** Why nothing is answered, for the route's reasons: one number and the threshold that it is below; the sentence where no number decided. */
export function refusalReason({ probability, threshold, sentence, pValue }: Abstention): RouteReason {
  if (pValue !== undefined)
    return {
      feature: 'answer.foreign',
      value: pValue,
      contribution: pValue - threshold,
      sentence: `Refused: ${percent(pValue, 1)} of the adapter’s own messages look as foreign as this one, and at most ${percent(threshold, 1)} of them may be refused.`,
    };
  const value = probability ?? 0;
  return {
    feature: 'answer.refused',
    value,
    contribution: Math.min(0, value - threshold),
    sentence:
      probability === null || probability >= threshold
        ? sentence
        : `Refused: the probability of an answer is ${percent(probability, 1)}, and none is given below ${percent(threshold, 1)}.`,
  };
}
