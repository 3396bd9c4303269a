import {
  inputText,
  outputText,
  rowContent,
  rowDigest,
  taskOf,
  textHash,
  type TaskKind,
  type TaskRow,
} from '../tasks/index.js';
import { exactForm, wordsForm } from './text-forms.js';
import type { ColumnType } from '../storage/duckdb.js';

/** What a row carries besides its content. */
export interface RowMeta {
  /** Place in the version, from 1; files follow one another. */
  ordinal: number;
  /** Identity over versions: the given id, or a hash of the input with a counter for equal ones. Unique in `givenSplit`. */
  key: string;
  split: string;
  /** The split if it was given, by file or column: public sets count ids anew in each of theirs. Null if it was computed. */
  givenSplit: string | null;
  /** Rows of one group are never parted by a hashed split. */
  group: string;
  /** Whom the row is about: their rows can be deleted. */
  subject: string | null;
  /** Feature store key and the moment that the row speaks of, in ms since 1970 UTC. */
  entity: string | null;
  eventTime: number | null;
  language: string | null;
  /** Index into the version's files, number of the data row there, its line if it is text. */
  file: number;
  fileRow: number;
  line: number | null;
}

/** The content columns that are stored; the rest of the content lies in `body` as JSON. */
export interface ContentColumns {
  text: string;
  label: string | null;
  body: string;
}

function toColumns(row: TaskRow): ContentColumns {
  const { stored } = taskOf(row.task);
  const body = rowContent(row);
  const label = stored.label === undefined ? null : String(body[stored.label]);
  for (const field of Object.values(stored)) delete body[field];
  return { text: inputText(row), label, body: JSON.stringify(body) };
}

export function fromColumns(task: TaskKind, { text, label, body }: ContentColumns): TaskRow {
  const { stored } = taskOf(task);
  return {
    task,
    ...(stored.text !== undefined && { [stored.text]: text }),
    ...(stored.label !== undefined && { [stored.label]: label ?? '' }),
    ...(JSON.parse(body) as object),
  } as TaskRow;
}

/** Columns of the stored rows, in the row groups of a version; `problems` (a JSON list of rule ids) is added when they are written. */
export const STORED_COLUMNS = {
  ordinal: 'BIGINT',
  key: 'VARCHAR',
  digest: 'VARCHAR',
  split: 'VARCHAR',
  given_split: 'VARCHAR',
  group_key: 'VARCHAR',
  subject: 'VARCHAR',
  entity: 'VARCHAR',
  event_time: 'BIGINT',
  language: 'VARCHAR',
  file: 'INTEGER',
  file_row: 'BIGINT',
  line: 'BIGINT',
  text: 'VARCHAR',
  label: 'VARCHAR',
  body: 'VARCHAR',
  /** Joined features as JSON, by view: `{"plans": {"plan": "grower"}}`. */
  features: 'VARCHAR',
  /** Why a record is no row: the rule's id. Its raw text stands in `text`; only quarantined ones have it. */
  fault: 'VARCHAR',
} as const satisfies Record<string, ColumnType>;

/**
 * SQL for whether two rows of one version with the same key are the same row: ids begin anew only in splits that were
 * given, so a row whose split was computed shares its id with no other.
 */
export const sameKey = (a: string, b: string): string =>
  `${a}.key = ${b}.key AND coalesce(${a}.given_split = ${b}.given_split, true)`;

/**
 * The table `rows` while a version is made: the stored columns, and hashes that only validation needs.
 */
export const STAGED_COLUMNS = {
  ...STORED_COLUMNS,
  scope_hash: 'VARCHAR',
  exact_hash: 'VARCHAR',
  words_hash: 'VARCHAR',
  output_hash: 'VARCHAR',
} as const satisfies Record<string, ColumnType>;

/** What a rule found on a row. `related` is another row that it concerns. */
export const FLAG_COLUMNS = {
  ordinal: 'BIGINT',
  rule: 'VARCHAR',
  note: 'VARCHAR',
  related: 'BIGINT',
} as const satisfies Record<string, ColumnType>;

/** Values for `STAGED_COLUMNS`. */
export function stagedValues(
  meta: RowMeta,
  row: TaskRow,
  { scope, exact, words, output }: RowHashes,
  features: string | null,
): (string | number | null)[] {
  const { text, label, body } = toColumns(row);
  return [...metaValues(meta, rowDigest(row)), text, label, body, features, null, scope, exact, words, output];
}

export interface RowHashes {
  scope: string;
  exact: string;
  words: string;
  output: string;
}

export function rowHashes(row: TaskRow): RowHashes {
  const text = inputText(row);
  const scope = taskOf(row.task).scope(row);
  return {
    scope: scope === '' ? '' : textHash(scope),
    exact: textHash(exactForm(text)),
    words: textHash(wordsForm(text)),
    output: textHash(outputText(row)),
  };
}

/** A record that could not become a row: kept with its raw text, so that its owner finds it. */
export function faultyValues(meta: RowMeta, raw: string, rule: string): (string | number | null)[] {
  return [...metaValues(meta, ''), raw, null, '{}', null, rule, '', '', '', ''];
}

const metaValues = (meta: RowMeta, digest: string): (string | number | null)[] => [
  meta.ordinal,
  meta.key,
  digest,
  meta.split,
  meta.givenSplit,
  meta.group,
  meta.subject,
  meta.entity,
  meta.eventTime,
  meta.language,
  meta.file,
  meta.fileRow,
  meta.line,
];
