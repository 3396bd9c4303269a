/** Starts a list item, a step or a clause (`6.2 The tenant`), so the line break before it is meant. */
const MARKER = /^\s*(?:(?:[-*+•‣▪◦–—]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+\S|\d{1,3}(?:\.\d{1,3})+\s+\p{Lu})/u;

/** A line is cut by its margin, not by its author, when it fills most of the width of its paragraph. */
const FULL_SHARE = 0.75;
/** Paragraphs narrower than this are addresses, verses or tables: their line breaks are meant. */
const MIN_WRAP_WIDTH = 40;
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
  breaks(lines, widths, minWidth).forEach((found, index) => {
    const line = lines[index]!.trim();
    if (index === 0) text = line;
    else if (found === 'meant') text += '\n' + line;
    else if (found === 'hyphenated') text = text.slice(0, -1) + line;
    else text += ' ' + line;
  });
  return text;
}

/** What the line break before each line is: its author's, its margin's, or its margin's in the middle of a word. */
export function breaks(
  lines: readonly string[],
  widths: readonly number[] = lines.map((line) => line.length),
  minWidth = MIN_WRAP_WIDTH,
): ('meant' | 'wrapped' | 'hyphenated')[] {
  const widest = Math.max(0, ...widths);
  return lines.map((line, index) => {
    if (index === 0 || widest < minWidth) return 'meant';
    if (HYPHENATED.test(lines[index - 1]!.trimEnd()) && /^\s*\p{Ll}/u.test(line)) return 'hyphenated';
    return (widths[index - 1] ?? 0) >= FULL_SHARE * widest && !MARKER.test(line) ? 'wrapped' : 'meant';
  });
}
