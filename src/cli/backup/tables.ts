import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { quoted, tablesOf, type CatalogueTable } from './catalogue.js';
import { damagedBackup } from './faults.js';
import { readPacked, writePacked } from './files.js';
import type { TableInBackup } from './manifest.js';

const listOf = (columns: readonly string[]): string => columns.map(quoted).join(', ');

/** One table of a snapshot into the backup, in PostgreSQL's own text form, which every later version reads. */
export async function dumpTable(
  client: pg.ClientBase,
  folder: string,
  { name, columns }: CatalogueTable,
  signal: AbortSignal,
): Promise<TableInBackup> {
  const rows = client.query(copyTo(`COPY ${quoted(name)} (${listOf(columns)}) TO STDOUT`));
  const file = await writePacked(folder, `tables/${name}.copy.gz`, rows, signal);
  return { name, columns, rows: rows.rowCount, file };
}

/**
 * The rows of a backup into tables that have none.
 * @throws STORAGE_FAILED where the backup has other rows or columns than it says
 */
export async function loadTable(
  client: pg.ClientBase,
  folder: string,
  { name, columns, rows, file }: TableInBackup,
  signal: AbortSignal,
): Promise<void> {
  const copyStream = client.query(copyFrom(`COPY ${quoted(name)} (${listOf(columns)}) FROM STDIN`));
  const source: Readable = readPacked(folder, file);
  await pipeline(source, copyStream, { signal });
  if (copyStream.rowCount !== rows)
    throw damagedBackup(folder, `${name} should have ${rows} rows and has ${String(copyStream.rowCount)}`);
}

/** @throws STORAGE_FAILED unless the backup has exactly the tables and columns that its migrations make */
export async function checkShape(
  client: pg.ClientBase,
  folder: string,
  tables: readonly TableInBackup[],
): Promise<void> {
  const shape = (catalogue: readonly CatalogueTable[]) =>
    catalogue
      .map(({ name, columns }) => `${name}(${columns.join(',')})`)
      .sort()
      .join(' ');
  if (shape(await tablesOf(client)) !== shape(tables))
    throw damagedBackup(folder, 'its tables are not those that its migrations make');
}
