/** What is wrong with a record before it is a row; the rule's id and a sentence. */
export interface RecordFault {
  rule: string;
  message: string;
}

/** One record of a file, whatever its format. */
export interface SourceRecord {
  /** Number of the data row, from 1; a header doesn't count. */
  row: number;
  /** Line of a text file on which it begins, from 1; null in other formats. */
  line: number | null;
  /** One value a wanted column, as the file has it: text, or what JSON and Parquet know. */
  values: unknown[];
  fault: RecordFault | null;
}

/** A data file as the importer opens it: where it lies and what its user calls it. */
export interface DataFile {
  path: string;
  name: string;
  bytes: number;
  sha256: string;
}

/** Longest record of a text file in UTF-16 units: no training example comes near it. */
export const MAX_RECORD = 8 * 1024 * 1024;

/** Largest JSON document that is read whole; larger data belongs into JSONL or Parquet, which are streamed. */
export const MAX_JSON_BYTES = 64 * 1024 * 1024;

/** Records handed on at once: small enough that the event loop stays free between two batches. */
const BATCH = 1024;

/** Collects items into batches of `BATCH`. */
export async function* batched<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
