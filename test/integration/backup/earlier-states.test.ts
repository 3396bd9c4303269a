import { cp, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { differenceToSchema } from '../../../scripts/schema-engine.js';
import { DEFAULT_WORKSPACE_ID } from '../../../src/kernel/ids.js';
import { migrate, ownMigrations } from '../../../src/platform/database/index.js';
import { packageRoot } from '../../../src/platform/package-root.js';
import { draws } from '../../support/draws.js';
import { rowInEveryTable } from '../../support/every-table.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.js';
import { backUpTo, inDatabase, keepLawfulRows, place, restoreTo, type Place } from './backup-kit.js';

const SCHEMA = join(packageRoot(), 'prisma', 'schema.prisma');
/** `graft backup` of the home in `../old-home`, as the first release left it: format 1, four migrations. Never made again. */
const FIRST_RELEASE = join(packageRoot(), 'test', 'integration', 'backup', 'first-release');
/** Rows that no restore keeps: of work that nobody does any more, and routers that knew adapters by style, which are learned anew by themselves. */
const NOT_KEPT = ['reservation', '_prisma_migrations', 'adapter_sample', 'router_version', 'router_proposal'];

describe('a backup of every earlier state', () => {
  let folder: TemporaryFolder;
  let names: string[];
  const places: Place[] = [];

  const empty = async (name: string): Promise<Place> => {
    const one = await place(join(folder.path, name));
    places.push(one);
    return one;
  };
  const countsOf = (url: string): Promise<Record<string, number>> =>
    inDatabase(url, async ({ pool }) => {
      const { rows } = await pool.query<{ name: string }>(
        `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`,
      );
      const counts: Record<string, number> = {};
      for (const { name } of rows)
        counts[name] = Number((await pool.query<{ n: string }>(`SELECT count(*) AS n FROM "${name}"`)).rows[0]!.n);
      return counts;
    });

  beforeAll(async () => {
    folder = await temporaryFolder();
    names = (await readdir(ownMigrations(), { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  });
  afterEach(async () => {
    for (const each of places.splice(0)) await each.dispose();
  });
  afterAll(() => folder.remove());

  it('is restored and migrated forward, and loses no row', async () => {
    const migrations = join(folder.path, 'migrations');
    await mkdir(migrations);
    const lost: string[] = [];
    const states = names.length - 1;
    const every = Math.ceil(states / draws(states));
    for (const [at, name] of names.slice(0, -1).entries()) {
      await cp(join(ownMigrations(), name), join(migrations, name), { recursive: true });
      // The newest always: what is written next goes on from there.
      if (at % every > 0 && at < states - 1) continue;
      const [from, to] = [await empty(`from-${at}`), await empty(`to-${at}`)];
      await migrate(from.url, migrations);
      await inDatabase(from.url, async ({ pool }) => {
        await rowInEveryTable(pool, DEFAULT_WORKSPACE_ID);
        await keepLawfulRows(pool);
        await pool.query(`UPDATE stored_file SET sha256 = repeat('a', 64)`);
      });
      const backup = join(folder.path, `backup-${at}`);
      const { tables } = await backUpTo(backup, from);
      const { migrated } = await restoreTo(backup, to);
      expect(migrated).toEqual(names.slice(at + 1));
      expect([name, await differenceToSchema(to.url, SCHEMA)]).toEqual([name, '']);
      // A migration may write rows of its own.
      const counts = await countsOf(to.url);
      for (const table of tables.filter((each) => !NOT_KEPT.includes(each.name)))
        if (!(counts[table.name]! >= table.rows)) lost.push(`${name}: ${table.name}`);
      for (const each of places.splice(0)) await each.dispose();
    }
    expect(lost).toEqual([]);
  }, 900_000);

  it('is read as it was written: that of the first release, which lies here', async () => {
    const to = await empty('first-release');
    const { manifest, migrated, toEmbed } = await restoreTo(FIRST_RELEASE, to);
    expect(manifest.migrations).toHaveLength(4);
    expect(migrated).toEqual(names.slice(4));
    expect(await differenceToSchema(to.url, SCHEMA)).toBe('');
    const counts = await countsOf(to.url);
    for (const { name, rows } of manifest.tables)
      if (!NOT_KEPT.includes(name)) expect([name, counts[name]]).toEqual([name, rows]);
    for (const { sha256 } of manifest.artifacts) expect(await to.artifacts.has(sha256)).toBe(true);
    expect(manifest.artifacts.length).toBeGreaterThan(10);
    expect(toEmbed.collections).toHaveLength(1);
    const answers = await inDatabase(to.url, ({ prisma }) => prisma.answer.findMany({ where: { status: 'COMPLETE' } }));
    expect(answers.map(({ text }) => text)).toEqual([
      'The kettle in the kitchen switches itself off after 90 seconds.',
    ]);
  }, 60_000);
});
