/**
 * Text of a document between two lines of backticks, one more than the longest run inside: a document can't close its own
 * fence, whatever it holds.
 */
export function fenced(text: string): string {
  const runs = text.match(/`+/g) ?? [];
  const fence = '`'.repeat(Math.max(3, ...runs.map((run) => run.length + 1)));
  return `${fence}\n${text}\n${fence}`;
}

/** Text on one line: line breaks and runs of white space become single spaces. */
export const oneLine = (text: string): string => text.replace(/\s+/gu, ' ').trim();
