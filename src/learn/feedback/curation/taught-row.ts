import { goesOn, type Answer } from '../../../answer/ask/index.js';
import type { FileMapping, TaskKind } from '../../../sources/data/index.js';
import { DataFormat, TextEncoding } from '../../../sources/data/index.js';
import { READ_PASSAGES } from '../../../sources/prompting/index.js';
import type { LeftOut, Lesson } from './lesson.js';

/** A passage that a row shows. */
export interface ShownPassage {
  id: string;
  text: string;
  documentId: string;
}

/** What is known besides the lessons. */
export interface TeachingContext {
  task: TaskKind;
  /** The labels or types that the dataset has; null: any will do. */
  labels: ReadonlySet<string> | null;
  /** The pair of languages that its translations have; null where it has none yet. */
  languages: { source: string; target: string } | null;
  /** Passages of documents that are there, by id. */
  passages: ReadonlyMap<string, ShownPassage>;
}

/** A record of the file that is imported, and the documents whose text stands in it. */
export interface TaughtRow {
  record: Record<string, unknown>;
  documentIds: string[];
}

/** The passages that a row of the lesson would show, the surest first. */
export function passagesOf({ answer, right }: Lesson): string[] {
  if (answer.task !== 'QUESTION_ANSWERING') return [];
  const namedIds = right?.kind === 'TEXT' && right.passageId !== null ? [right.passageId] : [];
  const read = answer.passages.filter(({ used }) => used).map(({ chunkId }) => chunkId);
  return [...new Set([...namedIds, ...read])].slice(0, READ_PASSAGES);
}

/** A lesson as a record of a dataset for the task, or why it can't be one. */
export function taughtRow(lesson: Lesson, context: TeachingContext): TaughtRow | LeftOut {
  const { answer, right } = lesson;
  if (followsOthers(answer)) return 'FOLLOW_UP';
  // What somebody said that is right, else what was answered.
  const taught = right ?? answer.output;
  const common = { id: answer.id, subject: answer.features[0]?.entity ?? null };
  const rowOf = (record: Record<string, unknown>, documentIds: string[] = []): TaughtRow => ({
    record: { ...common, ...record },
    documentIds,
  });
  switch (context.task) {
    case 'CLASSIFICATION': {
      const label = taught.kind === 'LABEL' ? taught.label : null;
      if (label === null) return 'OTHER_FORM';
      return isKnown([label], context) ? rowOf({ text: answer.question, label }) : 'UNKNOWN_LABEL';
    }
    case 'EXTRACTION': {
      const entities = taught.kind === 'ENTITIES' ? taught.entities : null;
      if (entities === null) return 'OTHER_FORM';
      const types = entities.map(({ type }) => type);
      return isKnown(types, context) ? rowOf({ text: answer.question, entities }) : 'UNKNOWN_LABEL';
    }
    default: {
      const text = textOf(lesson, context.task);
      return text === null ? 'OTHER_FORM' : inWords(lesson, text, context, rowOf);
    }
  }
}

function inWords(
  lesson: Lesson,
  text: string,
  { task, languages, passages }: TeachingContext,
  rowOf: (record: Record<string, unknown>, documentIds?: string[]) => TaughtRow,
): TaughtRow | LeftOut {
  const { question, askedWith, guided } = lesson.answer;
  const { system, sampling } = askedWith ?? {};
  // Without what shaped it, the text would teach a manner that nobody asks for. What a person wrote nothing shaped, and instructions keep their system message.
  if (guided && lesson.right === null && !(task === 'INSTRUCTION' && !sampling)) return 'OTHER_FORM';
  if (task === 'TRANSLATION')
    return rowOf({
      source: question,
      target: text,
      sourceLanguage: languages?.source,
      targetLanguage: languages?.target,
    });
  if (task === 'INSTRUCTION') return rowOf({ prompt: question, response: text, ...(system && { system }) });
  const passageIds = passagesOf(lesson);
  const shownPassages = passageIds.flatMap((id) => passages.get(id) ?? []);
  // Without what it was read from, the answer would teach to know it by heart.
  if (shownPassages.length < passageIds.length) return 'PASSAGE_GONE';
  if (shownPassages.length === 0) return rowOf({ question, answer: text });
  const documentIds = [...new Set(shownPassages.map(({ documentId }) => documentId))];
  return rowOf(
    { question, passages: shownPassages.map((passage) => passage.text), answer: text, document: documentIds[0] },
    documentIds,
  );
}

/**
 * Whether it was answered behind other questions, or was until these were erased. Alone its words ask for something else, and a row with
 * those of another answer would outlast it.
 */
const followsOthers = ({ askedAs, conversationId, task, question }: Answer): boolean =>
  askedAs !== undefined || (conversationId !== null && task === 'QUESTION_ANSWERING' && goesOn(question));

/** The right text; null where the lesson is of another kind, or names the passage alone. */
function textOf({ answer, right }: Lesson, task: TaskKind): string | null {
  if (answer.task !== task) return null;
  if (right === null) return answer.output.kind === 'TEXT' ? answer.text : null;
  return right.kind === 'TEXT' ? right.text : null;
}

const isKnown = (labels: readonly string[], context: TeachingContext): boolean =>
  labels.every((label) => context.labels?.has(label) ?? true);

const COLUMNS: Record<TaskKind, FileMapping['columns']> = {
  CLASSIFICATION: { TEXT: 'text', LABEL: 'label' },
  EXTRACTION: { TEXT: 'text', ENTITIES: 'entities' },
  TRANSLATION: {
    SOURCE: 'source',
    TARGET: 'target',
    SOURCE_LANGUAGE: 'sourceLanguage',
    TARGET_LANGUAGE: 'targetLanguage',
  },
  QUESTION_ANSWERING: { QUESTION: 'question', PASSAGES: 'passages', ANSWER: 'answer', GROUP: 'document' },
  INSTRUCTION: { SYSTEM: 'system', PROMPT: 'prompt', RESPONSE: 'response' },
};

/** How the file of records is read. The id of a row is that of its answer. */
export const mappingOf = (task: TaskKind): FileMapping => ({
  format: DataFormat.JSONL,
  encoding: TextEncoding.UTF_8,
  delimiter: null,
  quotes: true,
  header: true,
  columns: { ID: 'id', SUBJECT: 'subject', ...COLUMNS[task] },
  constants: {},
  splitValues: {},
  labelValues: {},
  offsets: 'UTF16',
});
