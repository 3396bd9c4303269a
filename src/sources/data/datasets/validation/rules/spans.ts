import { taskOf, type Span } from '../../tasks/index.js';
import { Severity, type ValidationRule, type RowRule } from '../rule.js';

const mismatch = (text: string, span: Span): string | null => {
  const actualText = text.slice(span.start, span.end);
  if (actualText === span.text && span.end > span.start) return null;
  return `${span.start}..${span.end} is ${JSON.stringify(actualText.slice(0, 60))}, not ${JSON.stringify(span.text.slice(0, 60))}`;
};

export const OFFSET_MISMATCH: RowRule = {
  id: 'offset-mismatch',
  severity: Severity.ERROR,
  meaning: 'The text at an entity’s or an answer’s offsets is another one.',
  cure: 'Say with `offsets` whether they count code points or UTF-16 units, or correct them.',
  check(row) {
    const { text, spans } = taskOf(row.task).spans(row);
    return spans.map((span) => mismatch(text, span)).find((note) => note !== null) ?? null;
  },
};

export const OVERLAPPING_ENTITIES: RowRule = {
  id: 'overlapping-entities',
  severity: Severity.WARNING,
  meaning: 'Two entities of the row share characters.',
  cure: 'Keep one of them: answers list entities without overlap.',
  check(row) {
    const { spans, exclusive } = taskOf(row.task).spans(row);
    if (!exclusive) return null;
    const inOrder = [...spans].sort((a, b) => a.start - b.start);
    const second = inOrder.find((entity, i) => i > 0 && entity.start < inOrder[i - 1]!.end);
    return second ? `${JSON.stringify(second.text)} at ${second.start}` : null;
  },
};

/** Found while mentions without offsets are placed (tasks/entity-forms.ts). */
export const PLACEMENT_RULES: readonly ValidationRule[] = [
  {
    id: 'entity-not-found',
    severity: Severity.ERROR,
    meaning: 'A listed entity does not stand in the text, or not as often as it is listed.',
    cure: 'Correct the list or the text.',
  },
  {
    id: 'entity-ambiguous',
    severity: Severity.WARNING,
    meaning: 'A listed entity could stand at several places of the text; the first unused one was taken.',
    cure: 'Give offsets where it matters.',
  },
];
