// Prints the rows of a database as INSERTs, tables before those that refer to them: `node scripts/dump-rows.mjs postgresql://…`.
// So test/integration/old-home/rows.sql was made, from a home of the release that it is named after.
import pg from 'pg';

/** What a migrated database has already. */
const MADE_BY_MIGRATIONS = ['_prisma_migrations', 'workspace'];

const client = new pg.Client({ connectionString: process.argv[2] });
await client.connect();

async function tablesInOrder() {
  const { rows: tables } = await client.query(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL($1) ORDER BY tablename`,
    [MADE_BY_MIGRATIONS],
  );
  const { rows: references } = await client.query(
    `SELECT conrelid::regclass::text AS child, confrelid::regclass::text AS parent FROM pg_constraint WHERE contype = 'f'`,
  );
  const ordered = [];
  const add = (name) => {
    if (ordered.includes(name)) return;
    for (const { parent } of references.filter(({ child }) => child === name)) add(parent);
    ordered.push(name);
  };
  for (const { name } of tables) add(name);
  return ordered;
}

for (const table of await tablesInOrder()) {
  const { rows: columns } = await client.query(
    `SELECT column_name AS name FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position`,
    [table],
  );
  const names = columns.map(({ name }) => pg.escapeIdentifier(name)).join(', ');
  const values = columns.map(({ name }) => `quote_nullable(${pg.escapeIdentifier(name)}::text)`).join(`, `);
  const { rows } = await client.query(
    `SELECT concat_ws(', ', ${values}) AS row FROM ${pg.escapeIdentifier(table)} ORDER BY 1`,
  );
  if (rows.length === 0) continue;
  process.stdout.write(
    `INSERT INTO "${table}" (${names}) VALUES\n${rows.map(({ row }) => `(${row})`).join(',\n')};\n\n`,
  );
}
await client.end();
