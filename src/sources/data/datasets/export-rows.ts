import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { choice } from '../../../kernel/record.js';
import { newId } from '../../../kernel/ids.js';
import type { ArtifactStore, StagedBytes } from '../../../platform/artifacts/index.js';
import { columnType } from './storage/column-type.js';
import { quote, TableEngine } from './storage/duckdb.js';
import { rowContent, taskOf, type TaskKind } from './tasks/index.js';
import type { DatasetRecord, RowGroupRecord, VersionRecord } from './dataset.js';
import type { RowFilter, StoredRow, VersionRows } from './version-rows.js';

export const ExportFormat = choice('ExportFormat', 'How rows are written into a file.', {
  JSONL: 'One JSON object a line.',
  PARQUET: 'Parquet with nested types.',
});
export type ExportFormat = keyof typeof ExportFormat;

/** Types of a task's fields, as `datasets` and other trainers expect them. */
const fieldTypes = (task: TaskKind): Record<string, string> =>
  Object.fromEntries(Object.entries(taskOf(task).schema.shape).map(([name, schema]) => [name, columnType(schema)]));

/** One row as it is exported: its key and split, its content, its features if it has some. */
function exported(row: StoredRow): string {
  const { key, split, content, features } = row;
  const body = content ? rowContent(content) : { raw: row.raw };
  return `${JSON.stringify({ id: key, split, ...body, ...(features && { features }), ...(row.quarantined && { problems: row.problems }) })}\n`;
}

/** Rows as the bytes of a file that has no name yet. */
interface StagedExport {
  name: string;
  mediaType: string;
  bytes: StagedBytes;
  rows: number;
}

interface ExportSource {
  dataset: DatasetRecord;
  version: VersionRecord;
  rowGroups: readonly RowGroupRecord[];
  filter: RowFilter;
}

/**
 * Writes a version's rows as they are exported. Offsets count UTF-16 units.
 * @param wrote hears after each batch how many rows there are; what it throws ends the work
 * @throws STORAGE_FAILED
 */
export async function stageRows(
  { rows, artifacts, folder }: { rows: VersionRows; artifacts: ArtifactStore; folder: string },
  { dataset, version, rowGroups, filter }: ExportSource,
  format: ExportFormat,
  wrote: (rows: number) => Promise<void>,
): Promise<StagedExport> {
  let rowCount = 0;
  async function* lines(): AsyncGenerator<Buffer> {
    for await (const batch of rows.stream(dataset.task, rowGroups, filter)) {
      yield Buffer.from(batch.map(exported).join(''));
      rowCount += batch.length;
      await wrote(rowCount);
    }
  }
  const name = `${dataset.name}-v${version.version}`;
  const limits = { maxBytes: Number.MAX_SAFE_INTEGER };
  if (format === ExportFormat.JSONL) {
    const bytes = await artifacts.stage(lines(), limits);
    return { name: `${name}.jsonl`, mediaType: 'application/jsonl', bytes, rows: rowCount };
  }
  const work = join(folder, `export-${newId()}`);
  const engine = await TableEngine.open({ folder: work });
  try {
    const json = join(work, 'rows.jsonl');
    const parquet = join(work, 'rows.parquet');
    await pipeline(Readable.from(lines()), createWriteStream(json));
    const columns = { id: 'VARCHAR', split: 'VARCHAR', ...fieldTypes(dataset.task), features: 'JSON' };
    const types = Object.entries(columns).map(([column, type]) => `${quote(column)}: ${quote(type)}`);
    await engine.run(
      `COPY (SELECT * FROM read_json(${quote(json)}, format = 'newline_delimited', maximum_object_size = 67108864, columns = {${types.join(', ')}}))
       TO ${quote(parquet)} (FORMAT parquet, COMPRESSION zstd)`,
    );
    const bytes = await artifacts.stage(createReadStream(parquet), limits);
    return { name: `${name}.parquet`, mediaType: 'application/vnd.apache.parquet', bytes, rows: rowCount };
  } finally {
    engine.close();
    await rm(work, { recursive: true, force: true });
  }
}
