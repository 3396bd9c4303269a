import { randomUUID } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { GraftError } from '../../kernel/errors.js';
import { sha256 } from '../../kernel/hashing.js';
import { packageRoot } from '../package-root.js';
import type { Database } from './database.js';
import { mapDatabaseError } from './errors.js';
import { prepareWalledRole } from './walled-role.js';

/*
 * Applies `prisma/migrations` at start. It keeps `_prisma_migrations` as Prisma does, so that `prisma migrate deploy` and Graft
 * agree on what is applied, and takes Prisma's own advisory lock, so that they (and several gateways) wait for one another.
 * Why not Prisma's engine: it is a binary that its CLI downloads, and Graft must start with no network.
 * Unlike Prisma, a migration and its row are one transaction: a migration that fails leaves nothing behind.
 */

/** The key of Prisma's advisory lock (schema-engine, sql-schema-connector). */
export const PRISMA_LOCK = 72_707_369;

export const PRISMA_TABLE = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id                  VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum            VARCHAR(64) NOT NULL,
  finished_at         TIMESTAMPTZ,
  migration_name      VARCHAR(255) NOT NULL,
  logs                TEXT,
  rolled_back_at      TIMESTAMPTZ,
  started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`;

export interface Migration {
  name: string;
  sql: string;
}

interface AppliedRow {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
}

/**
 * Brings a database to the state that this program expects and returns the names of the migrations it applied, oldest first
 * (empty when there was nothing to do). Safe to call from several processes at once.
 *
 * @param folder holds one folder a migration, as Prisma lays them out.
 * @throws GraftError SETUP_FAILED when the database is newer than the program, was migrated by other SQL, holds somebody else's
 *   tables, or a migration fails; DATABASE_UNAVAILABLE when it can't be reached.
 */
export async function migrate(database: Pick<Database, 'url'> | string, folder = ownMigrations()): Promise<string[]> {
  const migrations = await readMigrations(folder);
  const client = new pg.Client({
    connectionString: typeof database === 'string' ? database : database.url,
    connectionTimeoutMillis: 10_000,
    application_name: 'graft-migrate',
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_LOCK]);
    await seeAll(client);
    const applied = await applyPending(client, migrations);
    // Also where nothing was to be applied: who migrated need not be who works.
    await prepareWalledRole(client);
    return applied;
  } catch (error) {
    throw mapDatabaseError(error);
  } finally {
    // Ending the session releases the lock.
    await client.end().catch(() => undefined);
  }
}

/** For what works on the rows of all workspaces over a connection of its own: the policies hold for who owns the tables, too. */
export async function seeAll(client: pg.ClientBase): Promise<void> {
  await client.query(`SET graft.workspace TO 'system'`);
}

/** The folder of this program's own. */
export const ownMigrations = (): string => join(packageRoot(), 'prisma', 'migrations');

/** Oldest first. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => ({ name, sql: await readFile(join(folder, name, 'migration.sql'), 'utf8') })),
  );
}

async function applyPending(client: pg.Client, migrations: Migration[]): Promise<string[]> {
  const history = await readHistory(client);
  checkHistory(history, migrations);
  const applied = new Set(history.map((row) => row.migration_name));
  const pending = migrations.filter(({ name }) => !applied.has(name));
  for (const migration of pending) await apply(client, migration);
  return pending.map(({ name }) => name);
}

async function readHistory(client: pg.Client): Promise<AppliedRow[]> {
  const tables = await client.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`,
  );
  const names = tables.rows.map((row) => row.name);
  if (!names.includes('_prisma_migrations') && names.length > 0)
    throw refusal(
      `The database holds tables that Graft did not make (${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}).`,
      'Point DATABASE_URL at an empty database of its own.',
    );
  await client.query(PRISMA_TABLE);
  const rows = await client.query<AppliedRow>(
    `SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at`,
  );
  return rows.rows;
}

/** Throws unless the history is a past of `migrations`: every row known, finished, and made by the SQL that the program has. */
function checkHistory(history: AppliedRow[], migrations: Migration[]): void {
  const byName = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const row of history) {
    const migration = byName.get(row.migration_name);
    if (migration === undefined)
      throw refusal(
        `The database is newer than this program: it has the migration ${row.migration_name}, which this release does not know.`,
        'Start the release that migrated it, or a later one; or use another database.',
      );
    if (row.finished_at === null)
      throw refusal(
        `The migration ${row.migration_name} was begun with another tool and did not finish.`,
        'Finish it by hand and mark it with `npx prisma migrate resolve`, or restore a backup.',
      );
    if (!checksums(migration.sql).includes(row.checksum))
      throw refusal(
        `The migration ${row.migration_name} was changed after it was applied to this database.`,
        'Restore the file of the release; a change to the tables needs a new migration. A home that holds nothing of value begins anew after `npm run reset`.',
      );
  }
}

/** Prisma's checksum, and the same with the other line ending, which Prisma accepts too (a checkout may change it). */
export function checksums(sql: string): string[] {
  const unix = sql.replaceAll('\r\n', '\n');
  return [sha256(sql), sha256(unix), sha256(unix.replaceAll('\n', '\r\n'))];
}

/** One migration and its row, in a transaction of the caller's. */
export async function applyInTransaction(client: pg.ClientBase, { name, sql }: Migration): Promise<void> {
  await client.query(sql);
  await client.query(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
     VALUES ($1, $2, $3, clock_timestamp(), 1)`,
    [randomUUID(), sha256(sql), name],
  );
}

async function apply(client: pg.Client, { name, sql }: Migration): Promise<void> {
  try {
    await client.query('BEGIN');
    await applyInTransaction(client, { name, sql });
    await client.query('COMMIT');
  } catch (error) {
    const mapped = mapDatabaseError(error);
    if (mapped instanceof GraftError) throw mapped;
    await client.query('ROLLBACK').catch(() => undefined);
    throw new GraftError('SETUP_FAILED', `The migration ${name} failed and was undone: ${(error as Error).message}`, {
      hint: 'The database is as it was before. Check the rights of the user in DATABASE_URL.',
      cause: error,
    });
  }
}

const refusal = (message: string, hint: string) => new GraftError('SETUP_FAILED', message, { hint });
