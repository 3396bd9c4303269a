import type { Pool } from 'pg';
import { asOwner } from './as-owner.js';

/** Tables that say nothing of a workspace's own. */
const OF_NOBODY = ['_prisma_migrations', 'workspace'];

interface Column {
  name: string;
  type: string;
  needed: boolean;
  refers: string | null;
}

const COLUMNS = `
  SELECT c.relname AS "table", a.attname AS name, format_type(a.atttypid, NULL) AS type,
    a.attnotnull AND NOT a.atthasdef AS needed, (
      SELECT confrelid::regclass::text FROM pg_constraint f
      WHERE f.contype = 'f' AND f.conrelid = c.oid AND a.attnum = ANY(f.conkey) AND f.confrelid <> c.oid
        AND confrelid::regclass::text <> 'workspace' LIMIT 1) AS refers
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname, a.attnum`;

/** What may stand in a text column, where not just anything may. */
const TEXTS: Readonly<Record<string, string>> = {
  'run.kind': 'INGESTION',
  'run.status': 'SUCCEEDED',
  'document.status': 'READY',
  'document.format': 'TEXT',
  'api_key.role': 'ASK',
  'budget.window': 'DAY',
};

const valueOf = (table: string, { name, type }: Column): unknown => {
  if (type.endsWith('[]')) return [];
  if (type === 'text' || type.startsWith('character'))
    return TEXTS[`${table}.${name}`] ?? (name === 'name' ? `foreign-${table}` : `secret-${table}-${name}`);
  if (type === 'jsonb' || type === 'json') return '{}';
  if (type === 'boolean') return false;
  if (type === 'bytea') return Buffer.from([0]);
  if (type.startsWith('timestamp')) return new Date('2026-01-01T00:00:00Z');
  if (type === 'tsvector') return '';
  return 1;
};

/**
 * A row of a workspace in every table of the database, whatever tables there are: names are `foreign-<table>`, other texts
 * `secret-<table>-<column>`. Columns that end in `_id` name the row of the table that they are called after.
 * @returns the id of each table's row, and the tables without such a column
 */
export async function rowInEveryTable(pool: Pool, workspaceId: string): Promise<Map<string, string>> {
  const { rows } = await pool.query<Column & { table: string }>(COLUMNS);
  const tables = new Map<string, Column[]>();
  for (const { table, ...column } of rows)
    if (!OF_NOBODY.includes(table)) tables.set(table, [...(tables.get(table) ?? []), column]);
  const ids = new Map([...tables.keys()].map((table) => [table, crypto.randomUUID() as string]));
  const uuidOf = (table: string, { name, refers }: Column): string => {
    if (name === 'workspace_id') return workspaceId;
    if (name === 'id') return ids.get(table)!;
    return ids.get(refers ?? name.replace(/_id$/, '')) ?? crypto.randomUUID();
  };
  // Rows may name one another in circles; neither references nor triggers are asked.
  await asOwner(pool, async (client) => {
    await client.query('SET session_replication_role = replica');
    for (const [table, columns] of tables) {
      const filled = columns.filter(({ name, needed, type }) => needed || name === 'name' || type === 'uuid');
      const values = filled.map((column) => (column.type === 'uuid' ? uuidOf(table, column) : valueOf(table, column)));
      await client.query(
        `INSERT INTO "${table}" (${filled.map(({ name }) => `"${name}"`).join(', ')})
         VALUES (${filled.map((_, i) => `$${i + 1}`).join(', ')})`,
        values,
      );
    }
  });
  return ids;
}

/** One digest over all rows of a workspace, by table. */
export async function rowsOf(pool: Pool, workspaceId: string): Promise<Record<string, string>> {
  const { rows } = await pool.query<{ table: string }>(
    `SELECT table_name AS "table" FROM information_schema.columns
     WHERE table_schema = 'public' AND column_name = 'workspace_id' ORDER BY 1`,
  );
  const digests: Record<string, string> = {};
  for (const { table } of rows) {
    const { rows: found } = await pool.query<{ digest: string }>(
      `SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') AS digest FROM "${table}" t WHERE workspace_id = $1`,
      [workspaceId],
    );
    digests[table] = found[0]!.digest;
  }
  return digests;
}
