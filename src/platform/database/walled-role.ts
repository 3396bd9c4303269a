import type pg from 'pg';

/** PostgreSQL's policies hold for it, and nobody signs in as it: superusers, for whom none holds, lay their rights down for it. */
export const WALLED_ROLE = 'graft_rows';

/** The semicolons are no ends of statements: it is one. */
const PREPARE = `DO $$ BEGIN
  IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '${WALLED_ROLE}') THEN
      BEGIN
        CREATE ROLE ${WALLED_ROLE} NOLOGIN;
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;
      END;
    END IF;
    GRANT USAGE ON SCHEMA public TO ${WALLED_ROLE};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${WALLED_ROLE};
    GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO ${WALLED_ROLE};
  END IF;
END $$`;

/**
 * Lets a superuser's sessions lay their rights down in this database; does nothing for another user. The role belongs to the server, its rights to
 * the database: an owner who is no superuser made the tables without them, a dump may come without them, and by default they are given for what
 * one superuser makes, not for what the next does. To be called with the lock on migrations held.
 */
export async function prepareWalledRole(client: pg.ClientBase): Promise<void> {
  await client.query(PREPARE);
}
