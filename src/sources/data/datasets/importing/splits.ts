import { createHash } from 'node:crypto';
import { z } from 'zod';
import { choice } from '../../../../kernel/record.js';
import { own } from '../../../../kernel/own.js';

export const Split = choice('Split', 'What a row is used for.', {
  TRAIN: 'Training.',
  VALIDATION: 'Choosing between checkpoints and settings.',
  TEST: 'Measuring what was chosen.',
});
export type Split = keyof typeof Split;

/** How rows without a given split get theirs. */
export const splitRule = z.object({
  seed: z.string(),
  /** Shares of the rows, 0..1; the rest is for training. */
  validation: z.number(),
  test: z.number(),
});
export type SplitRule = z.infer<typeof splitRule>;

export const DEFAULT_SPLIT_RULE: SplitRule = { seed: 'graft', validation: 0.1, test: 0.1 };

const WORDS: Readonly<Record<string, Split>> = {
  train: Split.TRAIN,
  training: Split.TRAIN,
  validation: Split.VALIDATION,
  valid: Split.VALIDATION,
  val: Split.VALIDATION,
  dev: Split.VALIDATION,
  test: Split.TEST,
  testing: Split.TEST,
  eval: Split.TEST,
};

/** The split that a word in a file names, or null. */
export const splitOfWord = (word: string): Split | null => own(WORDS, word.trim().toLowerCase()) ?? null;

/**
 * The split of a group, from a hash of its own key alone: all rows of the group share it, and adding or removing other
 * rows, now or in a later version, never moves it.
 */
export function splitOfGroup(groupKey: string, rule: SplitRule): Split {
  const hash = createHash('sha256').update(`${rule.seed}\0${groupKey}`).digest();
  const share = hash.readUIntBE(0, 6) / 2 ** 48;
  if (share < rule.test) return Split.TEST;
  return share < rule.test + rule.validation ? Split.VALIDATION : Split.TRAIN;
}
