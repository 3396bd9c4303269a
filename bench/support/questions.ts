import { normalizeAnswer, type AnsweredRow } from '../../src/evaluation/index.js';

/** So many of the items at most, spread over all of them. */
export const every = <T>(items: readonly T[], most: number): T[] => {
  const step = Math.max(1, items.length / Math.max(1, most));
  return Array.from({ length: Math.min(most, items.length) }, (_, index) => items[Math.floor(index * step)]!);
};

/** Whether a right answer stands in the text, word for word: a sentence that has it is right, too, though its F1 is low. */
export const holdsGold = ({ gold, answer }: AnsweredRow): boolean => {
  const said = ` ${normalizeAnswer(answer)} `;
  return gold.some((one) => said.includes(` ${normalizeAnswer(one)} `));
};
