import type pg from 'pg';

/** Kinds whose half-done work lies outside of any backup, in a folder of a home or in the vector store: they begin anew. */
const BEGIN_ANEW = ['TRAINING', 'LABEL_INDEXING'];

/**
 * Has rows of another home, or of another day, hold here: in the transaction that loads them, once they have this version's form.
 * Unfinished runs and answers are let go of, so that the next gateway goes on at once; reservations of work that nobody does any more go.
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
}
