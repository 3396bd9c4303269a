import { z } from 'zod';
import { badInput } from '../../../kernel/errors.js';
import { decodeCursor, encodeCursor, toPage, type Page, type PageRequest } from '../../../kernel/pagination.js';
import { choice, record } from '../../../kernel/record.js';
import type { ArtifactStore } from '../../../platform/artifacts/index.js';
import { quote, TableEngine } from './storage/duckdb.js';
import { fromColumns, STORED_COLUMNS } from './rows/row-table.js';
import type { Split } from './importing/splits.js';
import { LabelWords, taskOf, type TaskContext, type TaskKind, type TaskRow } from './tasks/index.js';
import type { RowGroupRecord } from './dataset.js';

/** A row as it is browsed. */
export interface StoredRow {
  ordinal: number;
  key: string;
  split: Split;
  subject: string | null;
  entity: string | null;
  eventTime: Date | null;
  language: string | null;
  file: number;
  row: number;
  line: number | null;
  /** Null for a record that never became a row; then `raw` has its text. */
  content: TaskRow | null;
  raw: string | null;
  features: Record<string, unknown> | null;
  problems: string[];
  quarantined: boolean;
  /** Value that the list is sorted by, for the cursor. */
  sortValue: string | number;
}

export interface RowFilter {
  split?: string | null;
  label?: string | null;
  /** Part of the text, case apart. */
  contains?: string | null;
  /** Id of a rule that names the row. */
  problem?: string | null;
  quarantined?: boolean | null;
  language?: string | null;
  subject?: string | null;
}

export const RowSort = choice('RowSort', 'What rows are ordered by; ties go by place.', {
  PLACE: 'Place in the version.',
  TEXT: 'The first 200 characters of the text.',
  LABEL: 'The label.',
  LENGTH: 'Length of the text.',
});
export type RowSort = keyof typeof RowSort;

export const rowOrder = record('RowOrderInput', 'In which order.', {
  by: z.enum(RowSort).default('PLACE').describe('What to order by.'),
  descending: z.boolean().default(false).describe('Largest first.'),
});
export type RowOrder = z.infer<typeof rowOrder>;

const SORT_COLUMNS = {
  PLACE: 'ordinal',
  TEXT: 'text[:200]',
  LABEL: `coalesce(label, '')`,
  LENGTH: 'length(text)',
} as const satisfies Record<RowSort, string>;

export const RowChangeKind = choice('RowChangeKind', 'How a row differs between two versions.', {
  ADDED: 'Only the newer one has it.',
  REMOVED: 'Only the older one has it.',
  CHANGED: 'Both have it, with other content or in another split.',
});
export type RowChangeKind = keyof typeof RowChangeKind;

/** How a row of version b differs from version a. */
interface RowChange {
  key: string;
  kind: RowChangeKind;
  before: TaskRow | null;
  after: TaskRow | null;
  splitBefore: Split | null;
  splitAfter: Split | null;
}

interface DiffCounts {
  added: number;
  removed: number;
  changed: number;
  unchanged: number;
}

interface RawChange {
  key: string;
  kind: RowChangeKind;
  before_split: Split | null;
  after_split: Split | null;
}

interface RawRow {
  ordinal: number;
  key: string;
  split: Split;
  subject: string | null;
  entity: string | null;
  event_time: number | null;
  language: string | null;
  file: number;
  file_row: number;
  line: number | null;
  text: string;
  label: string | null;
  body: string;
  features: string | null;
  fault: string | null;
  problems: string;
  quarantined: boolean;
  sort_value: string | number;
}

/** What stands for the row groups of a version that has none. */
const NO_ROWS = `SELECT ${Object.entries({ ...STORED_COLUMNS, problems: 'VARCHAR', quarantined: 'BOOLEAN' })
  .map(([name, type]) => `NULL::${type} AS ${name}`)
  .join(', ')} WHERE false`;

/** Reads the rows of versions where they lie, in Parquet; DuckDB reads only the columns and row groups that a query needs. */
export class VersionRows {
  #engine: Promise<TableEngine> | undefined;

  constructor(
    private readonly artifacts: ArtifactStore,
    private readonly folder: string,
  ) {}

