import type { Abstention, AbstentionReason, Evidence, RouteReason } from '../answer.js';
import { percent } from '../../kernel/text.js';

/**
 * Logistic regression over what retrieval says of the best sentence and its passage, fitted by `npm run bench -- answers --fit` on
 * XQuAD: questions asked of their own half of the articles against the same questions asked of the other half.
 */
interface Rule {
  bias: number;
  /** Cosine of question and passage. */
  dense: number;
  /** Share of the question's words in the passage, weighted by rarity. */
  passageCoverage: number;
  /** The same for the sentence, with part of the one before. */
  coverage: number;
  /** Cosine of question and sentence. */
  similarity: number;
  /** Names and numbers of the question that the passage lacks, as a share of its words. */
  missingNames: number;
}

export const RELEVANCE_RULE: Rule = {
  bias: -9.67,
  dense: 9.81,
  passageCoverage: 4.1,
  coverage: 2.39,
  similarity: 7.81,
  missingNames: -2.37,
};
/** For when the vector store is away and passages have no cosine. */
const LEXICAL_RULE: Rule = {
  bias: -8.99,
  dense: 0,
  passageCoverage: 5.09,
  coverage: 1.54,
  similarity: 13.95,
  missingNames: -2.01,
};

/** The least estimated probability with which an answer is given: 2 % of XQuAD's answerable questions lie below. */
export const LEAST_PROBABILITY = 0.4;

/** Estimated probability that the best sentence's passage holds the answer, 0 to 1. */
export function relevance(best: Evidence): number {
  const { dense } = best.scores;
  const rule = dense === null ? LEXICAL_RULE : RELEVANCE_RULE;
  const sum =
    rule.bias +
    rule.dense * (dense ?? 0) +
    rule.passageCoverage * best.passageCoverage +
    rule.coverage * best.coverage +
    rule.similarity * (best.similarity ?? 0) +
    rule.missingNames * best.missingNames;
  return 1 / (1 + Math.exp(-sum));
}

/** Why no answer is given from the documents, or null when one is. */
export function abstention(
  readableChunks: number,
  evidence: readonly Evidence[],
  threshold: number = LEAST_PROBABILITY,
): Abstention | null {
  if (readableChunks === 0) return refuse('NO_DOCUMENTS', null, threshold);
  const best = evidence[0];
  if (best === undefined) return refuse('NOTHING_FOUND', null, threshold);
  const probability = relevance(best);
  return probability < threshold ? refuse('LOW_RELEVANCE', probability, threshold) : null;
}

/**
 * Refused unread only below this where a reader may judge: questions that share few words with their answer are as irrelevant by the rule above as
 * questions about something else, and a reader tells most of them apart (`bench -- own-words`, AUTO beside RAG).
 */
export const LEAST_READ = 0.01;

/** Whether a reader is to say its word on what the rule makes of the best sentence. */
export const worthReading = (refused: Abstention | null): boolean =>
  refused === null || (refused.reason === 'LOW_RELEVANCE' && refused.probability! >= LEAST_READ);

const SENTENCES = {
  NO_DOCUMENTS: 'There are no documents yet that could answer this.',
  NOTHING_FOUND: 'This is not in your documents: nothing in them matches the question.',
  LOW_RELEVANCE: 'This is not in your documents: what comes closest does not answer the question.',
  MODEL_DECLINED: 'The model read the question and had no answer to it.',
  LOW_CONFIDENCE: 'The model found something in your documents, but not surely enough that it answers this.',
  UNPROVEN: 'Nothing shows that the wanted error rate is kept.',
} as const satisfies Record<AbstentionReason, string>;

/** The model said that it finds no answer, or said nothing at all. */
export const declined = (probability: number | null = null, threshold = LEAST_PROBABILITY): Abstention =>
  refuse('MODEL_DECLINED', probability, threshold);

/** The model, or the labelled rows, have an answer that is less probable than the caller wants. */
export const unsure = (probability: number, threshold: number, answer: 'TEXT' | 'LABEL' = 'TEXT'): Abstention => {
  const refused = refuse('LOW_CONFIDENCE', probability, threshold);
  return answer === 'TEXT' ? refused : { ...refused, sentence: 'No label is sure enough.' };
};

/** Nothing shows that the error rate that the caller wants is kept: no confidence is enough. */
export const unproven = (sentence: string): Abstention => ({ ...refuse('UNPROVEN', null, 1), sentence });

/** The reader doesn't find the answer in the passages, whether these are near the question or doubtfully so. */
export const unanswered = (judged: { answerability: number; least: number; doubted: boolean }): Abstention => ({
  ...refuse('LOW_CONFIDENCE', judged.answerability, judged.least),
  sentence: judged.doubted
    ? SENTENCES.LOW_RELEVANCE
    : 'Your documents are about this, but the answer does not seem to be in them.',
});

const refuse = (reason: AbstentionReason, probability: number | null, threshold: number): Abstention => ({
  reason,
  sentence: SENTENCES[reason],
  probability,
  threshold,
});

/** Why nothing is answered, for the route's reasons: one number and the threshold that it is below. */
export function refusalReason({ probability, threshold, sentence }: Abstention): RouteReason {
  const value = probability ?? 0;
  return {
    feature: 'answer.refused',
    value,
    contribution: value - threshold,
    sentence:
      probability === null
        ? sentence
        : `Refused: the probability of an answer is ${percent(probability)}, and none is given below ${percent(threshold)}.`,
  };
}
