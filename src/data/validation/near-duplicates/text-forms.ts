/** The text as duplicates are compared exactly: composed, without blanks at the ends, runs of blanks as one. */
export const exactForm = (text: string): string => text.normalize('NFC').replace(/\s+/g, ' ').trim();

/** Its words alone: compatibility forms folded, lower case, everything but letters, marks and digits as one blank. */
export const wordsForm = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
