/** Starts a list item, a step or a clause (`6.2 The tenant`), so the line break before it is meant. */
const MARKER = /^\s*(?:(?:[-*+•‣▪◦–—]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+\S|\d{1,3}(?:\.\d{1,3})+\s+\p{Lu})/u;

/** A line is cut by its margin, not by its author, when it fills most of the width of its paragraph. */
const FULL_SHARE = 0.75;
/** Paragraphs narrower than this are addresses, verses or tables: their line breaks are meant. */
const MIN_WRAP_WIDTH = 40;
/** So many lines of one width are a paragraph that was wrapped, beside one that wasn't. */
const MIN_ALIKE = 3;
const HYPHENATED = /\p{L}\p{L}-$/u;

/**
 * Undoes hard wrapping: joins the lines of one paragraph that its margin broke, keeps breaks that carry meaning
 * (list items, short lines), and rejoins words hyphenated at a line end.
 * @param widths of the lines in any unit (characters, points); with `minWidth` in the same unit
 */
export function unwrap(
  lines: readonly string[],
  widths: readonly number[] = lines.map((line) => line.length),
  minWidth = MIN_WRAP_WIDTH,
): string {
  let text = '';
  breaks(lines, widths, minWidth).forEach((lineBreak, index) => {
    const line = lines[index]!.trim();
    if (index === 0) text = line;
    else if (lineBreak === 'meant') text += '\n' + line;
    else if (lineBreak === 'hyphenated') text = text.slice(0, -1) + line;
    else text += ' ' + line;
  });
  return text;
}

/**
 * The width that a margin gave the lines of a paragraph. No margin breaks a link, and one line that nobody wrapped tells
 * nothing of several others that are as wide as each other.
 */
function widthOfParagraph(lines: readonly string[], widths: readonly number[]): number {
  const breakable = widths.filter((_, index) => !isOneWord(lines[index] ?? ''));
  const [widest = 0, next = 0, ...rest] = (breakable.length > 0 ? breakable : [...widths]).sort((a, b) => b - a);
  const alike = rest.filter((width) => width >= FULL_SHARE * next).length + 1;
  return next < FULL_SHARE * widest && alike >= MIN_ALIKE ? next : widest;
}

/** Whether a link, or the like, takes most of a line. */
const isOneWord = (line: string): boolean =>
  (line.match(/[!-~]+/g) ?? []).some((word) => word.length > line.trim().length / 2);

/** What the line break before each line is: its author's, its margin's, or its margin's in the middle of a word. */
export function breaks(
  lines: readonly string[],
  widths: readonly number[] = lines.map((line) => line.length),
  minWidth = MIN_WRAP_WIDTH,
): ('meant' | 'wrapped' | 'hyphenated')[] {
  const widest = widthOfParagraph(lines, widths);
  return lines.map((line, index) => {
    if (index === 0 || widest < minWidth) return 'meant';
    if (HYPHENATED.test(lines[index - 1]!.trimEnd()) && /^\s*\p{Ll}/u.test(line)) return 'hyphenated';
    return (widths[index - 1] ?? 0) >= FULL_SHARE * widest && !MARKER.test(line) ? 'wrapped' : 'meant';
  });
}
