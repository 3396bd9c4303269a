import { anyOf, SENTENCE_WORDS } from '../languages/index.js';

/** The yes or no that a wording begins with. */
export interface YesNo {
  /** As written. */
  text: string;
  affirms: boolean;
}

const YES = anyOf(SENTENCE_WORDS.flatMap(({ yes }) => yes ?? []));
const NO = anyOf(SENTENCE_WORDS.flatMap(({ no }) => no ?? []));
/** At the beginning of a line, because texts of a JSON text come a line each. "No deposit is needed" begins with none. */
const LEADING = new RegExp(`^\\s*(?:${YES.source}|${NO.source}(?=\\s*(?:[,.;:!–—-]|$)))[\\s,.;:!–—-]*`, 'gimu');

/**
 * A wording without the yes or no that it begins with: that answers the question, and no document says it.
 * @returns what is left, and the first yes or no; null where there is none
 */
export function withoutYesNo(wording: string): { rest: string; yesNo: YesNo | null } {
  const text = wording.normalize('NFC');
  const first = text.match(LEADING)?.[0];
  if (first === undefined) return { rest: wording, yesNo: null };
  const word = first.replace(/[^\p{L}]+/gu, '');
  return { rest: text.replace(LEADING, ''), yesNo: { text: word, affirms: YES.test(word) } };
}
