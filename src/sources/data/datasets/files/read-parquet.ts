import { GraftError } from '../../../../kernel/errors.js';
import { fileUnreadable, identifier, TableEngine } from '../storage/duckdb.js';
import type { DataFile, SourceRecord } from './records.js';

/** Bounds on what a Parquet file may unfold to: a few kilobytes can claim to be petabytes. */
const MAX_ROWS = 20_000_000;
const MAX_UNFOLDED_BYTES = 32 * 1024 ** 3;

/** Opens a Parquet file, and nothing else, in a DuckDB of its own. @throws DATA_FILE_INVALID, PAYLOAD_TOO_LARGE */
async function withParquet<T>(
  file: DataFile,
  folder: string,
  use: (engine: TableEngine, columns: string[]) => Promise<T>,
): Promise<T> {
  const engine = await TableEngine.open({ folder, readable: [file.path] });
  try {
    const [size] = await engine
      .rows<{ rows: number; bytes: number }>(
        `SELECT (SELECT num_rows FROM parquet_file_metadata(?)) AS rows,
                (SELECT coalesce(sum(total_uncompressed_size), 0)::DOUBLE FROM parquet_metadata(?)) AS bytes`,
        [file.path, file.path],
      )
      .catch(refuse(file));
    if (size!.rows > MAX_ROWS || size!.bytes > MAX_UNFOLDED_BYTES)
      throw new GraftError(
        'PAYLOAD_TOO_LARGE',
        `${file.name} unfolds to ${size!.rows} rows and ${Math.round(size!.bytes / 1024 / 1024)} MiB; at most ${MAX_ROWS} rows and ${MAX_UNFOLDED_BYTES / 1024 ** 3} GiB are taken.`,
        { hint: 'Split it into several datasets.' },
      );
    const columns = await engine
      .rows<{ column_name: string }>('SELECT column_name FROM (DESCRIBE SELECT * FROM read_parquet(?))', [file.path])
      .catch(refuse(file));
    return await use(
      engine,
      columns.map((c) => c.column_name),
    );
  } finally {
    engine.close();
  }
}

const refuse =
  (file: DataFile) =>
  (error: unknown): never => {
    throw fileUnreadable(error, file.name, 'Parquet');
  };

/** Column names and the first rows. @throws DATA_FILE_INVALID, PAYLOAD_TOO_LARGE */
export const sampleParquet = (
  file: DataFile,
  folder: string,
  rows: number,
): Promise<{ columns: string[]; rows: unknown[][] }> =>
  withParquet(file, folder, async (engine, columns) => {
    const sample: unknown[][] = [];
    const read = engine.streamJson(`SELECT * FROM read_parquet(?) LIMIT ${rows}`, [file.path]);
    try {
      for await (const batch of read) sample.push(...batch);
    } catch (error) {
      refuse(file)(error);
    }
    return { columns, rows: sample };
  });

/** Records of a Parquet file, streamed. @throws DATA_FILE_INVALID also when a later page turns out damaged */
export async function* readParquet(
  file: DataFile,
  folder: string,
  columns: readonly string[],
): AsyncGenerator<SourceRecord[]> {
  const engine = await withParquet(file, folder, () => TableEngine.open({ folder, readable: [file.path] }));
  try {
    let row = 0;
    const select = columns.map(identifier).join(', ');
    for await (const batch of engine.streamJson(`SELECT ${select} FROM read_parquet(?)`, [file.path]))
      yield batch.map((values) => ({ row: ++row, line: null, values, fault: null }));
  } catch (error) {
    throw error instanceof GraftError ? error : fileUnreadable(error, file.name, 'Parquet');
  } finally {
    engine.close();
  }
}
