import { TaskKind } from '../tasks/task-kinds.js';
import { DataField, DataFormat, type FileMapping } from './mapping.js';
import type { FileShape } from './sniff.js';

/** Names that public data sets use for each field, the likeliest first. */
const NAMES: Readonly<Record<DataField, readonly string[]>> = {
  TEXT: [
    'text',
    'sentence',
    'utterance',
    'message',
    'content',
    'input',
    'query',
    'review',
    'body',
    'comment',
    'tweet',
    'document',
    'question',
  ],
  LABEL: ['label', 'category', 'intent', 'class', 'sentiment', 'topic', 'tag', 'target', 'output'],
  ENTITIES: ['entities', 'spans', 'annotations', 'ner', 'labels', 'output', 'label'],
  TOKENS: ['tokens', 'words'],
  TAGS: ['tags', 'ner_tags', 'bio', 'labels'],
  SOURCE: ['source', 'src', 'source_text', 'en', 'translation.en', 'english', 'input'],
  TARGET: [
    'target',
    'tgt',
    'target_text',
    'es',
    'translation.es',
    'spanish',
    'de',
    'fr',
    'it',
    'pt',
    'translation.de',
    'translation.fr',
    'output',
  ],
  SOURCE_LANGUAGE: ['source_language', 'source_lang', 'src_lang'],
  TARGET_LANGUAGE: ['target_language', 'target_lang', 'tgt_lang'],
  QUESTION: ['question', 'query'],
  CONTEXT: ['context', 'passage', 'paragraph', 'document'],
  ANSWER: ['answer', 'answer_text', 'response'],
  ANSWER_START: ['answer_start', 'start'],
  ANSWERS: ['answers'],
  MESSAGES: ['messages', 'conversations', 'conversation', 'dialog'],
  SYSTEM: ['system', 'system_prompt'],
  PROMPT: ['prompt', 'instruction', 'question', 'input'],
  RESPONSE: ['response', 'completion', 'output', 'answer', 'chosen'],
  ID: ['id', 'uuid', 'key', 'row_id', 'example_id', 'raw_id'],
  SPLIT: ['split', 'set', 'partition', 'fold', 'raw_split', 'subset'],
  GROUP: ['group', 'title', 'group_id', 'thread', 'thread_id', 'conversation_id', 'document_id', 'doc_id'],
  SUBJECT: ['subject', 'customer', 'user', 'author', 'person', 'customer_id', 'user_id', 'author_id', 'email'],
  ENTITY: ['entity', 'entity_key', 'customer', 'customer_id', 'user', 'user_id'],
  EVENT_TIME: ['event_time', 'timestamp', 'sent_at', 'created_at', 'time', 'date', 'datetime'],
};

const SPLIT_WORD = /^(?:train(?:ing)?|valid(?:ation)?|val|dev|test(?:ing)?|eval)$/i;
const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?$/;
const LANGUAGE_COLUMN = /^(?:translation\.)?([a-z]{2})$/;

/** A suggestion and how it came about; nothing of it is stored. */
export interface Suggestion {
  task: TaskKind | null;
  mapping: FileMapping;
}

/**
 * Guesses what the columns mean from their names and from the first rows.
 * `task` is given when the dataset exists; without it the task is guessed too, null when no task fits.
 */
export function suggestMapping(shape: FileShape, task?: TaskKind | null): Suggestion {
  const mapping: FileMapping = {
    format: shape.format,
    encoding: shape.encoding,
    delimiter: shape.delimiter,
    quotes: shape.quotes,
    header: shape.header,
    columns: {},
    constants: {},
    splitValues: {},
    labelValues: {},
    offsets: 'CODE_POINTS',
  };
  const columns = new Columns(shape);
  const kind = task ?? guessTask(columns, shape);
  if (kind) Object.assign(mapping.columns, taskColumns(columns, kind, shape, mapping));
  Object.assign(mapping.columns, commonColumns(columns, Object.values(mapping.columns)));
  return { task: kind, mapping };
}

/** The columns of a file by name (case and punctuation apart) with their sample values. */
class Columns {
  readonly #byName = new Map<string, string>();

