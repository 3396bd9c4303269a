import { enumeration } from '../../kernel/enumeration.js';
import { badInput } from '../../kernel/errors.js';
import { TaskKind } from '../tasks/task-kinds.js';
import type { TextEncoding } from './decode.js';

/** What offsets in a file count. */
export const OffsetUnit = enumeration('CODE_POINTS', 'UTF16');
export type OffsetUnit = keyof typeof OffsetUnit;

export enum DataFormat {
  /** CSV, TSV and other delimited text. */
  DELIMITED = 'DELIMITED',
  /** One text a line, e.g. one side of a parallel corpus. */
  LINES = 'LINES',
  JSONL = 'JSONL',
  /** One JSON array of objects. */
  JSON = 'JSON',
  /** The JSON form of SQuAD: articles, paragraphs, questions. */
  SQUAD = 'SQUAD',
  PARQUET = 'PARQUET',
}

/** What a column may be used for. */
export enum DataField {
  TEXT = 'TEXT',
  LABEL = 'LABEL',
  ENTITIES = 'ENTITIES',
  TOKENS = 'TOKENS',
  TAGS = 'TAGS',
  SOURCE = 'SOURCE',
  TARGET = 'TARGET',
  SOURCE_LANGUAGE = 'SOURCE_LANGUAGE',
  TARGET_LANGUAGE = 'TARGET_LANGUAGE',
  QUESTION = 'QUESTION',
  CONTEXT = 'CONTEXT',
  ANSWER = 'ANSWER',
  ANSWER_START = 'ANSWER_START',
  ANSWERS = 'ANSWERS',
  MESSAGES = 'MESSAGES',
  SYSTEM = 'SYSTEM',
  PROMPT = 'PROMPT',
  RESPONSE = 'RESPONSE',
  ID = 'ID',
  SPLIT = 'SPLIT',
  GROUP = 'GROUP',
  SUBJECT = 'SUBJECT',
  ENTITY = 'ENTITY',
  EVENT_TIME = 'EVENT_TIME',
}

const COMMON = [
  DataField.ID,
  DataField.SPLIT,
  DataField.GROUP,
  DataField.SUBJECT,
  DataField.ENTITY,
  DataField.EVENT_TIME,
];

/** The fields of each task: sets of which one must be complete, and those that may be added. */
export const TASK_FIELDS: Readonly<Record<TaskKind, { oneOf: DataField[][]; optional: DataField[] }>> = {
  [TaskKind.CLASSIFICATION]: { oneOf: [[DataField.TEXT, DataField.LABEL]], optional: COMMON },
  [TaskKind.EXTRACTION]: {
    oneOf: [
      [DataField.TEXT, DataField.ENTITIES],
      [DataField.TOKENS, DataField.TAGS],
    ],
    optional: COMMON,
  },
  [TaskKind.TRANSLATION]: {
    oneOf: [[DataField.SOURCE, DataField.TARGET]],
    optional: [DataField.SOURCE_LANGUAGE, DataField.TARGET_LANGUAGE, ...COMMON],
  },
  [TaskKind.QUESTION_ANSWERING]: {
    oneOf: [
      [DataField.QUESTION, DataField.ANSWER],
      [DataField.QUESTION, DataField.ANSWERS],
    ],
    optional: [DataField.CONTEXT, DataField.ANSWER_START, ...COMMON],
  },
  [TaskKind.INSTRUCTION]: {
    oneOf: [[DataField.MESSAGES], [DataField.PROMPT, DataField.RESPONSE]],
    optional: [DataField.SYSTEM, ...COMMON],
  },
};

/** How a file is read and what its columns mean. Everything that has a default is filled in when it is recorded. */
export interface FileMapping {
  format: DataFormat;
  encoding: TextEncoding;
  delimiter: string | null;
  quotes: boolean;
  /** Whether the first record names the columns; without it they are `column1`, `column2`, … */
  header: boolean;
  /** Column of each field; for a nested JSON value the path with dots. */
  columns: Partial<Record<DataField, string>>;
  /** Fields that have the same value in every row. */
  constants: Partial<Record<DataField, string>>;
  /** What the values of the SPLIT column stand for, e.g. `{"0": "train"}`. */
  splitValues: Record<string, string>;
  /** Names for coded labels, e.g. `{"0": "negative"}`. */
  labelValues: Record<string, string>;
  /** Whether offsets count code points (Python's way, hence that of most public sets) or UTF-16 units (JavaScript's). */
  offsets: OffsetUnit;
}

/** @throws BAD_USER_INPUT when the fields of `task` are not all mapped, one that it hasn't is, or a column doesn't exist */
export function checkMapping(mapping: FileMapping, task: TaskKind, columns: readonly string[], field: string): void {
  const { oneOf, optional } = TASK_FIELDS[task];
  const mapped = [...Object.keys(mapping.columns), ...Object.keys(mapping.constants)] as DataField[];
  const known = new Set([...oneOf.flat(), ...optional]);
  const foreign = mapped.find((name) => !known.has(name));
  if (foreign) throw badInput(field, `${foreign} is no field of a ${task} dataset; it has ${[...known].join(', ')}.`);
  if (!oneOf.some((set) => set.every((name) => mapped.includes(name))))
    throw badInput(
      field,
      `A ${task} dataset needs ${oneOf.map((set) => set.join(' and ')).join(', or ')}.`,
      'previewImport suggests a mapping.',
    );
  for (const [name, column] of Object.entries(mapping.columns)) {
    const times = columns.filter((c) => c === column).length;
    if (times === 0)
      throw badInput(
        `${field}.columns.${name}`,
        `The file has no column ${JSON.stringify(column)}; it has ${columns
          .slice(0, 50)
          .map((c) => JSON.stringify(c))
          .join(', ')}.`,
      );
    if (times > 1)
      throw badInput(
        `${field}.columns.${name}`,
        `The file has ${times} columns named ${JSON.stringify(column)}: rename all but one.`,
      );
  }
}
