import type { Pool } from 'pg';

/** Backends of this database that wait for a lock which another one holds. */
export async function waitingForLocks(pool: Pick<Pool, 'query'>): Promise<number[]> {
  const { rows } = await pool.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return rows.map(({ pid }) => pid);
}
