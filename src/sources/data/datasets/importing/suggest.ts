import { COMMON_FIELDS } from '../files/fields.js';
import { TASK_KINDS, taskOf, type TaskKind } from '../tasks/index.js';
import { Columns } from '../files/columns.js';
import type { DataField, FileMapping } from './mapping.js';
import type { FileShape } from '../files/file-shape.js';
import { DataFormat } from '../files/formats.js';

const SPLIT_WORD = /^(?:train(?:ing)?|valid(?:ation)?|val|dev|test(?:ing)?|eval)$/i;
const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?$/;

/** Fewer groups than these, or than a tenth of the rows, are kinds of rows: a split that never parts them has nothing for validation or test. */
const FEWEST_GROUPS = 5;

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
  const kind = task ?? guessTask(shape);
  const suggested = kind ? taskOf(kind).suggest(columnsFor(kind, shape)) : { columns: {} };
  const usedColumns = Object.values(suggested.columns).filter((column) => column !== undefined);
  return {
    task: kind,
    mapping: {
      format: shape.format,
      encoding: shape.encoding,
      delimiter: shape.delimiter,
      quotes: shape.quotes,
      header: shape.header,
      columns: { ...suggested.columns, ...commonColumns(shape, usedColumns) },
      constants: suggested.constants ?? {},
      splitValues: {},
      labelValues: {},
      offsets: 'CODE_POINTS',
    },
  };
}

const columnsFor = (kind: TaskKind, shape: FileShape): Columns => new Columns(shape, taskOf(kind).fields);

/** The kind that is surest of the file, the first of the list where two are; null when none has an idea. */
function guessTask(shape: FileShape): TaskKind | null {
  const guesses = TASK_KINDS.map((kind) => ({ kind, confidence: taskOf(kind).confidence(columnsFor(kind, shape)) }));
  const best = guesses.reduce((a, b) => (b.confidence > a.confidence ? b : a));
  return best.confidence > 0 ? best.kind : null;
}

/** Whether the values are of groups that splits may keep together. SQuAD's titles are, by its form, however long the first article is. */
function areGroups(values: readonly unknown[], { format }: FileShape): boolean {
  const groups = new Set(values.map(String)).size;
  return format === DataFormat.SQUAD || groups >= Math.max(FEWEST_GROUPS, values.length / 10);
}

function commonColumns(shape: FileShape, usedColumns: readonly string[]): Partial<Record<DataField, string>> {
  const columns = new Columns(shape, COMMON_FIELDS);
  const matches: Partial<Record<keyof typeof COMMON_FIELDS, string>> = {};
  const add = (field: keyof typeof COMMON_FIELDS, fits?: (values: unknown[], column: string) => boolean) => {
    const column = columns.find(field, usedColumns, fits);
    if (column !== undefined) matches[field] = column;
  };
  add('SPLIT', (values) => values.length > 0 && values.every((v) => SPLIT_WORD.test(String(v))));
  // Ids may begin anew in each split.
  const keyed = (column: string) =>
    columns
      .rows(column, matches.SPLIT)
      .map(([id, split]) => (matches.SPLIT === undefined ? '' : `${String(split)} `) + String(id));
  add('ID', (ids, column) => new Set(keyed(column)).size === ids.length);
  add('GROUP', (values) => areGroups(values, shape));
  add('SUBJECT');
  add('EVENT_TIME', (values) => values.length > 0 && values.every((v) => DATE.test(String(v))));
  // A feature is looked up by entity and time: an entity alone would be no use.
  if (matches.EVENT_TIME) add('ENTITY');
  return matches;
}
