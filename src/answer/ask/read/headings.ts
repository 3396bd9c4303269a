/**
 * Text without marks has headings that are told by their looks: a short line of a paragraph's own. Two questions are asked of them, and the rules differ
 * by what a mistake costs: a sentence that is taken for a heading is evidence only where nothing else is, a line that is taken for the heading of
 * what follows is shown above it.
 */

/** Words of a line that may be a heading. */
const LONGEST_HEADING = 8;

const BOLD = /^\*\*[^*]+\*\*$/;

const isShort = (line: string): boolean => line.split(/\s+/).length <= LONGEST_HEADING;
/** Whether the line that ends at `end` is its last, or the next one is another. */
const endsLine = (text: string, end: number): boolean => /^[ \t]*\n/.test(text.slice(end));

/** A heading matches what it announces better than any sentence does, and says nothing of it: one that its passage stands under is no evidence. */
export const isHeading = ({ headings }: { headings: readonly string[] }, line: string): boolean =>
  headings.includes(line.replace(/^#+\s*/, ''));

/**
 * Further headings inside a passage are told by their looks: a short line without figures and without an end mark that begins a paragraph, or is
 * set in bold. A sentence without its full stop looks the same, which is why they are left out only where something else fits. Names with their
 * values (rows of tables, addresses, definitions) don't.
 */
export function looksLikeHeading(text: string, start: number, end: number): boolean {
  const line = text.slice(start, end);
  const opens = /(^|\n\s*\n)[ \t]*$/.test(text.slice(0, start)) || BOLD.test(line);
  const plain = !/[.!?…"”)\]]$|[:;|@]|\p{N}/u.test(line);
  return opens && endsLine(text, end) && (plain || isTitleOfYear(line)) && isShort(line);
}

/** “2021 Wimbledon Championships.”: a year and names alone, but for words of grammar. “Founded 1877” says something. */
function isTitleOfYear(line: string): boolean {
  const words = line.replace(/[.]$/, '').split(/\s+/);
  const years = words.filter((word) => /^(?:1[5-9]|20)\d\d$/.test(word)).length;
  const names = words.filter((word) => /^\p{Lu}\p{L}{2,}$/u.test(word)).length;
  const small = words.filter((word) => /^\p{L}{1,3}$/u.test(word)).length;
  return years === 1 && names >= 2 && years + names + small >= words.length;
}

/** A short line that begins a paragraph and goes on below: text without marks has its headings so, and small sections that were joined theirs. */
export function opensSection(
  text: string,
  { start, end, text: line }: { start: number; end: number; text: string },
): boolean {
  const opens = /(^|\n\s*\n)$/.test(text.slice(0, start)) && endsLine(text, end);
  return opens && !/[.!?…"”)\]]$|[:;|]/u.test(line) && isShort(line);
}
