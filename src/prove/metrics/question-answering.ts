import { ratio, type Metric } from './metric.js';

export interface AnsweredRow {
  /** Every answer that counts as right; empty: the question has none and should be refused. */
  gold: readonly string[];
  /** Empty when the model refused. */
  answer: string;
}

/** Lower case, without punctuation, articles and superfluous white space: the normalisation of SQuAD's evaluation script. */
const normalizeAnswer = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/g, '')
    .replace(/\b(a|an|the)\b/g, ' ')
    .trim()
    .split(/\s+/u)
    .join(' ');

const tokens = (text: string): string[] =>
  normalizeAnswer(text)
    .split(' ')
    .filter((token) => token !== '');

/** 1 when the answer equals one that counts. */
const exact = ({ gold, answer }: AnsweredRow): number =>
  (gold.length === 0 ? [''] : gold).some((reference) => normalizeAnswer(reference) === normalizeAnswer(answer)) ? 1 : 0;

/** F1 of the words of an answer and a gold one. */
function overlap(gold: string, answer: string): number {
  const [right, answerTokens] = [tokens(gold), tokens(answer)];
  if (right.length === 0 || answerTokens.length === 0) return right.length === answerTokens.length ? 1 : 0;
  const counts = new Map<string, number>();
  for (const token of right) counts.set(token, (counts.get(token) ?? 0) + 1);
  let matchCount = 0;
  for (const token of answerTokens) {
    const times = counts.get(token) ?? 0;
    if (times > 0) matchCount += 1;
    counts.set(token, times - 1);
  }
  return ratio(2 * matchCount, right.length + answerTokens.length);
}

/** The best F1 against any answer that counts, 0..1. */
export const answerF1 = ({ gold, answer }: AnsweredRow): number =>
  Math.max(...(gold.length === 0 ? [''] : gold).map((reference) => overlap(reference, answer)));

/** Whether an answer that counts stands in the text, word for word: a sentence that has it is right, too, though its F1 is low. */
export function holdsAnswer({ gold, answer }: AnsweredRow): boolean {
  const text = ` ${normalizeAnswer(answer)} `;
  return gold.some((reference) => text.includes(` ${normalizeAnswer(reference)} `));
}

const meanOf = (name: string, score: (row: AnsweredRow) => number) => ({
  name,
  higherIsBetter: true,
  top: 1,
  statistics: (row: AnsweredRow) => [score(row), 1],
  value: ([total, rows]: readonly number[]) => ratio(total!, rows!),
});

/** As SQuAD's script computes them (Rajpurkar et al. 2018), 0..1; a refused unanswerable question counts as right. */
export const exactMatch: Metric<AnsweredRow> = {
  ...meanOf('exact match', exact),
  share: ([right, rows]) => [right!, rows!],
};
export const tokenF1: Metric<AnsweredRow> = meanOf('token F1', answerF1);

/** `[refused and unanswerable, refused, unanswerable]` */
const refusals = ({ gold, answer }: AnsweredRow): number[] => {
  const [isRefusal, unanswerable] = [answer.trim() === '', gold.length === 0];
  return [isRefusal && unanswerable ? 1 : 0, isRefusal ? 1 : 0, unanswerable ? 1 : 0];
};

/** Share of the refusals that were due. */
export const refusalPrecision: Metric<AnsweredRow> = {
  name: 'refusal precision',
  higherIsBetter: true,
  statistics: refusals,
  value: ([right, refusalCount]) => ratio(right!, refusalCount!),
  share: ([right, refusalCount]) => [right!, refusalCount!],
};

/** Share of the unanswerable questions that were refused. */
export const refusalRecall: Metric<AnsweredRow> = {
  name: 'refusal recall',
  higherIsBetter: true,
  statistics: refusals,
  value: ([right, , unanswerable]) => ratio(right!, unanswerable!),
  share: ([right, , unanswerable]) => [right!, unanswerable!],
};
