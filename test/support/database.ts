import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { openDatabase, type Database } from '../../src/platform/database/index.js';

/** A migrated, empty database from which each test's own is copied: a copy takes a tenth of the time of migrating. */
export const TEMPLATE = 'graft_template';

export type TestDatabase = Database & {
  /** Closes and drops it. */
  dispose(): Promise<void>;
};

function serverUrl(): string {
  const url = process.env.GRAFT_TEST_DATABASE_URL;
  if (url === undefined) throw new Error('no test servers: does the test lie under test/unit?');
  return url;
}

async function administer(sql: string): Promise<pg.QueryResult> {
  const admin = new pg.Client({ connectionString: serverUrl() });
  await admin.connect();
  try {
    return await admin.query(sql);
  } finally {
    await admin.end();
  }
}

/** @param folder an empty one that the server's user owns, in which the database shall lie instead of beside the others */
async function create(template: string, folder?: string): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  if (folder !== undefined) await administer(`CREATE TABLESPACE ${name} LOCATION '${folder}'`);
  await administer(`CREATE DATABASE ${name} TEMPLATE ${template} ${folder === undefined ? '' : `TABLESPACE ${name}`}`);
  return {
    url: serverUrl().replace(/[^/]+$/, name),
    drop: async () => {
      await administer(`DROP DATABASE ${name} WITH (FORCE)`);
      if (folder !== undefined) await administer(`DROP TABLESPACE ${name}`);
    },
  };
}

/** The URL of a database without any table. */
export const emptyDatabase = () => create('template0');

/** A database without any table that belongs to a user of its own, who is no superuser: as managed servers give them. */
export async function ownedDatabase(): Promise<{
  url: string;
  owner: string;
  asSuperuser: string;
  drop(): Promise<void>;
}> {
  const { url: asSuperuser, drop } = await create('template0');
  const url = new URL(asSuperuser);
  const owner = `owner_${randomBytes(8).toString('hex')}`;
  await administer(`CREATE ROLE ${owner} LOGIN PASSWORD 'x'`);
  await administer(`ALTER DATABASE ${url.pathname.slice(1)} OWNER TO ${owner}`);
  url.username = owner;
  url.password = 'x';
  return {
    url: url.href,
    owner,
    asSuperuser,
    drop: async () => {
      await drop();
      await administer(`DROP ROLE ${owner}`);
    },
  };
}

/** The folder in which the server of the tests keeps its data. */
export async function serverFolder(): Promise<string> {
  const { rows } = await administer('SHOW data_directory');
  return (rows as { data_directory: string }[])[0]!.data_directory;
}

/**
 * A migrated database of the test's own on the run's server; it holds the default workspace and nothing else.
 * @param folder where it shall lie, as for `create`
 */
export async function testDatabase(folder?: string): Promise<TestDatabase> {
  const { url, drop } = await create(TEMPLATE, folder);
  // What tests do by themselves is nobody's request.
  const database = await openDatabase(url, { unsaid: 'system' });
  return {
    ...database,
    dispose: async () => {
      await database.close();
      await drop();
    },
  };
}
