import { GraftError } from '../../../../kernel/errors.js';
import { DataFormat } from './formats.js';
import type { MappingOnto } from './file-mapping.js';
import { readJsonArray, readSquad } from './read-json.js';
import { readParquet } from './read-parquet.js';
import { readDelimitedFile, readJsonLines } from './read-text.js';
import { MAX_RECORD, type DataFile, type SourceRecord } from './records.js';

/**
 * The records of a file in batches, with the values of the wanted columns; no more than a batch is held.
 * @throws DATA_FILE_INVALID, PAYLOAD_TOO_LARGE
 */
export async function* openRecords(
  file: DataFile,
  mapping: MappingOnto,
  columns: readonly string[],
  folder: string,
): AsyncGenerator<SourceRecord[]> {
  for await (const batch of readerOf(file, mapping, columns, folder)) {
    for (const record of batch)
      if (record.values.some((value) => typeof value === 'string' && value.length > MAX_RECORD))
        throw new GraftError(
          'DATA_FILE_INVALID',
          `${file.name}: row ${record.row} has a value of more than ${MAX_RECORD / 1024 / 1024} million characters.`,
        );
    yield batch;
  }
}

function readerOf(
  file: DataFile,
  mapping: MappingOnto,
  columns: readonly string[],
  folder: string,
): AsyncGenerator<SourceRecord[]> {
  switch (mapping.format) {
    case DataFormat.DELIMITED:
    case DataFormat.LINES:
      return readDelimitedFile(file, mapping, columns);
    case DataFormat.JSONL:
      return readJsonLines(file, mapping, columns);
    case DataFormat.JSON:
      return readJsonArray(file, mapping, columns);
    case DataFormat.SQUAD:
      return readSquad(file, mapping, columns);
    case DataFormat.PARQUET:
      return readParquet(file, folder, columns);
  }
}

/**
 * Two files side by side, as parallel corpora come: record n of both makes one record with the values of both.
 * @throws DATA_FILE_INVALID when one has more records than the other
 */
export async function* zipRecords(
  left: { file: DataFile; records: AsyncGenerator<SourceRecord[]> },
  right: { file: DataFile; records: AsyncGenerator<SourceRecord[]> },
): AsyncGenerator<SourceRecord[]> {
  const partners = oneByOne(right.records);
  for await (const batch of left.records) {
    const zipped: SourceRecord[] = [];
    for (const record of batch) {
      const partner = await partners.next();
      if (partner.done) throw unequal(right.file, left.file);
      const fault = record.fault ?? partner.value.fault;
      zipped.push({ ...record, values: fault ? record.values : [...record.values, ...partner.value.values], fault });
    }
    yield zipped;
  }
  if (!(await partners.next()).done) throw unequal(left.file, right.file);
}

async function* oneByOne(batches: AsyncGenerator<SourceRecord[]>): AsyncGenerator<SourceRecord> {
  for await (const batch of batches) yield* batch;
}

const unequal = (shorter: DataFile, longer: DataFile) =>
  new GraftError(
    'DATA_FILE_INVALID',
    `${shorter.name} has fewer rows than ${longer.name}: paired files need the same rows in the same order.`,
  );
