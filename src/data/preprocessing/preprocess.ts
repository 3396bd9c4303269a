import { TaskKind, type Span, type TaskRow } from '../tasks/task-kinds.js';
import { applyEdits } from './edits.js';
import { TEXT_STEPS, type PreprocessingStep } from './steps.js';

/** A text after all steps, and where old spans stand in it. */
export interface PreprocessedText {
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
      const moved = moves.reduce<{ start: number; end: number }>((at, move) => move(at), span);
      return { ...span, ...moved, text: current.slice(moved.start, moved.end) };
    },
  };
}

/** Moves a span and drops blanks at its edges, which a whitespace step may have left inside. */
function moveTrimmed<S extends Span>(processed: PreprocessedText, span: S, original: string): S {
  // A span that didn't match its text before is left to the rule that reports it.
  if (original.slice(span.start, span.end) !== span.text) return span;
  return processed.moveSpan(span);
}

/** A row with every text preprocessed and its spans moved along. */
export function preprocessRow(row: TaskRow, steps: readonly PreprocessingStep[]): TaskRow {
  if (steps.length === 0) return row;
  const clean = (text: string) => preprocessText(text, steps);
  switch (row.task) {
    case TaskKind.CLASSIFICATION:
      return { ...row, text: clean(row.text).text };
    case TaskKind.EXTRACTION: {
      const text = clean(row.text);
      return { ...row, text: text.text, entities: row.entities.map((e) => moveTrimmed(text, e, row.text)) };
    }
    case TaskKind.TRANSLATION:
      return { ...row, source: clean(row.source).text, target: clean(row.target).text };
    case TaskKind.QUESTION_ANSWERING: {
      const context = row.context === undefined ? undefined : clean(row.context);
      return {
        ...row,
        question: clean(row.question).text,
        answer: clean(row.answer).text,
        ...(context && { context: context.text }),
        ...(context && row.spans && { spans: row.spans.map((s) => moveTrimmed(context, s, row.context!)) }),
      };
    }
    case TaskKind.INSTRUCTION:
      return { ...row, messages: row.messages.map((m) => ({ ...m, content: clean(m.content).text })) };
  }
}
