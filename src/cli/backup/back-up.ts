import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { GraftError, isGraftError } from '../../kernel/errors.js';
import { ArtifactUnreadable, homeName, type ArtifactStore } from '../../platform/artifacts/index.js';
import { packageVersion } from '../../platform/package-root.js';
import type { VectorStore } from '../../platform/vectors/index.js';
import { artifactPath } from './artifacts.js';
import { appliedMigrations, quoted, sequencesOf, tablesOf } from './catalogue.js';
import { withConnection } from './connection.js';
import { folderTaken, writingFailed } from './faults.js';
import { writePlain } from './files.js';
import {
  BACKUP_FORMAT,
  claimFolder,
  leaveFolder,
  writeManifest,
  type IndexInBackup,
  type BackupManifest,
} from './manifest.js';
import { dumpTable } from './tables.js';
import type { ProgressListener } from './progress.js';
import { allVectors, dumpVectors, indexesOf, vectorsOfChunks } from './vectors.js';

interface BackupParts {
  databaseUrl: string;
  artifacts: ArtifactStore;
  /** Null where no vectors are wanted: a restore embeds anew then. */
  vectors: VectorStore | null;
  /** GRAFT_HOME, whose files are here. */
  home: string;
  told: ProgressListener;
  signal: AbortSignal;
}

/**
 * Writes an installation into a folder while gateways work on it: all tables as they are at one moment, the files that rows name then, and
 * vectors. The manifest comes last, so that an interrupted backup is none; what was written of it is removed. Its unfinished file comes first:
 * of two backups into one folder only one begins, and the other touches nothing.
 *
 * @param folder empty, or not there
 * @throws CONFLICT for a folder that holds something or that another backup has taken, STORAGE_FAILED where it can't be written to,
 *   STORAGE_UNAVAILABLE where files lie in another home, SETUP_FAILED, DATABASE_UNAVAILABLE, VECTOR_STORE_UNAVAILABLE, AbortError
 */
export async function backUp(folder: string, parts: BackupParts): Promise<BackupManifest> {
  await prepare(folder);
  try {
    const manifest = await withConnection(parts.databaseUrl, 'graft-backup', (client) =>
      snapshot(client, folder, parts),
    );
    await writeManifest(folder, manifest);
    return manifest;
  } catch (error) {
    await clear(folder);
    throw writingFailed(folder, error);
  }
}

async function prepare(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw writingFailed(folder, error);
  }
  const [entry] = await readdir(folder);
  if (entry !== undefined) throw notEmpty(folder, entry);
  const claimed = await claimFolder(folder).catch((error: unknown) => {
    throw writingFailed(folder, error);
  });
  if (!claimed) throw folderTaken(folder);
  // Another may have come and ended between the look and the claim: what it wrote stays.
  const names = await readdir(folder);
  if (names.length === 1) return;
  await leaveFolder(folder);
  throw folderTaken(folder);
}

const notEmpty = (folder: string, entry: string): GraftError =>
  new GraftError('CONFLICT', `${folder} is not empty: it holds ${JSON.stringify(entry)}.`, {
    hint: 'Name a new folder for each backup. One that was killed leaves a folder without manifest.json, which may be removed.',
  });

/** What a failed backup leaves would fill the disk that it failed on. */
async function clear(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => []))
    await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined);
}

async function snapshot(client: pg.Client, folder: string, parts: BackupParts): Promise<BackupManifest> {
  const { signal } = parts;
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const tables = await tablesOf(client);
  if (!tables.some(({ name }) => name === '_prisma_migrations'))
    throw new GraftError('SETUP_FAILED', 'The database holds no Graft.', {
      hint: 'Look at GRAFT_HOME and DATABASE_URL.',
    });
  // As pg_dump does: a gateway of a later version that starts meanwhile waits with its migrations.
  await client.query(`LOCK TABLE ${tables.map(({ name }) => quoted(name)).join(', ')} IN ACCESS SHARE MODE`);
  const sequences = await sequencesOf(client);
  const migrations = await appliedMigrations(client);
  const dumped: BackupManifest['tables'] = [];
  for (const [index, table] of tables.entries()) {
    parts.told({ what: `table ${table.name}`, done: index, total: tables.length });
    dumped.push(await dumpTable(client, folder, table, signal));
  }
  parts.told({ what: 'tables', done: tables.length, total: tables.length });
  return {
    format: BACKUP_FORMAT,
    graft: packageVersion(),
    createdAt: new Date().toISOString(),
    migrations,
    tables: dumped,
    sequences,
    ...(await copyArtifacts(client, folder, parts)),
    vectors: parts.vectors === null ? null : await copyVectors(client, folder, parts.vectors, parts),
  };
}

/** Each file that a row of the snapshot names. What is lost, or is being deleted right now, is written down as such; what can't be read now ends the backup. */
async function copyArtifacts(
  client: pg.Client,
  folder: string,
  { artifacts, home, told, signal }: BackupParts,
): Promise<Pick<BackupManifest, 'artifacts' | 'lost'>> {
  // The first releases' files had no home.
  const { rows } = await client.query<{ sha256: string; homes: (string | null)[] }>(
    `SELECT sha256, array_agg(DISTINCT to_jsonb(f) ->> 'home') AS homes FROM stored_file f GROUP BY sha256 ORDER BY sha256`,
  );
  const copied: BackupManifest['artifacts'] = [];
  const lostFiles: string[] = [];
  for (const [index, { sha256, homes }] of rows.entries()) {
    signal.throwIfAborted();
    if (index % 50 === 0) told({ what: 'files', done: index, total: rows.length });
    const source = await artifacts.openRead(sha256).catch((error: unknown) => {
      if (!isGraftError(error, 'STORAGE_FAILED') || error instanceof ArtifactUnreadable) throw error;
      const elsewhere = homes.find((otherHome) => otherHome !== null && otherHome !== homeName(home));
      if (elsewhere && artifacts.home !== null) throw liesElsewhere(elsewhere);
      return null;
    });
    if (source === null) {
      lostFiles.push(sha256);
      continue;
    }
    const { bytes } = await writePlain(join(folder, artifactPath(sha256)), source, signal);
    copied.push({ sha256, bytes });
  }
  told({ what: 'files', done: rows.length, total: rows.length });
  return { artifacts: copied, lost: lostFiles };
}

const liesElsewhere = (home: string): GraftError =>
  new GraftError('STORAGE_UNAVAILABLE', `Files of this database lie in the home ${home}, which can’t be read here.`, {
    hint: 'Give all gateways of the database one store (GRAFT_S3_ENDPOINT): it is then backed up whole from any of them.',
  });

async function copyVectors(
  client: pg.Client,
  folder: string,
  vectors: VectorStore,
  { told, signal }: BackupParts,
): Promise<IndexInBackup[]> {
  const { collections, labels } = await indexesOf(client);
  const sources = [
    ...collections.map((index) => ({ index, records: vectorsOfChunks(client, vectors, index) })),
    ...labels.map((index) => ({ index, records: allVectors(vectors, index) })),
  ];
  const copied: IndexInBackup[] = [];
  let dumpedRecords = 0;
  for (const { index, records } of sources) {
    const tell = (count: number) => told({ what: 'vectors', done: dumpedRecords + count, total: null });
    const dumpedIndex = await dumpVectors(folder, index, records, { signal, told: tell });
    if (dumpedIndex === null) continue;
    copied.push(dumpedIndex);
    dumpedRecords += dumpedIndex.records;
  }
  told({ what: 'vectors', done: dumpedRecords, total: dumpedRecords });
  return copied;
}
