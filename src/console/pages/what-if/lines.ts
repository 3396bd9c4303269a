/** A question of a pasted list. */
export interface ListedQuestion {
  text: string;
  /** Where it should go; null where the list doesn’t say. */
  expected: string | null;
}

/** A question a line; what stands behind a tab is where it should go. Empty lines are passed over. */
export const questionsOf = (lines: string): ListedQuestion[] =>
  lines
    .split('\n')
    .map((line) => line.split('\t').map((cell) => cell.trim()))
    .flatMap(([text = '', expected]) => (text === '' ? [] : [{ text, expected: expected || null }]));
