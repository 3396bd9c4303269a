import type pg from 'pg';
import { GraftError } from '../../kernel/errors.js';
import { DEFAULT_WORKSPACE_ID } from '../../kernel/ids.js';
import type { ArtifactStore } from '../../platform/artifacts/index.js';
import {
  applyInTransaction,
  ownMigrations,
  prepareWalledRole,
  PRISMA_LOCK,
  PRISMA_TABLE,
  readMigrations,
} from '../../platform/database/index.js';
import type { VectorStore } from '../../platform/vectors/index.js';
import { putArtifacts } from './artifacts.js';
import { dropAll, quoted, rulesOf, tablesOf, walledTables } from './catalogue.js';
import { withConnection } from './connection.js';
import { interrupted } from './faults.js';
import { readManifest, type BackupManifest } from './manifest.js';
import { endedKeys, keepEnded, settleIn } from './settle-in.js';
import { checkShape, loadTable } from './tables.js';
import type { ProgressListener } from './progress.js';
import { indexesOf, loadVectors, missingRows, missingVectors, type IndexOfRows } from './vectors.js';
import { checkVersion, verifyFiles } from './verify.js';

interface RestoreParts {
  databaseUrl: string;
  artifacts: ArtifactStore;
  vectors: VectorStore;
  /** Whether what the installation holds may go. */
  replace: boolean;
  /** As for `migrate`. */
  migrations?: string;
  told: ProgressListener;
  signal: AbortSignal;
}

export interface Restored {
  manifest: BackupManifest;
  /** Migrations that were applied to what was loaded. */
  migrated: string[];
  /** Keys that the installation had ended since the backup, and that stay so; all others are as they were then. */
  keysKeptEnded: number;
  /** Whose vectors are not all there: they have to be embedded. */
  toEmbed: { collections: (IndexOfRows & { collectionId: string })[]; labels: (IndexOfRows & { versionId: string })[] };
  /** Why vectors could not be brought back; they are all to be embedded then. */
  vectorsFailed: unknown;
}

/**
 * Brings a backup back into an installation that no gateway uses. All of it is verified before anything is changed; the database is loaded
 * and migrated forward in one transaction, so that it is as before, or all of the backup. Files come first and do no harm without
 * rows. Vectors come last: what is missing of them can be made again.
 *
 * @throws SETUP_FAILED, STORAGE_FAILED for what is no backup, a damaged or a newer one; CONFLICT for an installation that holds something or
 *   is in use; DATABASE_UNAVAILABLE, STORAGE_UNAVAILABLE, AbortError
 */
export async function restore(folder: string, parts: RestoreParts): Promise<Restored> {
  const manifest = await readManifest(folder);
  const migrations = await readMigrations(parts.migrations ?? ownMigrations());
  checkVersion(manifest, migrations);
  await verifyFiles(folder, manifest, parts);
  return withConnection(parts.databaseUrl, 'graft-restore', async (client) => {
    // Gone with the connection.
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_LOCK]);
    await checkTarget(client, parts.replace);
    const indexesBefore = await indexesOf(client);
    await putArtifacts(folder, parts.artifacts, manifest.artifacts, parts);
    const { migrated, keysKeptEnded } = await loadDatabase(client, folder, manifest, migrations, parts);
    const indexesAfter = await indexesOf(client);
    const failed = await bringVectors(
      folder,
      manifest,
      [indexesBefore, indexesAfter].flatMap((indexes) => [...indexes.collections, ...indexes.labels]),
      parts,
    );
    return {
      manifest,
      migrated,
      keysKeptEnded,
      toEmbed: await toEmbed(client, parts, indexesAfter, failed),
      vectorsFailed: failed,
    };
  });
}

async function checkTarget(client: pg.Client, replace: boolean): Promise<void> {
  const users = await client.query(
    `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'graft' LIMIT 1`,
  );
  if (users.rowCount !== 0)
    throw new GraftError('CONFLICT', 'A gateway uses this database.', {
      hint: 'Stop every gateway of it first; what they know by heart would no longer hold.',
    });
  const tables = (await tablesOf(client)).map(({ name }) => name);
  if (tables.length > 0 && !tables.includes('_prisma_migrations'))
    throw new GraftError('SETUP_FAILED', 'The database holds tables that Graft did not make.', {
      hint: 'Point DATABASE_URL at an empty database of its own.',
    });
  if (replace) return;
  for (const name of tables.filter((table) => table !== '_prisma_migrations')) {
    const condition = name === 'workspace' ? `WHERE id <> '${DEFAULT_WORKSPACE_ID}'` : '';
    const { rowCount } = await client.query(`SELECT 1 FROM ${quoted(name)} ${condition} LIMIT 1`);
    if (rowCount === 0) continue;
    throw new GraftError('CONFLICT', `The installation is not empty: its table ${name} has rows.`, {
      hint: 'Restore into an empty one (GRAFT_HOME, DATABASE_URL), or say --replace: what it holds is then gone for good.',
    });
  }
}

