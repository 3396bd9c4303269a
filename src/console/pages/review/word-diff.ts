/** A stretch of words that both texts have, or only one of them. */
interface Stretch {
  kind: 'SAME' | 'REMOVED' | 'ADDED';
  text: string;
}

/** Longer texts are shown as replaced as a whole: the table below grows with the product of both. */
const MOST_WORDS = 1_000;

const wordsOf = (text: string): string[] => text.match(/\s+|[^\s]+/gu) ?? [];

/** What has to be removed from and added to `oldText` to make `newText`, in words: a longest common subsequence. */
export function wordDiff(oldText: string, newText: string): Stretch[] {
  const [a, b] = [wordsOf(oldText), wordsOf(newText)];
  if (a.length > MOST_WORDS || b.length > MOST_WORDS)
    return oldText === newText
      ? [{ kind: 'SAME', text: oldText }]
      : [
          { kind: 'REMOVED', text: oldText },
          { kind: 'ADDED', text: newText },
        ];
  // common[i][j]: the most words that a from i and b from j have in common.
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i]![j] = a[i] === b[j] ? common[i + 1]![j + 1]! + 1 : Math.max(common[i + 1]![j]!, common[i]![j + 1]!);
  const stretches: Stretch[] = [];
  const add = (kind: Stretch['kind'], text: string) => {
    const last = stretches.at(-1);
    if (last?.kind === kind) last.text += text;
    else stretches.push({ kind, text });
  };
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      add('SAME', a[i]!);
      i += 1;
      j += 1;
    } else if (i < a.length && (j === b.length || common[i + 1]![j]! >= common[i]![j + 1]!)) add('REMOVED', a[i++]!);
    else add('ADDED', b[j++]!);
  }
  return stretches;
}
