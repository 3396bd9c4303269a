import { createReadStream } from 'node:fs';
import { GraftError } from '../../../../kernel/errors.js';
import { own } from '../../../../kernel/own.js';
import { decodeText } from './decode.js';
import { DelimitedReader, RecordTooLong, type DelimitedRecord } from './delimited.js';
import { DataFormat } from './formats.js';
import type { MappingOnto } from './file-mapping.js';
import { parseJson } from './parse-json.js';
import { MAX_RECORD, type DataFile, type SourceRecord } from './records.js';

const FAULTS = {
  'text-after-quote': 'A quotation mark is closed in the middle of a cell.',
  'unclosed-quote': 'A quotation mark is not closed before the end of the file.',
} as const;

/** Name of the column at `index` in a file without header. */
export const positionalName = (index: number): string => `column${index + 1}`;

/** Whole records of a text file as they stand there, header included. @throws DATA_FILE_INVALID */
async function* rawRecords(file: DataFile, mapping: MappingOnto): AsyncGenerator<DelimitedRecord[]> {
  const lines = mapping.format !== DataFormat.DELIMITED;
  const reader = new DelimitedReader({
    delimiter: lines ? null : mapping.delimiter,
    quotes: !lines && mapping.quotes,
    maxRecord: MAX_RECORD,
  });
  const source = createReadStream(file.path, { highWaterMark: 256 * 1024 });
  try {
    for await (const text of decodeText(source, mapping.encoding, file.name)) {
      const records = reader.push(text);
      if (records.length > 0) yield records;
    }
    const last = reader.end();
    if (last.length > 0) yield last;
  } catch (error) {
    if (!(error instanceof RecordTooLong)) throw error;
    throw new GraftError(
      'DATA_FILE_INVALID',
      `${file.name}: the record that begins on line ${error.line} is longer than ${MAX_RECORD / 1024 / 1024} million characters.`,
      {
        hint: error.insideQuotes
          ? 'A quotation mark on that line is probably never closed.'
          : 'It is probably no text file, or one without line ends.',
      },
    );
  } finally {
    source.destroy();
  }
}

/** Records of delimited text; one with more or fewer cells than the header (or the first record) is marked, never guessed at. */
export async function* readDelimitedFile(
  file: DataFile,
  mapping: MappingOnto,
  columns: readonly string[],
): AsyncGenerator<SourceRecord[]> {
  let indexes: number[] | null = null;
  let width = 0;
  const skip = mapping.header ? 1 : 0;
  for await (const records of rawRecords(file, mapping)) {
    const batch: SourceRecord[] = [];
    for (const record of records) {
      if (!indexes) {
        const names = mapping.header ? record.cells : record.cells.map((_, i) => positionalName(i));
        indexes = columns.map((name) => names.indexOf(name));
        width = record.cells.length;
        if (mapping.header) continue;
      }
      batch.push(toSourceRecord(record, record.number - skip, width, indexes, mapping.delimiter));
    }
    if (batch.length > 0) yield batch;
  }
}

function toSourceRecord(
  { line, cells, fault }: DelimitedRecord,
  row: number,
  width: number,
  indexes: readonly number[],
  delimiter: string | null,
): SourceRecord {
  if (fault || cells.length !== width) {
    const message = fault ? FAULTS[fault] : `It has ${cells.length} cells instead of ${width}.`;
    // The whole record, so that it can be found and repaired.
    const whole = cells.join(delimiter ?? '').slice(0, 2000);
    return { row, line, values: [whole], fault: { rule: fault ? 'malformed-record' : 'ragged-row', message } };
  }
  return { row, line, values: indexes.map((i) => cells[i]), fault: null };
}

/** The value at a column of a JSON object: a key, or a path with dots where no such key exists. */
export function valueAt(object: Record<string, unknown>, column: string): unknown {
  if (Object.hasOwn(object, column)) return object[column];
  return column
    .split('.')
    .reduce<unknown>(
      (node, key) => (node && typeof node === 'object' ? own(node as Record<string, unknown>, key) : undefined),
      object,
    );
}

/** Records of JSON lines; a line that is no JSON object is marked. */
export async function* readJsonLines(
  file: DataFile,
  mapping: MappingOnto,
  columns: readonly string[],
): AsyncGenerator<SourceRecord[]> {
  for await (const records of rawRecords(file, mapping))
    yield records.map(({ number, line, cells }) => {
      const object = parseObject(cells[0]!);
      if (object) return { row: number, line, values: columns.map((c) => valueAt(object, c)), fault: null };
      const fault = { rule: 'malformed-record', message: 'The line is not a JSON object.' };
      return { row: number, line, values: [cells[0]!.slice(0, 2000)], fault };
    });
}

/** @returns null for what is no JSON object @throws DATA_FILE_INVALID for one that is nested too deeply */
export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value = parseJson(text);
    return value && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