  /** Rows that pass the filter, in order; ties go by place. @throws BAD_USER_INPUT on a cursor of another order */
  async page(
    task: TaskKind,
    groups: readonly RowGroupRecord[],
    filter: RowFilter,
    order: RowOrder,
    page: PageRequest,
  ): Promise<Page<StoredRow>> {
    if (groups.length === 0) return { items: [], hasNextPage: false };
    const { where, values } = conditions(filter);
    const sort = SORT_COLUMNS[order.by];
    const direction = order.descending ? 'DESC' : 'ASC';
    if (page.after !== null) {
      const [sortKey, value, ordinal] = decodeCursor(page.after, 3);
      if (sortKey !== `${order.by} ${direction}`) throw badInput('after', 'after is a cursor of another order.');
      where.push(`(${sort}, ordinal) ${order.descending ? '<' : '>'} (?, ?)`);
      values.push(value!, ordinal!);
    }
    const rows = await (
      await this.#open()
    ).rows<RawRow>(
      `SELECT *, ${sort} AS sort_value FROM ${await this.#table(groups)} WHERE ${where.join(' AND ') || 'true'}
       ORDER BY ${sort} ${direction}, ordinal ${direction} LIMIT ${page.first + 1}`,
      values,
    );
    return toPage(
      rows.map((row) => toStoredRow(task, row)),
      page.first,
    );
  }

  /** The rows at these places. */
  async at(task: TaskKind, groups: readonly RowGroupRecord[], ordinals: readonly number[]): Promise<StoredRow[]> {
    if (groups.length === 0 || ordinals.length === 0) return [];
    const rows = await (
      await this.#open()
    ).rows<RawRow>(
      `SELECT *, ordinal AS sort_value FROM ${await this.#table(groups)} WHERE ordinal IN (${ordinals.map(() => '?').join(', ')})`,
      [...ordinals],
    );
    return rows.map((row) => toStoredRow(task, row));
  }

  async count(groups: readonly RowGroupRecord[], filter: RowFilter): Promise<number> {
    if (groups.length === 0) return 0;
    const { where, values } = conditions(filter);
    const [row] = await (
      await this.#open()
    ).rows<{ n: number }>(
      `SELECT count(*) AS n FROM ${await this.#table(groups)} WHERE ${where.join(' AND ') || 'true'}`,
      values,
    );
    return row!.n;
  }

  /**
   * All rows that pass the filter, in order of place, in batches.
   * @param unlike leaves out those whose text a row for training of these has
   */
  async *stream(
    task: TaskKind,
    groups: readonly RowGroupRecord[],
    filter: RowFilter,
    unlike: readonly RowGroupRecord[] = [],
  ): AsyncGenerator<StoredRow[]> {
    if (groups.length === 0) return;
    const { where, values } = conditions(filter);
    if (unlike.length > 0)
      where.push(`text NOT IN (SELECT text FROM ${await this.#table(unlike)}
        WHERE split = 'TRAIN' AND NOT quarantined AND text IS NOT NULL)`);
    const engine = await this.#open();
    const batches = engine.stream<RawRow>(
      `SELECT *, ordinal AS sort_value FROM ${await this.#table(groups)} WHERE ${where.join(' AND ') || 'true'} ORDER BY ordinal`,
      values,
    );
    for await (const batch of batches) yield batch.map((row) => toStoredRow(task, row));
  }

  /** What all examples of the version share: labels (in order) and pair of languages of its usable rows for training, or of all where it has none. */
  async taskContext(task: TaskKind, groups: readonly RowGroupRecord[]): Promise<TaskContext> {
    const { labels: labelsOf, languages: languagesOf } = taskOf(task);
    const labels = new Set<string>();
    const pairs = new Map<string, number>();
    const usable = { quarantined: false };
    const forTraining = { ...usable, split: 'TRAIN' };
    const filter = (await this.count(groups, forTraining)) > 0 ? forTraining : usable;
    for await (const batch of this.stream(task, groups, filter))
      for (const { content } of batch) {
        if (!content) continue;
        for (const label of labelsOf(content)) labels.add(label);
        const sides = languagesOf(content);
        if (!sides) continue;
        const pair = `${sides.source.language}>${sides.target.language}`;
        pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
      }
    const [commonest] = [...pairs].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    const [source, target] = commonest?.[0].split('>') ?? [];
    return {
      labels: new LabelWords([...labels].sort()),
      languages: source !== undefined && target !== undefined ? { source, target } : null,
    };
  }