  constructor(private readonly shape: FileShape) {
    for (const name of shape.columns) {
      const plain = name
        .trim()
        .toLowerCase()
        .replace(/[\s-]+/g, '_');
      if (!this.#byName.has(plain)) this.#byName.set(plain, name);
    }
  }

  find(
    field: DataField,
    taken: readonly string[] = [],
    fits: (values: unknown[], column: string) => boolean = () => true,
  ): string | undefined {
    for (const name of NAMES[field]) {
      const column = this.#byName.get(name);
      if (column !== undefined && !taken.includes(column) && fits(this.values(column), column)) return column;
    }
    return undefined;
  }

  /** What stands in the column, without blanks. */
  values(column: string): unknown[] {
    return this.rows(column).map(([value]) => value);
  }

  /** Rows where `column` is not blank, cut to it and another column. */
  rows(column: string, other?: string): [value: unknown, other: unknown][] {
    const [index, beside] = [column, other ?? column].map((name) => this.shape.columns.indexOf(name));
    return this.shape.sample
      .map((row): [unknown, unknown] => [row[index!], row[beside!]])
      .filter(([value]) => value !== undefined && value !== null && value !== '');
  }

  get names(): readonly string[] {
    return this.shape.columns;
  }
}

const looksLikeJson = (values: unknown[]): boolean =>
  values.length > 0 && values.every((v) => typeof v === 'object' || (typeof v === 'string' && /^\s*[[{]/.test(v)));

const meanLength = (values: unknown[]): number =>
  values.reduce<number>((sum, v) => sum + String(v).length, 0) / Math.max(1, values.length);

function guessTask(columns: Columns, shape: FileShape): TaskKind | null {
  if (shape.format === DataFormat.SQUAD) return TaskKind.QUESTION_ANSWERING;
  if (columns.find(DataField.MESSAGES, [], looksLikeJson)) return TaskKind.INSTRUCTION;
  if (columns.find(DataField.TOKENS) && columns.find(DataField.TAGS)) return TaskKind.EXTRACTION;
  if (columns.find(DataField.TEXT) && columns.find(DataField.ENTITIES, [], looksLikeJson)) return TaskKind.EXTRACTION;
  if (columns.find(DataField.QUESTION) && (columns.find(DataField.ANSWER) || columns.find(DataField.ANSWERS)))
    return TaskKind.QUESTION_ANSWERING;
  const languages = columns.names.filter((name) => LANGUAGE_COLUMN.test(name));
  if (languages.length === 2 || (columns.find(DataField.SOURCE) && columns.find(DataField.TARGET)))
    return TaskKind.TRANSLATION;
  if (columns.find(DataField.PROMPT) && columns.find(DataField.RESPONSE)) {
    const response = columns.values(columns.find(DataField.RESPONSE)!);
    if (new Set(response.map(String)).size > response.length / 2) return TaskKind.INSTRUCTION;
  }
  return classificationColumns(columns) ? TaskKind.CLASSIFICATION : null;
}

/** Text and label by name, or else the longest column and the one whose values recur most. */
function classificationColumns(columns: Columns): { TEXT: string; LABEL: string } | null {
  const named = columns.find(DataField.TEXT);
  const label = columns.find(DataField.LABEL, named ? [named] : []);
  if (named && label) return { TEXT: named, LABEL: label };
  const stats = columns.names.map((name) => {
    const values = columns.values(name);
    return {
      name,
      length: meanLength(values),
      distinct: new Set(values.map(String)).size / Math.max(1, values.length),
    };
  });
  const text = named ?? [...stats].sort((a, b) => b.length - a.length)[0]?.name;
  const rest = stats.filter(({ name }) => name !== text).sort((a, b) => a.distinct - b.distinct);
  const guessed = label ?? rest.find(({ distinct, length }) => distinct <= 0.5 && length < 64)?.name;
  return text !== undefined && guessed !== undefined && text !== guessed ? { TEXT: text, LABEL: guessed } : null;
}

function taskColumns(
  columns: Columns,
  task: TaskKind,
  shape: FileShape,
  mapping: FileMapping,
): Partial<Record<DataField, string>> {
  const pick = (...fields: DataField[]): Partial<Record<DataField, string>> => {
    const picked: Partial<Record<DataField, string>> = {};
    for (const field of fields) {
      const column = columns.find(field, Object.values(picked));
      if (column !== undefined) picked[field] = column;
    }
    return picked;
  };
  switch (task) {
    case TaskKind.CLASSIFICATION:
      return classificationColumns(columns) ?? pick(DataField.TEXT);
    case TaskKind.EXTRACTION: {
      const text = columns.find(DataField.TEXT);
      const entities = columns.find(DataField.ENTITIES, text ? [text] : [], looksLikeJson);
      return text && entities ? { TEXT: text, ENTITIES: entities } : pick(DataField.TOKENS, DataField.TAGS);
    }
    case TaskKind.TRANSLATION: {
      if (shape.format === DataFormat.SQUAD) return { SOURCE: 'text', TARGET: 'text', ID: 'id' };
      const [from, to] = columns.names.filter((name) => LANGUAGE_COLUMN.test(name));
      if (!from || !to)
        return pick(DataField.SOURCE, DataField.TARGET, DataField.SOURCE_LANGUAGE, DataField.TARGET_LANGUAGE);
      mapping.constants = {
        SOURCE_LANGUAGE: LANGUAGE_COLUMN.exec(from)![1]!,
        TARGET_LANGUAGE: LANGUAGE_COLUMN.exec(to)![1]!,
      };
      return { SOURCE: from, TARGET: to };
    }
    case TaskKind.QUESTION_ANSWERING: {
      const picked = pick(DataField.QUESTION, DataField.CONTEXT, DataField.ANSWERS);
      return picked.ANSWERS
        ? picked
        : pick(DataField.QUESTION, DataField.CONTEXT, DataField.ANSWER, DataField.ANSWER_START);
    }
    case TaskKind.INSTRUCTION: {
      const messages = columns.find(DataField.MESSAGES);
      return messages ? { MESSAGES: messages } : pick(DataField.SYSTEM, DataField.PROMPT, DataField.RESPONSE);
    }
  }
}

function commonColumns(columns: Columns, taken: string[]): Partial<Record<DataField, string>> {
  const found: Partial<Record<DataField, string>> = {};
  const add = (field: DataField, fits?: (values: unknown[], column: string) => boolean) => {
    const column = columns.find(field, taken, fits);
    if (column !== undefined) found[field] = column;
  };
  add(DataField.SPLIT, (values) => values.length > 0 && values.every((v) => SPLIT_WORD.test(String(v))));
  // Ids may begin anew in each split.
  const keyed = (column: string) =>
    columns
      .rows(column, found.SPLIT)
      .map(([id, split]) => (found.SPLIT === undefined ? '' : `${String(split)} `) + String(id));
  add(DataField.ID, (ids, column) => new Set(keyed(column)).size === ids.length);
  add(DataField.GROUP);
  add(DataField.SUBJECT);
  add(DataField.EVENT_TIME, (values) => values.length > 0 && values.every((v) => DATE.test(String(v))));
  // A feature is looked up by entity and time: an entity alone would be no use.
  if (found.EVENT_TIME) add(DataField.ENTITY);
  return found;
}
