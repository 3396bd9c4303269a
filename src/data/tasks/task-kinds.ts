import { z } from 'zod';
import { canonicalJson, sha256 } from '../../kernel/hashing.js';

/** What a dataset teaches; it decides which fields a row has. */
export enum TaskKind {
  CLASSIFICATION = 'CLASSIFICATION',
  EXTRACTION = 'EXTRACTION',
  TRANSLATION = 'TRANSLATION',
  QUESTION_ANSWERING = 'QUESTION_ANSWERING',
  INSTRUCTION = 'INSTRUCTION',
}

const text = z.string();
/** Offsets count UTF-16 units, as everywhere in Graft; `end` is exclusive. */
const span = z.object({ start: z.number().int().min(0), end: z.number().int().min(0), text });

/** The rows of each task, as they are exported and as a JSONL file without mapping may bring them. */
export const ROW_SCHEMAS = {
  [TaskKind.CLASSIFICATION]: z.object({ text, label: text }),
  [TaskKind.EXTRACTION]: z.object({ text, entities: z.array(span.extend({ type: text })) }),
  [TaskKind.TRANSLATION]: z.object({ source: text, target: text, sourceLanguage: text, targetLanguage: text }),
  [TaskKind.QUESTION_ANSWERING]: z.object({
    question: text,
    context: text.optional(),
    answer: text,
    /** Where the answer stands in the context. */
    spans: z.array(span).optional(),
  }),
  [TaskKind.INSTRUCTION]: z.object({
    messages: z.array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: text })).min(1),
  }),
} as const;

export type ClassificationRow = z.infer<(typeof ROW_SCHEMAS)[TaskKind.CLASSIFICATION]>;
export type ExtractionRow = z.infer<(typeof ROW_SCHEMAS)[TaskKind.EXTRACTION]>;
export type TranslationRow = z.infer<(typeof ROW_SCHEMAS)[TaskKind.TRANSLATION]>;
export type QuestionRow = z.infer<(typeof ROW_SCHEMAS)[TaskKind.QUESTION_ANSWERING]>;
export type InstructionRow = z.infer<(typeof ROW_SCHEMAS)[TaskKind.INSTRUCTION]>;
export type Span = z.infer<typeof span>;
export type Entity = ExtractionRow['entities'][number];

/** One row's content, told apart by its task. */
export type TaskRow =
  | ({ task: TaskKind.CLASSIFICATION } & ClassificationRow)
  | ({ task: TaskKind.EXTRACTION } & ExtractionRow)
  | ({ task: TaskKind.TRANSLATION } & TranslationRow)
  | ({ task: TaskKind.QUESTION_ANSWERING } & QuestionRow)
  | ({ task: TaskKind.INSTRUCTION } & InstructionRow);

/** The texts of a row by field name, in reading order: what text rules look at and text steps change. */
export function textFields(row: TaskRow): [field: string, text: string][] {
  switch (row.task) {
    case TaskKind.CLASSIFICATION:
    case TaskKind.EXTRACTION:
      return [['text', row.text]];
    case TaskKind.TRANSLATION:
      return [
        ['source', row.source],
        ['target', row.target],
      ];
    case TaskKind.QUESTION_ANSWERING:
      return [
        ['question', row.question],
        ...(row.context === undefined ? [] : [['context', row.context] as [string, string]]),
        ['answer', row.answer],
      ];
    case TaskKind.INSTRUCTION:
      return row.messages.map((message, i) => [`messages.${i}`, message.content]);
  }
}

/** The text that the model is asked with: duplicates and leaks are looked for in it. */
export function inputText(row: TaskRow): string {
  switch (row.task) {
    case TaskKind.CLASSIFICATION:
    case TaskKind.EXTRACTION:
      return row.text;
    case TaskKind.TRANSLATION:
      return row.source;
    case TaskKind.QUESTION_ANSWERING:
      return row.question;
    case TaskKind.INSTRUCTION:
      return row.messages
        .filter((m) => m.role !== 'assistant')
        .map((m) => m.content)
        .join('\n');
  }
}

/**
 * What else must be equal before two equal input texts are the same example: the context of a question, the pair of
 * languages. Empty where the input text is all there is.
 */
export function inputScope(row: TaskRow): string {
  if (row.task === TaskKind.TRANSLATION) return `${row.sourceLanguage}>${row.targetLanguage}`;
  if (row.task === TaskKind.QUESTION_ANSWERING) return row.context ?? '';
  return '';
}

/** What the model should answer, as text that is equal exactly for equal answers. */
export function outputText(row: TaskRow): string {
  switch (row.task) {
    case TaskKind.CLASSIFICATION:
      return row.label;
    case TaskKind.EXTRACTION:
      return canonicalJson(
        [...row.entities].sort((a, b) => a.start - b.start || a.end - b.end || (a.type < b.type ? -1 : 1)),
      );
    case TaskKind.TRANSLATION:
      return row.target;
    case TaskKind.QUESTION_ANSWERING:
      return row.answer;
    case TaskKind.INSTRUCTION:
      return row.messages.findLast((m) => m.role === 'assistant')?.content ?? '';
  }
}

/** The row without its tag, as users see it. */
export function rowContent(row: TaskRow): Record<string, unknown> {
  const { task: _task, ...content } = row;
  return content;
}

/** 128 bits of SHA-256 over the content: the row's identity in a diff. */
export const rowDigest = (row: TaskRow): string => sha256(canonicalJson(rowContent(row))).slice(0, 32);

/** 64 bits of SHA-256: plenty to group a million texts (expected collisions below 1e-7). */
export const textHash = (value: string): string => sha256(value).slice(0, 16);