/** @returns the names of the migrations that were applied on top, and how many keys were kept ended */
async function loadDatabase(
  client: pg.Client,
  folder: string,
  manifest: BackupManifest,
  migrations: Awaited<ReturnType<typeof readMigrations>>,
  { told, signal, artifacts }: RestoreParts,
): Promise<Pick<Restored, 'migrated' | 'keysKeptEnded'>> {
  const appliedNames = new Set(manifest.migrations.map(({ name }) => name));
  const later = migrations.filter(({ name }) => !appliedNames.has(name));
  await client.query('BEGIN');
  await client.query(`SET LOCAL maintenance_work_mem = '256MB'`);
  const keys = await endedKeys(client);
  await dropAll(client);
  await client.query(PRISMA_TABLE);
  for (const { name, sql } of migrations) if (appliedNames.has(name)) await client.query(sql);
  await checkShape(client, folder, manifest.tables);
  // Migrations write rows, too: the backup has them.
  await client.query(`TRUNCATE ${manifest.tables.map(({ name }) => quoted(name)).join(', ')}`);
  const rules = await rulesOf(client);
  for (const statement of rules.drop) await client.query(statement);
  for (const { name } of manifest.tables) await client.query(`ALTER TABLE ${quoted(name)} DISABLE TRIGGER USER`);
  const walled = await walledTables(client);
  for (const name of walled) await client.query(`ALTER TABLE ${quoted(name)} NO FORCE ROW LEVEL SECURITY`);
  for (const [index, table] of manifest.tables.entries()) {
    told({ what: `table ${table.name}`, done: index, total: manifest.tables.length });
    await loadTable(client, folder, table, signal);
  }
  told({ what: 'tables', done: manifest.tables.length, total: manifest.tables.length });
  for (const [index, statement] of rules.make.entries()) {
    signal.throwIfAborted();
    told({ what: 'indexes', done: index, total: rules.make.length });
    await client.query(statement);
  }
  told({ what: 'indexes', done: rules.make.length, total: rules.make.length });
  for (const { name } of manifest.tables) await client.query(`ALTER TABLE ${quoted(name)} ENABLE TRIGGER USER`);
  for (const name of walled) await client.query(`ALTER TABLE ${quoted(name)} FORCE ROW LEVEL SECURITY`);
  for (const { name, last } of manifest.sequences)
    if (last !== null) await client.query('SELECT setval($1::regclass, $2::bigint, true)', [quoted(name), last]);
  for (const migration of later) await applyInTransaction(client, migration);
  await prepareWalledRole(client);
  await settleIn(client, artifacts.home);
  const keysKeptEnded = await keepEnded(client, keys);
  await client.query('COMMIT');
  await client.query('ANALYZE');
  return { migrated: later.map(({ name }) => name), keysKeptEnded };
}

/** @returns why they could not be brought back, or null */
async function bringVectors(
  folder: string,
  { vectors: inBackup }: BackupManifest,
  stale: readonly IndexOfRows[],
  { vectors, told, signal }: RestoreParts,
): Promise<unknown> {
  const indexes = inBackup ?? [];
  const total = indexes.reduce((sum, { records }) => sum + records, 0);
  let loadedRecords = 0;
  try {
    // What lies there is of other rows: of those before, or of another restore.
    for (const { workspaceId, indexId } of stale) await vectors.drop(workspaceId, indexId);
    for (const index of indexes) {
      const tell = (count: number) => told({ what: 'vectors', done: loadedRecords + count, total });
      await loadVectors(folder, vectors, index, { signal, told: tell });
      loadedRecords += index.records;
    }
    return null;
  } catch (error) {
    // The rows are there for good: an interruption leaves vectors to be embedded, as any other failure does.
    return interrupted(error) ? new GraftError('CANCELLED', 'It was interrupted.') : error;
  }
}

async function toEmbed(
  client: pg.Client,
  { vectors }: RestoreParts,
  { collections, labels }: Awaited<ReturnType<typeof indexesOf>>,
  failed: unknown,
): Promise<Restored['toEmbed']> {
  if (failed !== null) return { collections, labels };
  const missing: Restored['toEmbed'] = { collections: [], labels: [] };
  for (const index of collections)
    if ((await missingVectors(client, vectors, index)) > 0) missing.collections.push(index);
  for (const index of labels) if ((await missingRows(client, vectors, index)) > 0) missing.labels.push(index);
  return missing;
}
