/** Replaces `text[start..end)` by `by`. Edits of one list are in order and don't overlap. */
export interface Edit {
  start: number;
  end: number;
  by: string;
}

/** A text after edits, and where places of the old text stand in it. */
interface EditedText {
  text: string;
  /**
   * The place of an old span in the new text. A bound inside a replaced stretch moves outwards to its edge;
   * a span whose text is gone is empty.
   */
  moveSpan(span: { start: number; end: number }): { start: number; end: number };
}

export function applyEdits(text: string, edits: readonly Edit[]): EditedText {
  if (edits.length === 0) return { text, moveSpan: ({ start, end }) => ({ start, end }) };
  let edited = '';
  let from = 0;
  for (const edit of edits) {
    edited += text.slice(from, edit.start) + edit.by;
    from = edit.end;
  }
  edited += text.slice(from);

  const move = (position: number, towards: 'start' | 'end'): number => {
    let shift = 0;
    for (const edit of edits) {
      if (towards === 'start' ? edit.start > position : edit.start >= position) break;
      if (position >= edit.end) shift += edit.by.length - (edit.end - edit.start);
      else return edit.start + shift + (towards === 'start' ? 0 : edit.by.length);
    }
    return position + shift;
  };
  return {
    text: edited,
    moveSpan: ({ start, end }) => {
      const newStart = move(start, 'start');
      return { start: newStart, end: Math.max(newStart, move(end, 'end')) };
    },
  };
}

/** One edit a match of a global pattern; matches that stay as they are make none. */
export function editsOf(text: string, pattern: RegExp, replacementOf: (match: RegExpExecArray) => string): Edit[] {
  const edits: Edit[] = [];
  for (const match of text.matchAll(pattern)) {
    const replacement = replacementOf(match);
    if (replacement !== match[0])
      edits.push({ start: match.index, end: match.index + match[0].length, by: replacement });
  }
  return edits;
}
