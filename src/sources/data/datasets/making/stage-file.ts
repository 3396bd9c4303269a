import { GraftError } from '../../../../kernel/errors.js';
import { own } from '../../../../kernel/own.js';
import { beginningOf, storable } from '../../../../kernel/text.js';
import { buildRow, type RowNote } from '../importing/build-row.js';
import { DataField } from '../importing/mapping.js';
import { openRecords, zipRecords } from '../files/open-records.js';
import { losesDigits } from '../files/parse-json.js';
import type { RecordFault, SourceRecord } from '../files/records.js';
import { splitOfGroup, splitOfWord, type Split } from '../importing/splits.js';
import { preprocessRow } from '../preprocessing/preprocess.js';
import { CHUNK_ROWS, type TableWriter } from '../storage/duckdb.js';
import { faultyValues, rowHashes, type RowHashes, stagedValues, type RowMeta } from '../rows/row-table.js';
import { inputText, taskOf, textHash, type TaskRow } from '../tasks/index.js';
import { flagValues } from '../validation/flags.js';
import { languageOf } from '../validation/language.js';
import { breathe } from '../validation/near-duplicates/find-pairs.js';
import { ROW_RULES } from '../validation/rules/index.js';
import type { VersionRecipe, RecipeFile } from './recipe.js';
import { readTime } from './read-time.js';

/** Where rows and flags go while a version is made. */
export interface Staging {
  rows: TableWriter;
  flags: TableWriter;
  /** Ordinal of the next row. */
  next: number;
  /** Characters of all texts so far: what a file unfolds to is bounded, however small it is itself. */
  characters: number;
}

/** Fields that tell rows, people and things apart: a rounded number there would make one of several. */
const KEYS = [DataField.ID, DataField.GROUP, DataField.SUBJECT, DataField.ENTITY];

const MAX_CHARACTERS = 16 * 1024 ** 3;

/** Reads a file (or a pair of files) row by row into the staging tables, with what the row rules say. */
export async function stageFile(
  recipe: VersionRecipe,
  index: number,
  folder: string,
  staging: Staging,
  onBatch: (rows: number) => Promise<void>,
): Promise<void> {
  const input = recipe.files[index]!;
  const { fields, records } = openInput(input, folder);
  let rows = 0;
  for await (const batch of records) {
    for (const record of batch) await stageRecord(recipe, input, index, fields, record, staging);
    rows += batch.length;
    if (rows % CHUNK_ROWS < batch.length) await breathe();
    await onBatch(rows);
  }
}

/** The fields in the order of a record's values. With a pair, TARGET comes from the other file, all else from the first. */
function openInput(
  input: RecipeFile,
  folder: string,
): { fields: DataField[]; records: AsyncGenerator<SourceRecord[]> } {
  const columns = Object.entries(input.mapping.columns) as [DataField, string][];
  if (!input.pair)
    return {
      fields: columns.map(([field]) => field),
      records: openRecords(
        input.file,
        input.mapping,
        columns.map(([, column]) => column),
        folder,
      ),
    };
  const sourceColumns = columns.filter(([field]) => field !== DataField.TARGET);
  const target = input.mapping.columns.TARGET ?? input.mapping.columns.SOURCE!;
  return {
    fields: [...sourceColumns.map(([field]) => field), DataField.TARGET],
    records: zipRecords(
      {
        file: input.file,
        records: openRecords(
          input.file,
          input.mapping,
          sourceColumns.map(([, column]) => column),
          folder,
        ),
      },
      { file: input.pair, records: openRecords(input.pair, input.mapping, [target], folder) },
    ),
  };
}

