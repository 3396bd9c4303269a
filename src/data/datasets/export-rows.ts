import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { newId, type WorkspaceId } from '../../kernel/ids.js';
import type { FileService, StoredFileRow } from '../../platform/artifacts/index.js';
import { columnType } from '../storage/column-type.js';
import { quote, TableEngine } from '../storage/duckdb.js';
import { rowContent, taskOf, type TaskKind } from '../tasks/index.js';
import type { DatasetRecord, RowGroupRecord, VersionRecord } from './dataset.js';
import type { RowFilter, StoredRow, VersionRows } from './version-rows.js';

export enum ExportFormat {
  JSONL = 'JSONL',
  PARQUET = 'PARQUET',
}

/** Types of a task's fields, as `datasets` and other trainers expect them. */
const fieldTypes = (task: TaskKind): Record<string, string> =>
  Object.fromEntries(Object.entries(taskOf(task).schema.shape).map(([name, schema]) => [name, columnType(schema)]));

/** One row as it is exported: its key and split, its content, its features if it has some. */
function exported(row: StoredRow): string {
  const { key, split, content, features } = row;
  const body = content ? rowContent(content) : { raw: row.raw };
  return `${JSON.stringify({ id: key, split, ...body, ...(features && { features }), ...(row.quarantined && { problems: row.problems }) })}\n`;
}

/**
 * Writes a version's rows as a file that can be downloaded by its id. Offsets count UTF-16 units.
 * @throws STORAGE_FAILED
 */
export async function exportRows(
  { rows, files, folder }: { rows: VersionRows; files: FileService; folder: string },
  workspaceId: WorkspaceId,
  {
    dataset,
    version,
    rowGroups,
  }: { dataset: DatasetRecord; version: VersionRecord; rowGroups: readonly RowGroupRecord[] },
  format: ExportFormat,
  filter: RowFilter,
): Promise<StoredFileRow> {
  async function* lines(): AsyncGenerator<Buffer> {
    for await (const batch of rows.stream(dataset.task, rowGroups, filter))
      yield Buffer.from(batch.map(exported).join(''));
  }
  const name = `${dataset.name}-v${version.version}`;
  const limits = { maxBytes: Number.MAX_SAFE_INTEGER };
  if (format === ExportFormat.JSONL)
    return files.store(workspaceId, {
      name: `${name}.jsonl`,
      mediaType: 'application/jsonl',
      source: lines(),
      ...limits,
    });

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
    return await files.store(workspaceId, {
      name: `${name}.parquet`,
      mediaType: 'application/vnd.apache.parquet',
      source: createReadStream(parquet),
      ...limits,
    });
  } finally {
    engine.close();
    await rm(work, { recursive: true, force: true });
  }
}
