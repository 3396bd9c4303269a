import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { DataFile } from '../../src/sources/data/datasets/files/records.js';
import { quote, TableEngine } from '../../src/sources/data/datasets/storage/duckdb.js';

/** A folder that is gone after the run. */
export const dataFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'graft-data-'));

export async function dataFile(path: string, name = basename(path)): Promise<DataFile> {
  const { size } = await stat(path);
  const sha256 =
    size < 1e8
      ? createHash('sha256')
          .update(await readFile(path))
          .digest('hex')
      : 'f'.repeat(64);
  return { path, name, bytes: size, sha256 };
}

export async function writtenFile(folder: string, name: string, content: string | Uint8Array): Promise<DataFile> {
  const path = join(folder, name);
  await writeFile(path, content);
  return dataFile(path);
}

/** Writes Parquet from a query, in an engine of its own. */
export async function parquetFile(folder: string, name: string, select: string): Promise<DataFile> {
  const path = join(folder, name);
  const engine = await TableEngine.open({ folder });
  await engine.run(`COPY (${select}) TO ${quote(path)} (FORMAT parquet)`);
  engine.close();
  return dataFile(path);
}

/** Where the public data sets lie beside the repository, or null: then tests that need them say so and do nothing. */
export function sharedDatasets(): string | null {
  const candidates = [process.env['GRAFT_SHARED_DATASETS'], '../shared/datasets', '../../shared/datasets'];
  return (
    candidates
      .filter((path) => path !== undefined)
      .map((path) => resolve(path))
      .find((path) => existsSync(join(path, 'banking77-train.csv'))) ?? null
  );
}

/** Like `describe`, for tests on the public data sets; prints why when it skips. */
export function describeWithDatasets(name: string, body: (folder: string) => void): void {
  const folder = sharedDatasets();
  if (folder) return describe(name, () => body(folder));
  console.warn(`SKIPPED: ${name}: no ../shared/datasets here; set GRAFT_SHARED_DATASETS to its folder.`);
  describe.skip(name, () => {
    it('needs ../shared/datasets', () => undefined);
  });
}
