import type { Logger } from '../telemetry/index.js';
import type { Database } from './database.js';

/** The role of the gateway's connections where PostgreSQL's policies don't hold for it; null where they do. */
export async function bypassesWall({ pool }: Pick<Database, 'pool'>): Promise<string | null> {
  const { rows } = await pool.query<{ role: string }>(
    `SELECT rolname AS role FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)`,
  );
  return rows[0]?.role ?? null;
}

/** Says so where only the queries keep workspaces apart, and what helps. */
export async function warnWithoutWall(database: Pick<Database, 'pool'>, log: Logger): Promise<void> {
  const role = await bypassesWall(database);
  if (role === null) return;
  log.warn(
    {
      role,
      hint: 'Let DATABASE_URL sign in as a role that owns the database and is neither SUPERUSER nor BYPASSRLS (`ALTER ROLE … NOBYPASSRLS`), or as a superuser: its sessions lay down their rights.',
    },
    'row-level security is passed by: workspaces are kept apart by the queries alone',
  );
}
