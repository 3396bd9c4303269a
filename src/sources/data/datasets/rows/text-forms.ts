/** The text as duplicates are compared exactly: composed, without blanks at the ends, runs of blanks as one. */
export const exactForm = (text: string): string => text.normalize('NFC').replace(/\s+/g, ' ').trim();

/**
 * Its words alone: compatibility forms folded, lower case, everything but letters, marks and digits as one blank.
 * A text without any word ("!!!", an emoji) stays as it is, so that not all of those are one.
 */
export function wordsForm(text: string): string {
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
  return words === '' ? exactForm(text) : words;
}
