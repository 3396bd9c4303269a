import type pg from 'pg';

/** Kinds whose half-done work lies outside of any backup, in a folder of a home or in the vector store: they begin anew. `test/unit/graphql/run-kinds.test.ts` names one that is missing. */
export const BEGIN_ANEW = ['TRAINING', 'LABEL_INDEXING'];

/** A key that an installation had ended before it was replaced; times as PostgreSQL writes them, to the microsecond. */
interface EndedKey {
  id: string;
  revokedAt: string | null;
  expiresAt: string | null;
}

/** The keys that are revoked or have an end, as rotated ones do: to be read before everything goes. */
export async function endedKeys(client: pg.ClientBase): Promise<EndedKey[]> {
  const { rows: tables } = await client.query(`SELECT 1 WHERE to_regclass('public.api_key') IS NOT NULL`);
  if (tables.length === 0) return [];
  const { rows } = await client.query<EndedKey>(`
    SELECT id, revoked_at::text AS "revokedAt", expires_at::text AS "expiresAt" FROM api_key
    WHERE revoked_at IS NOT NULL OR expires_at IS NOT NULL`);
  return rows;
}

/** An older state lets nobody in whose key was ended since. @returns how many keys it would have let in */
export async function keepEnded(client: pg.ClientBase, keys: readonly EndedKey[]): Promise<number> {
  if (keys.length === 0) return 0;
  const { rowCount } = await client.query(
    `UPDATE api_key AS key SET revoked_at = coalesce(key.revoked_at, ended.revoked_at),
       expires_at = least(key.expires_at, ended.expires_at)
     FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS ended (id, revoked_at, expires_at)
     WHERE key.id = ended.id AND ((key.revoked_at IS NULL AND ended.revoked_at IS NOT NULL)
       OR ended.expires_at < coalesce(key.expires_at, 'infinity'))`,
    [keys.map(({ id }) => id), keys.map(({ revokedAt }) => revokedAt), keys.map(({ expiresAt }) => expiresAt)],
  );
  return rowCount ?? 0;
}

/**
 * Has rows of another home, or of another day, hold here: in the transaction that loads them, once they have this version's form.
 * Unfinished runs and answers are let go of, so that the next gateway goes on at once; reservations of work that nobody does any more go, and
 * nothing that was to be told to others is told twice.
 * @param home of the artifact store; null where all gateways share one
 */
export async function settleIn(client: pg.ClientBase, home: string | null): Promise<void> {
  await client.query('UPDATE stored_file SET home = $1', [home]);
  await client.query(`
    UPDATE run SET unreadable_by = '{}', lease_until = CASE WHEN status = 'RUNNING' THEN now() - interval '1 second' END
    WHERE status IN ('QUEUED', 'RUNNING', 'PAUSED')`);
  await client.query(
    `UPDATE run SET checkpoint = NULL WHERE status IN ('QUEUED', 'RUNNING', 'PAUSED') AND kind = ANY($1)`,
    [BEGIN_ANEW],
  );
  await client.query(`UPDATE answer SET lease_until = now() - interval '1 second' WHERE status = 'RUNNING'`);
  await client.query('DELETE FROM reservation');
  // The installation that was backed up has sent them since, or will.
  await client.query(
    `UPDATE webhook_delivery SET status = 'GIVEN_UP', outcome = 'It waited when a backup was made, which was restored.', ended_at = now()
      WHERE status = 'WAITING'`,
  );
}
