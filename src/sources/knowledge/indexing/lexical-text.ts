import { UNIT } from '../../../kernel/units.js';

/** Where a number ends and its unit begins. */
const BEFORE_UNIT = new RegExp(`(?<=\\p{N})(?=${UNIT})`, 'gu');

/**
 * Text as the lexical index reads it: lower-case words and numbers, separated by single spaces. PostgreSQL's parser would
 * otherwise take `TCP/IP` for a file, `node.js` for a host and `e-mail` for a compound, and find none of their words.
 * A point inside a number stays (`3.5.1`), a comma between thousands goes (`1,000` is 1000), and a unit is a word of its own (`10kg` is 10 kg).
 */
export const lexicalText = (text: string): string =>
  text
    .normalize('NFKC')
    .replace(/[\u00ad\ufeff\u200b]/g, '')
    .toLowerCase()
    .replace(BEFORE_UNIT, ' ')
    .replace(/(?<=\d),(?=\d{3}(?!\d))/g, '')
    .replace(/(?<!\d)\.|\.(?!\d)|[^\p{L}\p{N}\p{M}.]/gu, ' ')
    .replace(/ +/g, ' ')
    .trim();

/**
 * What is embedded and indexed for a chunk: its headings, where its own text doesn't start with them, and its text.
 * A section's later chunks rarely repeat what the section is about.
 */
export function indexText(chunk: { headings: readonly string[]; text: string }): string {
  const missing = chunk.headings.filter((heading) => !chunk.text.includes(heading));
  return missing.length === 0 ? chunk.text : `${missing.join('\n')}\n${chunk.text}`;
}
