import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { mapDatabaseError } from './errors.js';
import { PRISMA_LOCK } from './migrate.js';

/**
 * Beside the tables that a backup holds: what is restored into another database is another installation. No database user is called so: what is
 * made without a schema's name goes into that of the user's.
 */
const SCHEMA = 'graft_installation';
const TABLE = `${SCHEMA}.identity`;

/**
 * What tells the files and vectors of this database from those of another one in a bucket or a Chroma that both use: 16 hexadecimal digits, the
 * same for as long as the database is there. A copy that PostgreSQL's own tools make has the same.
 * @throws DATABASE_UNAVAILABLE
 */
export async function installationId(databaseUrl: string): Promise<string> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 10_000,
    application_name: 'graft-migrate',
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ there: boolean }>(`SELECT to_regclass($1) IS NOT NULL AS there`, [TABLE]);
    if (!rows[0]!.there) await make(client);
    const result = await client.query<{ id: string }>(`SELECT id FROM ${TABLE}`);
    return result.rows[0]!.id;
  } catch (error) {
    throw mapDatabaseError(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Several gateways may begin on one database at once. */
async function make(client: pg.Client): Promise<void> {
  await client.query('SELECT pg_advisory_lock($1)', [PRISMA_LOCK]);
  await client.query('BEGIN');
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`);
  await client.query(
    `CREATE TABLE IF NOT EXISTS ${TABLE} (single BOOLEAN PRIMARY KEY DEFAULT true CHECK (single), id TEXT NOT NULL)`,
  );
  await client.query(`INSERT INTO ${TABLE} (id) VALUES ($1) ON CONFLICT DO NOTHING`, [randomBytes(8).toString('hex')]);
  await client.query('COMMIT');
}
