import { taskOf, type Span, type TaskRow } from '../tasks/index.js';
import { applyEdits } from './edits.js';
import { TEXT_STEPS, type PreprocessingStep } from './steps.js';

/** A text after all steps, and where old spans stand in it. */
interface PreprocessedText {
  text: string;
  moveSpan<S extends Span>(span: S): S;
}

/**
 * Applies the declared steps in order. Importing a dataset and answering a question both go through this function, so
 * that a model meets the same text at serving as in training.
 */
export function preprocessText(text: string, steps: readonly PreprocessingStep[]): PreprocessedText {
  let current = text;
  const moves: ((span: { start: number; end: number }) => { start: number; end: number })[] = [];
  for (const step of steps) {
    const edits = TEXT_STEPS[step](current);
    if (edits.length === 0) continue;
    const edited = applyEdits(current, edits);
    current = edited.text;
    moves.push(edited.moveSpan);
  }
  return {
    text: current,
    moveSpan: (span) => {
      const newSpan = moves.reduce<{ start: number; end: number }>((result, move) => move(result), span);
      return { ...span, ...newSpan, text: current.slice(newSpan.start, newSpan.end) };
    },
  };
}

/** A row with every text preprocessed and its spans moved along. */
export function preprocessRow(row: TaskRow, steps: readonly PreprocessingStep[]): TaskRow {
  if (steps.length === 0) return row;
  const content = taskOf(row.task).edit(row, (text) => {
    const processed = preprocessText(text, steps);
    // A span that didn't match its text before is left to the rule that reports it.
    const moveSpan = <S extends Span>(span: S): S =>
      text.slice(span.start, span.end) === span.text ? processed.moveSpan(span) : span;
    return { text: processed.text, moveSpan };
  });
  return { ...content, task: row.task } as TaskRow;
}