  /** Places of the rows about a person (by subject, or by the entity whose features are joined), or of the rows with these keys, in one split or in all. */
  async places(
    groups: readonly RowGroupRecord[],
    { subject, keys, split }: { subject: string | null; keys: readonly string[]; split: string | null },
  ): Promise<number[]> {
    if (groups.length === 0) return [];
    const marks = keys.map(() => '?').join(', ');
    const where = [
      ...(subject === null ? [] : ['subject = ? OR entity = ?']),
      ...(keys.length > 0 ? [`key IN (${marks})`] : []),
    ];
    const rows = await (
      await this.#open()
    ).rows<{ ordinal: number }>(
      `SELECT ordinal FROM ${await this.#table(groups)} WHERE (${where.join(' OR ')}) ${split === null ? '' : 'AND split = ?'} ORDER BY ordinal`,
      [...(subject === null ? [] : [subject, subject]), ...keys, ...(split === null ? [] : [split])],
    );
    return rows.map((row) => row.ordinal);
  }

  async diffCounts(a: readonly RowGroupRecord[], b: readonly RowGroupRecord[]): Promise<DiffCounts> {
    const [counts] = await (
      await this.#open()
    ).rows<DiffCounts>(
      `SELECT count(*) FILTER (kind = 'ADDED') AS added, count(*) FILTER (kind = 'REMOVED') AS removed,
              count(*) FILTER (kind = 'CHANGED') AS changed, count(*) FILTER (kind = 'UNCHANGED') AS unchanged
       FROM (${await this.#diff(a, b)})`,
    );
    return counts!;
  }

  /** What changed from version a to version b, by key and split. */
  async changes(
    task: TaskKind,
    a: readonly RowGroupRecord[],
    b: readonly RowGroupRecord[],
    page: PageRequest,
  ): Promise<Page<RowChange>> {
    const cursor = page.after === null ? [] : decodeCursor(page.after, 2).map(String);
    const split = 'coalesce(before_split, after_split)';
    const content = (alias: string, name: string) =>
      ['text', 'label', 'body', 'fault'].map((c) => `${alias}.${c} AS ${name}_${c}`).join(', ');
    // Content is read for the page alone: all of it would not fit into memory.
    const rows = await (
      await this.#open()
    ).rows<Record<string, string | null> & RawChange>(
      `SELECT changes.*, ${content('a', 'before')}, ${content('b', 'after')} FROM (
         SELECT * FROM (${await this.#diff(a, b)})
         WHERE kind <> 'UNCHANGED' ${page.after === null ? '' : `AND (key, ${split}) > (?, ?)`}
         ORDER BY key, ${split} LIMIT ${page.first + 1}) changes
       LEFT JOIN ${await this.#table(a)} a ON a.ordinal = before_ordinal
       LEFT JOIN ${await this.#table(b)} b ON b.ordinal = after_ordinal
       ORDER BY changes.key, ${split}`,
      cursor,
    );
    const side = (row: Record<string, string | null>, name: 'before' | 'after') =>
      row[`${name}_split`] === null || row[`${name}_fault`] !== null
        ? null
        : fromColumns(task, {
            text: row[`${name}_text`]!,
            label: row[`${name}_label`] ?? null,
            body: row[`${name}_body`]!,
          });
    return toPage(
      rows.map((row) => ({
        key: row.key,
        kind: row.kind,
        before: side(row, 'before'),
        after: side(row, 'after'),
        splitBefore: row.before_split,
        splitAfter: row.after_split,
      })),
      page.first,
    );
  }