async function stageRecord(
  recipe: VersionRecipe,
  input: RecipeFile,
  file: number,
  fields: readonly DataField[],
  record: SourceRecord,
  staging: Staging,
): Promise<void> {
  const values: Partial<Record<DataField, unknown>> = { ...input.mapping.constants };
  fields.forEach((field, i) => (values[field] = record.values[i]));
  const position = { ordinal: staging.next++, file, fileRow: record.row, line: record.line };
  const result = record.fault ? { fault: record.fault } : buildRow(recipe.settings.task, values, input.mapping);
  if ('fault' in result) return stageFault(staging, position, result.fault, record.values);
  const inexact = KEYS.find((field) => losesDigits(values[field]));
  if (inexact)
    return stageFault(
      staging,
      position,
      { rule: 'wrong-type', message: `${inexact} is a number that may have lost digits: write it as text.` },
      record.values,
    );
  const eventTime = readTime(values.EVENT_TIME);
  if (Number.isNaN(eventTime))
    return stageFault(
      staging,
      position,
      { rule: 'bad-time', message: `Not a time: ${String(values.EVENT_TIME)}` },
      record.values,
    );
  const row = preprocessRow(result.row, recipe.steps);
  const hashes = rowHashes(row);
  const group = asKey(values.GROUP) ?? defaultGroup(row, hashes);
  const givenSplit = givenSplitOf(values.SPLIT, input);
  if (givenSplit === 'UNKNOWN')
    return stageFault(
      staging,
      position,
      { rule: 'unknown-split', message: `Not a split: ${String(values.SPLIT)}` },
      record.values,
    );
  const subject = asKey(values.SUBJECT);
  const meta: RowMeta = {
    ...position,
    key: asKey(values.ID) ?? `~${hashes.scope}${hashes.exact}`,
    split: givenSplit ?? splitOfGroup(group, recipe.splitRule),
    givenSplit,
    group,
    subject,
    entity: asKey(values.ENTITY),
    eventTime,
    language: null,
  };
  await stageRow(staging, meta, { row, hashes, notes: result.notes }, recipe);
}

/** A row on its way into the staging tables. */
interface StagedRow {
  row: TaskRow;
  hashes: RowHashes;
  notes: readonly RowNote[];
  features?: string | null;
}

/** Puts one row and what the row rules say of it into the staging tables. */
export async function stageRow(
  staging: Staging,
  meta: RowMeta,
  { row, hashes, notes, features = null }: StagedRow,
  recipe: VersionRecipe,
): Promise<void> {
  const text = inputText(row);
  staging.characters += text.length;
  if (staging.characters > MAX_CHARACTERS)
    throw new GraftError(
      'PAYLOAD_TOO_LARGE',
      `The files unfold to more than ${MAX_CHARACTERS / 1024 ** 3} GiB of text.`,
    );
  staging.rows.add(stagedValues({ ...meta, language: await languageOf(text) }, row, hashes, features));
  for (const { rule, note } of notes)
    staging.flags.add(flagValues({ ordinal: meta.ordinal, rule, note, related: null }));
  for (const rule of ROW_RULES) {
    const note = rule.check(row, recipe.settings);
    if (note !== null) staging.flags.add(flagValues({ ordinal: meta.ordinal, rule: rule.id, note, related: null }));
  }
}

/** Keeps a record that is no row, with its raw text and what is wrong with it. */
export function stageFault(
  staging: Staging,
  position: Pick<RowMeta, 'ordinal' | 'file' | 'fileRow' | 'line'>,
  fault: RecordFault,
  values: readonly unknown[],
): void {
  const raw = values
    .map((value) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')))
    .join(' | ')
    .slice(0, 2000);
  const meta: RowMeta = {
    ...position,
    key: `!${position.file}:${position.fileRow}`,
    split: 'TRAIN',
    givenSplit: null,
    group: '',
    subject: null,
    entity: null,
    eventTime: null,
    language: null,
  };
  staging.rows.add(faultyValues(meta, raw.toWellFormed(), fault.rule));
  staging.flags.add(flagValues({ ordinal: position.ordinal, rule: fault.rule, note: fault.message, related: null }));
}

/** The split of the file or of the column; null when neither says one. */
function givenSplitOf(value: unknown, { split, mapping }: RecipeFile): Split | 'UNKNOWN' | null {
  if (split) return split;
  const word = asKey(value);
  return word === null ? null : (splitOfWord(own(mapping.splitValues, word) ?? word) ?? 'UNKNOWN');
}

/** What the task says belongs together, and texts of the same words. */
function defaultGroup(row: TaskRow, { scope, words }: RowHashes): string {
  const group = taskOf(row.task).group(row);
  if (group !== null) return textHash(group);
  return `${scope}${words}`;
}

function asKey(value: unknown): string | null {
  if (value === undefined || value === null || value === '') return null;
  return beginningOf(storable(typeof value === 'string' ? value : JSON.stringify(value)), 500);
}
