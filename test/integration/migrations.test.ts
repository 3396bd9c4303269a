import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { deployWithPrisma, differenceToSchema } from '../../scripts/schema-engine.js';
import { DEFAULT_WORKSPACE_ID } from '../../src/kernel/ids.js';
import { installationId, migrate } from '../../src/platform/database/index.js';
import { packageRoot } from '../../src/platform/package-root.js';
import { emptyDatabase } from '../support/database.js';

const SCHEMA = join(packageRoot(), 'prisma', 'schema.prisma');
const MIGRATIONS = join(packageRoot(), 'prisma', 'migrations');

describe('migrations', () => {
  let url: string;
  let drop: () => Promise<void>;
  let folder: string;

  beforeEach(async () => {
    ({ url, drop } = await emptyDatabase());
    folder = await mkdtemp(join(tmpdir(), 'graft-migrations-'));
    await cp(MIGRATIONS, folder, { recursive: true });
  });

  afterEach(async () => {
    await drop();
    await rm(folder, { recursive: true });
  });

  async function sql<Row extends pg.QueryResultRow>(text: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }

  async function addMigration(name: string, text: string): Promise<void> {
    await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, name, 'migration.sql'), text);
  }

  it('an installation has one id for good, whichever gateways ask first and however often it is migrated', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, () => installationId(url)));
    const applied = await migrate(url);
    expect(new Set([...ids, await installationId(url)]).size).toBe(1);
    // What has the id stands in nobody's way: tables are where they were, and are not made again.
    expect(applied).not.toEqual([]);
    expect(await migrate(url)).toEqual([]);
    expect(await sql(`SELECT DISTINCT schemaname FROM pg_tables WHERE tablename = 'answer'`)).toEqual([
      { schemaname: 'public' },
    ]);
    expect(ids[0]).toMatch(/^[0-9a-f]{16}$/);
  });

  it('make an empty database what schema.prisma describes, with the default workspace in it', async () => {
    const applied = await migrate(url);
    expect(applied).toEqual(['20261124000000_init']);
    expect(await differenceToSchema(url, SCHEMA)).toBe('');
    expect(await sql('SELECT id, name FROM workspace')).toEqual([{ id: DEFAULT_WORKSPACE_ID, name: 'default' }]);
  });

  it('show a difference when the database has one, so that the test above can fail', async () => {
    await migrate(url);
    await sql('ALTER TABLE workspace DROP COLUMN created_at');
    expect(await differenceToSchema(url, SCHEMA)).toContain('ADD COLUMN     "created_at"');
  });

  it('do nothing the second time', async () => {
    expect(await migrate(url)).not.toEqual([]);
    expect(await migrate(url)).toEqual([]);
  });

  it('apply once when several gateways start together', async () => {
    const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(url)));
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
  });

  it('leave nothing for `prisma migrate deploy` to do', async () => {
    await migrate(url);
    expect(await deployWithPrisma(url, SCHEMA)).toEqual([]);
  });

  it('accept what `prisma migrate deploy` did', async () => {
    expect(await deployWithPrisma(url, SCHEMA)).toEqual(['20261124000000_init']);
    expect(await migrate(url)).toEqual([]);
  });

  it('apply only the new ones to an older database', async () => {
    await migrate(url, folder);
    await addMigration('20990101000000_more', 'CREATE TABLE more (id int)');
    expect(await migrate(url, folder)).toEqual(['20990101000000_more']);
  });

  it('refuse a database that a newer program migrated', async () => {
    await addMigration('20990101000000_later', 'CREATE TABLE later (id int)');
    await migrate(url, folder);
    await expect(migrate(url)).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringContaining('newer than this program') as string,
    });
  });

  it('refuse when an applied migration was changed, and accept another line ending', async () => {
    await addMigration('20990101000000_more', 'CREATE TABLE more (id int);\n');
    await migrate(url, folder);
    await addMigration('20990101000000_more', 'CREATE TABLE more (id int);\r\n');
    expect(await migrate(url, folder)).toEqual([]);
    await addMigration('20990101000000_more', 'CREATE TABLE more (id bigint);\n');
    await expect(migrate(url, folder)).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringContaining('20990101000000_more was changed') as string,
    });
  });

  it('undo one that fails, say which, and go on when it is put right', async () => {
    await addMigration('20990101000000_bad', 'CREATE TABLE half (id int); SELECT 1/0;');
    await expect(migrate(url, folder)).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringMatching(/20990101000000_bad failed and was undone.*division by zero/) as string,
    });
    await addMigration('20990101000000_bad', 'CREATE TABLE half (id int);');
    expect(await migrate(url, folder)).toEqual(['20990101000000_bad']);
  });

  it('refuse a database that holds somebody else’s tables, and leave it alone', async () => {
    await sql('CREATE TABLE theirs (id int)');
    await expect(migrate(url)).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringContaining('theirs') as string,
    });
    expect(await sql(`SELECT tablename FROM pg_tables WHERE schemaname = 'public'`)).toEqual([{ tablename: 'theirs' }]);
  });

  it('say that the database is unavailable when nothing answers', async () => {
    await expect(migrate('postgres://x:x@127.0.0.1:1/x')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  });
});
