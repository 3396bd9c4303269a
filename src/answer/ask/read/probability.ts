import type { ReaderCalibration } from '../../../sources/registry/index.js';
import type { Evidence } from '../answer.js';

/** What is added up to the log-odds that a sentence answers the question. */
export type ProbabilityRule = Readonly<
  Record<
    | 'bias'
    /** Cosine of question and sentence. */
    | 'similarity'
    /** Names and numbers of the question that the sentence's passage lacks, as a share of its words. */
    | 'missingNames'
    /** Added where a reader has read the sentence, */
    | 'read'
    /** and for each unit of the log-odds that it gives it. */
    | 'reader',
    number
  >
>;

/**
 * Logistic regression, fitted by `npm run bench -- probability`, which also shows what it comes to on each corpus when it is fitted to the others.
 * The passage's cosine, and how many of the question's words stand in sentence and passage, said no more beside these: they were tried and left out.
 */
export const PROBABILITY = {
  bias: -4.03,
  similarity: 6.22,
  missingNames: -5.07,
  read: 0.23,
  reader: 0.38,
} as const satisfies ProbabilityRule;

/**
 * Log-odds that are added for a sentence about the edition, code or amount that the question names, and taken away for one about another. Not fitted with
 * the rest: hardly a question of those sets names any. Chosen on `bench/evidence/development`.
 */
const FITS = 1;

/** The reader is taken for no surer than this, that its log-odds stay finite. */
const LEAST_CERTAIN = 1e-4;

/** What the rule looks at: a sentence's own figures, its passage's, and what a reader makes of it. */
export type JudgedSentence = Pick<Evidence, 'similarity' | 'missingNames' | 'fits' | 'answerability'>;

/** Estimated probability, 0 to 1, that a sentence answers the question, of questions of which half have an answer in the documents. */
export function answerProbability(sentence: JudgedSentence, rule: ProbabilityRule = PROBABILITY): number {
  const sum = featuresOf(sentence).reduce(
    (total, [name, value]) => total + rule[name] * value,
    rule.bias + FITS * (sentence.fits ?? 0),
  );
  return sigmoid(sum);
}

const sigmoid = (logOdds: number): number => 1 / (1 + Math.exp(-logOdds));

/** What is weighed of a sentence, by name. */
export function featuresOf({
  similarity,
  missingNames,
  answerability,
}: JudgedSentence): [Exclude<keyof ProbabilityRule, 'bias'>, number][] {
  const read = answerability !== undefined;
  return [
    ['similarity', similarity ?? 0],
    ['missingNames', missingNames],
    ['read', Number(read)],
    ['reader', read ? readerLogOdds(answerability) : 0],
  ];
}

/** What a reader says, 0 to 1, as the one would that the rule was fitted to. */
export const calibrated = (probability: number, calibration: ReaderCalibration | undefined): number =>
  calibration === undefined ? probability : sigmoid(calibration.bias + calibration.slope * readerLogOdds(probability));

/** Log-odds of what a reader says, 0 to 1. */
export function readerLogOdds(probability: number): number {
  const certain = Math.min(Math.max(probability, LEAST_CERTAIN), 1 - LEAST_CERTAIN);
  return Math.log(certain / (1 - certain));
}
