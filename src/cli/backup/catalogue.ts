import pg from 'pg';
import type { BackupManifest } from './manifest.js';

/** A table of the schema, with the columns that are stored. */
export interface CatalogueTable {
  name: string;
  columns: string[];
}

export const quoted = (name: string): string => pg.escapeIdentifier(name);

/** Every table, read from the catalogue: one that a migration adds is backed up without a word here. */
export async function tablesOf(client: pg.ClientBase): Promise<CatalogueTable[]> {
  const { rows } = await client.query<CatalogueTable>(`
    SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY c.relname ORDER BY c.relname`);
  return rows;
}

/** Their next values are no part of any snapshot: read after it began, they lie beyond every value that it holds. */
export async function sequencesOf(client: pg.ClientBase): Promise<BackupManifest['sequences']> {
  const { rows } = await client.query<{ name: string; last: string | null }>(
    `SELECT sequencename AS name, last_value::text AS last FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1`,
  );
  return rows;
}

export async function appliedMigrations(client: pg.ClientBase): Promise<BackupManifest['migrations']> {
  const { rows } = await client.query<{ name: string; checksum: string }>(`
    SELECT migration_name AS name, checksum FROM _prisma_migrations
    WHERE rolled_back_at IS NULL AND finished_at IS NOT NULL ORDER BY migration_name`);
  return rows;
}

/** What holds rows to rules and speeds searches up, in the order in which it is made: keys, indexes, references. */
interface Rules {
  readonly drop: readonly string[];
  readonly make: readonly string[];
}

/**
 * The statements that drop every key, reference and index, and make them again. Rows that come in bulk are loaded without them: to build an
 * index once over all rows, and to check a reference by one join, takes a fraction of doing so row by row.
 */
export async function rulesOf(client: pg.ClientBase): Promise<Rules> {
  const constraints = await client.query<{ table: string; name: string; kind: string; definition: string }>(`
    SELECT conrelid::regclass::text AS "table", quote_ident(conname) AS name, contype AS kind, pg_get_constraintdef(oid) AS definition
    FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype IN ('f', 'p', 'u', 'x') AND conrelid <> 0 ORDER BY conname`);
  const indexes = await client.query<{ name: string; definition: string }>(`
    SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.indexrelid AND contype IN ('p', 'u', 'x')) ORDER BY 1`);
  const references = constraints.rows.filter(({ kind }) => kind === 'f');
  const keys = constraints.rows.filter(({ kind }) => kind !== 'f');
  const dropped = ({ table, name }: { table: string; name: string }) => `ALTER TABLE ${table} DROP CONSTRAINT ${name}`;
  const addConstraint = ({ table, name, definition }: (typeof keys)[number]) =>
    `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition}`;
  return {
    drop: [...references.map(dropped), ...keys.map(dropped), ...indexes.rows.map(({ name }) => `DROP INDEX ${name}`)],
    make: [
      ...keys.map(addConstraint),
      ...indexes.rows.map(({ definition }) => definition),
      ...references.map(addConstraint),
    ],
  };
}

/** Tables whose policies hold for their owner, too: nobody can load rows in bulk into them. */
export async function walledTables(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(`
    SELECT relname AS name FROM pg_class
    WHERE relforcerowsecurity AND relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1`);
  return rows.map(({ name }) => name);
}

/** Removes everything of the schema that no extension owns. */
export async function dropAll(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(`
    WITH owned AS (SELECT objid FROM pg_depend WHERE deptype = 'e')
    SELECT format('DROP TABLE IF EXISTS %I CASCADE', relname) AS statement FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND oid NOT IN (SELECT objid FROM owned)
    UNION ALL
    SELECT format('DROP SEQUENCE IF EXISTS %I CASCADE', relname) FROM pg_class
    WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace AND oid NOT IN (SELECT objid FROM owned)
    UNION ALL
    SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND oid NOT IN (SELECT objid FROM owned)`);
  for (const { statement } of rows) await client.query(statement);
}