  async close(): Promise<void> {
    (await this.#engine)?.close();
    this.#engine = undefined;
  }

  #open(): Promise<TableEngine> {
    // The folder of all artifacts, so that one engine serves every version.
    return (this.#engine ??= TableEngine.open({ folder: this.folder, readable: [`${this.artifacts.folder}/`] }));
  }

  async #table(groups: readonly RowGroupRecord[]): Promise<string> {
    const files = await Promise.all(
      groups.map(async (group) => ({ ...group, path: await this.artifacts.local(group.sha256) })),
    );
    const parts = [false, true].flatMap((quarantined) => {
      const paths = files.filter((file) => file.quarantined === quarantined).map(({ path }) => quote(path));
      return paths.length > 0
        ? [`SELECT *, ${quarantined} AS quarantined FROM read_parquet([${paths.join(', ')}])`]
        : [];
    });
    return `(${parts.join(' UNION ALL ') || NO_ROWS})`;
  }

  /**
   * Rows match by key and split; where a key stands once in each version, the row may have moved to another split.
   * Joined by equality alone: with an OR, DuckDB compares all pairs of rows.
   */
  async #diff(a: readonly RowGroupRecord[], b: readonly RowGroupRecord[]): Promise<string> {
    const repeated = async (groups: readonly RowGroupRecord[]) =>
      `SELECT key FROM ${await this.#table(groups)} GROUP BY key HAVING count(*) > 1`;
    const side = async (groups: readonly RowGroupRecord[]) => `(
      SELECT ordinal, key, digest, split, CASE WHEN key IN (SELECT key FROM repeated) THEN split ELSE '' END AS scope
      FROM ${await this.#table(groups)})`;
    return `
      WITH repeated AS (${await repeated(a)} UNION ${await repeated(b)})
      SELECT coalesce(a.key, b.key) AS key,
             CASE WHEN a.key IS NULL THEN 'ADDED' WHEN b.key IS NULL THEN 'REMOVED'
                  WHEN a.digest <> b.digest OR a.split <> b.split THEN 'CHANGED' ELSE 'UNCHANGED' END AS kind,
             a.split AS before_split, b.split AS after_split, a.ordinal AS before_ordinal, b.ordinal AS after_ordinal
      FROM ${await side(a)} a FULL JOIN ${await side(b)} b ON a.key = b.key AND a.scope = b.scope`;
  }
}

/** Cursor of a row in a list of this order. */
export const rowCursor = (order: RowOrder, row: StoredRow): string =>
  encodeCursor([`${order.by} ${order.descending ? 'DESC' : 'ASC'}`, row.sortValue, row.ordinal]);

/** Cursor of a change in the list of what differs. */
export const changeCursor = (change: Pick<RowChange, 'key' | 'splitBefore' | 'splitAfter'>): string =>
  encodeCursor([change.key, (change.splitBefore ?? change.splitAfter)!]);

function conditions(filter: RowFilter): { where: string[]; values: (string | number)[] } {
  const where: string[] = [];
  const values: (string | number)[] = [];
  const add = (sql: string, value: string | null | undefined) => {
    if (value === null || value === undefined) return;
    where.push(sql);
    values.push(value);
  };
  add('split = ?', filter.split);
  add('label = ?', filter.label);
  add('contains(lower(text), lower(?))', filter.contains);
  add("list_contains(json_extract_string(problems, '$[*]'), ?)", filter.problem);
  add('language = ?', filter.language);
  add('subject = ?', filter.subject);
  if (filter.quarantined !== null && filter.quarantined !== undefined)
    where.push(filter.quarantined ? 'quarantined' : 'NOT quarantined');
  return { where, values };
}

const toStoredRow = (task: TaskKind, row: RawRow): StoredRow => ({
  ordinal: row.ordinal,
  key: row.key,
  split: row.split,
  subject: row.subject,
  entity: row.entity,
  eventTime: row.event_time === null ? null : new Date(row.event_time),
  language: row.language,
  file: row.file,
  row: row.file_row,
  line: row.line,
  content: row.fault === null ? fromColumns(task, row) : null,
  raw: row.fault === null ? null : row.text,
  features: row.features === null ? null : (JSON.parse(row.features) as Record<string, unknown>),
  problems: JSON.parse(row.problems) as string[],
  quarantined: row.quarantined,
  sortValue: row.sort_value,
});
