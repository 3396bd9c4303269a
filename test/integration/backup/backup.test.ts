import { appendFile, chmod, cp, mkdir, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { asOwner } from '../../support/as-owner.js';
import { ownedDatabase } from '../../support/database.js';
import { differenceToSchema } from '../../../scripts/schema-engine.js';
import { embedAnew, type BackupManifest } from '../../../src/cli/backup/index.js';
import { DEFAULT_WORKSPACE_ID, newId, type WorkspaceId } from '../../../src/kernel/ids.js';
import {
  asColumn,
  bypassesWall,
  inWorkspace,
  migrate,
  openDatabase,
  ownMigrations,
} from '../../../src/platform/database/index.js';
import { packageRoot } from '../../../src/platform/package-root.js';
import { rowInEveryTable } from '../../support/every-table.js';
import { itWhen } from '../../support/skip.js';
import { canMount, mountSmallDisk } from '../../support/small-disk.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.js';
import { backUpTo, contentOf, inDatabase, keepLawfulRows, place, restoreTo, type Place } from './backup-kit.js';

const SCHEMA = join(packageRoot(), 'prisma', 'schema.prisma');
const CHUNKS = 2_100;
/** What `settleIn` changes on purpose. */
const LET_GO_OF = new Set(['reservation', 'run', 'answer', 'stored_file', '_prisma_migrations']);

describe('a backup', () => {
  let folder: TemporaryFolder;
  let from: Place;
  let good: string;
  let manifest: BackupManifest;
  let sha256: string;
  let collectionId: string;
  const places: Place[] = [];
  let made = 0;

  const empty = async (): Promise<Place> => {
    const one = await place(join(folder.path, `home-${++made}`));
    places.push(one);
    return one;
  };
  /** How many rows each table of the backup has there. */
  const countsIn = (url: string): Promise<Record<string, number>> =>
    inDatabase(url, async ({ pool }) => {
      const counts: Record<string, number> = {};
      for (const { name } of manifest.tables)
        counts[name] = Number((await pool.query<{ n: string }>(`SELECT count(*) AS n FROM "${name}"`)).rows[0]!.n);
      return counts;
    });
  /** A copy of the good backup, to be harmed. */
  const copyOfGood = async (): Promise<string> => {
    const copy = join(folder.path, `copy-${++made}`);
    await cp(good, copy, { recursive: true });
    return copy;
  };
  const changeManifest = async (copy: string, change: (json: Record<string, unknown>) => void): Promise<void> => {
    const path = join(copy, 'manifest.json');
    const json = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    change(json);
    await writeFile(path, JSON.stringify(json));
  };

  /** A collection with so many chunks, whose vectors are numbers that a test can foresee. */
  async function addCollection(url: string): Promise<{ collectionId: string; indexId: string }> {
    return inDatabase(url, async ({ prisma, pool }) => {
      const [collection, index, document] = [newId(), newId(), newId()];
      const workspaceId = DEFAULT_WORKSPACE_ID;
      await prisma.collection.create({ data: { id: collection, workspaceId, name: 'handbook' } });
      const embedder = asColumn({ name: 'seeded' });
      await prisma.searchIndex.create({
        data: { id: index, workspaceId, collectionId: collection, embedder, embedderDigest: 'seeded' },
      });
      await prisma.document.create({
        data: {
          id: document,
          workspaceId,
          collectionId: collection,
          name: 'a.md',
          liveName: 'a.md',
          title: 'A',
          mediaType: 'text/markdown',
          sha256: 'none',
          bytes: 1n,
          text: 'tab\tand \\ and\nline',
          chunkCount: CHUNKS,
        },
      });
      await pool.query(
        `INSERT INTO chunk (id, workspace_id, collection_id, document_id, ordinal, start, "end", text, headings, term_count)
         SELECT gen_random_uuid(), $1, $2, $3, n, n, n + 1, 'chunk ' || n, ARRAY['A', 'b "c"'], 2 FROM generate_series(1, $4::int) n`,
        [workspaceId, collection, document, CHUNKS],
      );
      const { rows } = await pool.query<{ id: string; ordinal: number }>(
        'SELECT id, ordinal FROM chunk WHERE collection_id = $1',
        [collection],
      );
      await from.vectors.ensure(workspaceId, index, 4);
      await from.vectors.upsert(
        workspaceId,
        index,
        rows.map(({ id, ordinal }) => ({
          id,
          vector: Float32Array.from([1, ordinal, Math.sin(ordinal), 0.25]),
          metadata: { documentId: document, cut: ordinal % 2 === 0 },
        })),
      );
      return { collectionId: collection, indexId: index };
    });
  }

  beforeAll(async () => {
    folder = await temporaryFolder();
    from = await empty();
    await migrate(from.url);
    await inDatabase(from.url, async ({ pool }) => {
      await rowInEveryTable(pool, DEFAULT_WORKSPACE_ID);
      await keepLawfulRows(pool);
      await pool.query('DELETE FROM search_index; DELETE FROM label_index; DELETE FROM stored_file');
      await pool.query(`SELECT nextval('answer_assignment_sequence') FROM generate_series(1, 41)`);
    });
    ({ collectionId } = await addCollection(from.url));
    const stored = await from.artifacts.put(Readable.from([Buffer.alloc(200_000, 7)]), { maxBytes: 1e9 });
    sha256 = stored.sha256;
    await inDatabase(from.url, ({ prisma }) =>
      prisma.storedFile.create({
        data: {
          id: newId(),
          workspaceId: DEFAULT_WORKSPACE_ID,
          name: 'a.bin',
          mediaType: 'application/octet-stream',
          sha256,
          bytes: 200_000n,
          home: from.artifacts.home,
        },
      }),
    );
    good = join(folder.path, 'good');
    manifest = await backUpTo(good, from, { vectors: true });
  }, 180_000);
  afterAll(async () => {
    for (const each of places) await each.dispose();
    await folder.remove();
  });

  it('holds all tables with all of their rows, files under their digests, and vectors', async () => {
    const counted = await countsIn(from.url);
    expect(Object.fromEntries(manifest.tables.map(({ name, rows }) => [name, rows]))).toEqual(counted);
    // And one from every table's.
    expect(counted).toMatchObject({ chunk: CHUNKS + 1, workspace: 1, api_key: 1, webhook: 1 });
    expect(manifest.artifacts).toEqual([{ sha256, bytes: 200_000 }]);
    expect(manifest.vectors).toMatchObject([{ records: CHUNKS, dimensions: 4 }]);
    expect(manifest.sequences).toContainEqual({ name: 'answer_assignment_sequence', last: '41' });
  });

  it('brings all of it back into an empty place: the same form, rows, files, numbers and vectors', async () => {
    const to = await empty();
    const { toEmbed, migrated, vectorsFailed } = await restoreTo(good, to);
    expect({ toEmbed, migrated, vectorsFailed }).toEqual({
      toEmbed: { collections: [], labels: [] },
      migrated: [],
      vectorsFailed: null,
    });
    expect(await differenceToSchema(to.url, SCHEMA)).toBe('');
    const [before, after] = [await contentOf(from.url), await contentOf(to.url)];
    for (const table of Object.keys(before))
      if (!LET_GO_OF.has(table)) expect([table, after[table]]).toEqual([table, before[table]]);
    expect(await to.artifacts.read(sha256)).toEqual(Buffer.alloc(200_000, 7));
    await inDatabase(to.url, async ({ pool, prisma }) => {
      expect((await prisma.storedFile.findFirstOrThrow()).home).toBe(to.artifacts.home);
      const { rows } = await pool.query(`SELECT nextval('answer_assignment_sequence')::int AS next`);
      expect(rows).toEqual([{ next: 42 }]);
      // Triggers and keys work as before.
      await expect(pool.query('INSERT INTO workspace SELECT * FROM workspace')).rejects.toThrow(/duplicate key/);
      const { rows: chunks } = await pool.query<{ id: string; ordinal: number }>(
        'SELECT id, ordinal FROM chunk WHERE collection_id = $1 ORDER BY ordinal LIMIT 20',
        [collectionId],
      );
      const { indexId } = manifest.vectors![0]!;
      const records = await to.vectors.records(DEFAULT_WORKSPACE_ID, indexId, { ids: chunks.map(({ id }) => id) });
      const ordinals = new Map(chunks.map(({ id, ordinal }) => [id, ordinal]));
      expect(records).toHaveLength(20);
      for (const { id, vector, metadata } of records) {
        const n = ordinals.get(id)!;
        // Chroma keeps them normalised, beside their length.
        for (const [i, value] of [1, n, Math.sin(n), 0.25].entries()) expect(vector[i]).toBeCloseTo(value, 4);
        expect(metadata['cut']).toBe(n % 2 === 0);
      }
    });
    expect(await migrate(to.url)).toEqual([]);
  }, 120_000);

  it('leaves and enters a database whose owner is no superuser, and the wall stands there', async () => {
    const [source, target] = [await ownedDatabase(), await ownedDatabase()];
    try {
      const [theirs, to] = [
        await place(join(folder.path, 'owned-source'), source),
        await place(join(folder.path, 'owned-target'), target),
      ];
      await restoreTo(good, theirs);
      const again = join(folder.path, 'by-an-owner');
      await backUpTo(again, theirs);
      await restoreTo(again, to);
      const [before, after] = [await contentOf(source.url), await contentOf(target.url)];
      for (const table of Object.keys(before))
        if (!LET_GO_OF.has(table)) expect([table, after[table]]).toEqual([table, before[table]]);
      expect((await contentOf(from.url)).chunk).toBe(after.chunk);
      const opened = await openDatabase(target.url);
      const workspaces = () => opened.prisma.workspace.findMany();
      expect(await bypassesWall(opened)).toBeNull();
      expect([
        (await workspaces()).length,
        (await inWorkspace(newId() as string as WorkspaceId, workspaces)).length,
      ]).toEqual([0, 0]);
      expect((await inWorkspace(DEFAULT_WORKSPACE_ID, workspaces)).length).toBe(1);
      await opened.close();
    } finally {
      await source.drop();
      await target.drop();
    }
  }, 180_000);

  it('has what it lacks embedded anew, as a run that the next gateway finds', async () => {
    const without = join(folder.path, 'without-vectors');
    expect((await backUpTo(without, from)).vectors).toBeNull();
    const to = await empty();
    const { toEmbed } = await restoreTo(without, to);
    expect(toEmbed.collections).toMatchObject([{ collectionId }]);
    expect(await embedAnew(to.url, toEmbed)).toBe(1);
    const runs = await inDatabase(to.url, ({ prisma }) => prisma.run.findMany({ where: { kind: 'REINDEXING' } }));
    expect(runs).toMatchObject([{ status: 'QUEUED', subjectId: collectionId, input: { collectionId } }]);
  }, 120_000);

  it('lets go of what was under way, so that the next gateway takes it up at once', async () => {
    const source = await empty();
    await migrate(source.url);
    const [training, ingestion] = [newId(), newId()];
    await inDatabase(source.url, async ({ pool }) => {
      for (const [id, kind] of [
        [training, 'TRAINING'],
        [ingestion, 'INGESTION'],
      ])
        await pool.query(
          `INSERT INTO run (id, workspace_id, kind, status, input, input_digest, checkpoint, lease_owner, lease_until, unreadable_by)
           VALUES ($1, $2, $3, 'RUNNING', '{}', '', '{"documents": []}', 'elsewhere', now() + interval '1 hour', '{elsewhere}')`,
          [id, DEFAULT_WORKSPACE_ID, kind],
        );
    });
    const [webhook, delivery] = [newId(), newId()];
    await inDatabase(source.url, async ({ pool }) => {
      await pool.query(
        `INSERT INTO webhook (id, workspace_id, url, secret) VALUES ($1, $2, 'https://example.com', 's')`,
        [webhook, DEFAULT_WORKSPACE_ID],
      );
      await pool.query(
        `INSERT INTO webhook_delivery (id, workspace_id, webhook_id, payload, status) VALUES ($1, $2, $3, '{}', 'WAITING')`,
        [delivery, DEFAULT_WORKSPACE_ID, webhook],
      );
    });
    const backup = join(folder.path, 'under-way');
    await backUpTo(backup, source);
    const to = await empty();
    await restoreTo(backup, to);
    await inDatabase(to.url, async ({ pool }) => {
      const { rows } = await pool.query(
        `SELECT kind, lease_until < now() AS free, unreadable_by, checkpoint FROM run ORDER BY kind`,
      );
      expect(rows).toEqual([
        { kind: 'INGESTION', free: true, unreadable_by: [], checkpoint: { documents: [] } },
        { kind: 'TRAINING', free: true, unreadable_by: [], checkpoint: null },
      ]);
      const { rows: deliveries } = await pool.query(`SELECT status, ended_at IS NULL AS open FROM webhook_delivery`);
      expect(deliveries).toEqual([{ status: 'GIVEN_UP', open: false }]);
    });
  }, 120_000);

  it('is of one moment: what is written while it is made is in it whole or not at all', async () => {
    const source = await empty();
    await migrate(source.url);
    const database = await openDatabase(source.url, { unsaid: 'system' });
    let [writing, written] = [true, 0];
    // Each pair is one transaction; the first table is dumped long before the second.
    const writer = (async () => {
      while (writing) {
        await database.prisma.$transaction([
          database.prisma.budget.create({
            data: { workspaceId: DEFAULT_WORKSPACE_ID, subjectId: newId(), window: 'DAY', changedBy: 'x' },
          }),
          database.prisma.workspace.create({ data: { id: newId(), name: `w${written}` } }),
        ]);
        written += 1;
      }
    })();
    const { tables } = await backUpTo(join(folder.path, 'moment'), source);
    writing = false;
    await writer;
    await database.close();
    const rows = (name: string) => tables.find((table) => table.name === name)!.rows;
    expect(rows('budget')).toBe(rows('workspace') - 1);
    expect(written).toBeGreaterThan(0);
  }, 60_000);

  it('is refused for a place that holds something, which stays; and replaces it when that is said', async () => {
    const to = await empty();
    await migrate(to.url);
    await inDatabase(to.url, ({ prisma }) => prisma.workspace.create({ data: { id: newId(), name: 'theirs' } }));
    await expect(restoreTo(good, to)).rejects.toMatchObject({
      code: 'CONFLICT',
      hint: expect.stringContaining('--replace') as string,
    });
    expect(await inDatabase(to.url, ({ prisma }) => prisma.workspace.count())).toBe(2);
    await restoreTo(good, to, { replace: true });
    const names = await inDatabase(to.url, ({ prisma }) => prisma.workspace.findMany());
    expect(names.map(({ name }) => name)).toEqual(['default']);
  }, 120_000);

  it('lets no key in again that was ended since, where it replaces the installation that ended it', async () => {
    const at = await empty();
    await migrate(at.url);
    const past = new Date('2026-02-03T04:05:06.000Z');
    const key = (name: string, more: { revokedAt?: Date; expiresAt?: Date } = {}) => {
      const id = newId();
      const told = { prefix: `graft_${name}`, digest: 'f'.repeat(64), role: 'ASK', createdBy: 'x' };
      return { id, lineId: id, workspaceId: DEFAULT_WORKSPACE_ID, name, ...told, ...more };
    };
    const keys = [
      key('works'),
      key('revoked'),
      key('rotated'),
      key('gone', { revokedAt: past }),
      key('longer', { expiresAt: past }),
    ];
    await inDatabase(at.url, ({ prisma }) => prisma.apiKey.createMany({ data: keys }));
    const backup = join(folder.path, 'keys');
    await backUpTo(backup, at);
    const later = new Date('2026-06-03T04:05:06.000Z');
    await inDatabase(at.url, async ({ prisma }) => {
      await prisma.apiKey.updateMany({ where: { name: 'revoked' }, data: { revokedAt: later } });
      await prisma.apiKey.updateMany({ where: { name: { in: ['rotated', 'longer'] } }, data: { expiresAt: later } });
    });
    const stateOf = (url: string) =>
      inDatabase(url, async ({ prisma }) => {
        const rows = await prisma.apiKey.findMany();
        return Object.fromEntries(rows.map(({ name, revokedAt, expiresAt }) => [name, [revokedAt, expiresAt]]));
      });
    const kept = { works: [null, null], gone: [past, null], longer: [null, past] };

    expect(await restoreTo(backup, at, { replace: true })).toMatchObject({ keysKeptEnded: 2 });
    expect(await stateOf(at.url)).toEqual({ ...kept, revoked: [later, null], rotated: [null, later] });

    // Nothing there knows of it.
    const elsewhere = await empty();
    expect(await restoreTo(backup, elsewhere)).toMatchObject({ keysKeptEnded: 0 });
    expect(await stateOf(elsewhere.url)).toEqual({ ...kept, revoked: [null, null], rotated: [null, null] });
  }, 120_000);

  it('is refused while a gateway uses the database, and for a database of somebody else', async () => {
    const to = await empty();
    await migrate(to.url);
    const gateway = await openDatabase(to.url, { unsaid: 'system' });
    await gateway.pool.query('SELECT 1');
    await expect(restoreTo(good, to, { replace: true })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: 'A gateway uses this database.',
    });
    await gateway.close();
    const theirs = await empty();
    await inDatabase(theirs.url, ({ pool }) => asOwner(pool, (client) => client.query('CREATE TABLE theirs (id int)')));
    await expect(restoreTo(good, theirs, { replace: true })).rejects.toMatchObject({ code: 'SETUP_FAILED' });
  }, 60_000);

  /** Nothing was changed; `late` is what only PostgreSQL finds: then there are files that no row names. */
  async function refused(copy: string, wanted: object, late = false): Promise<void> {
    const to = await empty();
    await expect(restoreTo(copy, to)).rejects.toMatchObject(wanted);
    expect(await contentOf(to.url)).toEqual({});
    if (!late) expect(await readdir(to.home).catch(() => [])).toEqual([]);
  }

  it('is refused when a file of it is cut off, changed or missing, before anything is changed', async () => {
    const chunks = (copy: string) => join(copy, manifest.tables.find(({ name }) => name === 'chunk')!.file.path);
    const cut = await copyOfGood();
    await truncate(chunks(cut), 1_000);
    await refused(cut, { code: 'STORAGE_FAILED', message: expect.stringMatching(/chunk\.copy\.gz has 1000 bytes/) });
    const longer = await copyOfGood();
    await appendFile(chunks(longer), 'x');
    await refused(longer, { code: 'STORAGE_FAILED', message: expect.stringMatching(/damaged/) });
    const missing = await copyOfGood();
    await rm(join(missing, manifest.vectors![0]!.file.path));
    await refused(missing, { code: 'STORAGE_FAILED', message: expect.stringMatching(/is missing/) });
    const changed = await copyOfGood();
    const artifact = join(changed, 'artifacts', sha256.slice(0, 2), sha256);
    await chmod(artifact, 0o600);
    await writeFile(artifact, Buffer.alloc(200_000, 8));
    await refused(changed, { code: 'STORAGE_FAILED', message: expect.stringMatching(/another content/) });
  }, 120_000);

  it('is refused when its manifest is cut off, says too much, or leads out of its folder', async () => {
    const cut = await copyOfGood();
    await truncate(join(cut, 'manifest.json'), 500);
    await refused(cut, { code: 'STORAGE_FAILED', message: expect.stringMatching(/manifest\.json is no JSON/) });
    const outside = await copyOfGood();
    await changeManifest(outside, (json) => {
      (json['tables'] as { file: { path: string } }[])[0]!.file.path = 'tables/../../../etc/passwd';
    });
    await refused(outside, {
      code: 'STORAGE_FAILED',
      message: expect.stringMatching(/manifest\.json: tables\.0\.file/),
    });
    const more = await copyOfGood();
    await changeManifest(more, (json) => {
      (json['tables'] as { rows: number }[])[0]!.rows += 1;
    });
    await refused(more, { code: 'STORAGE_FAILED', message: expect.stringMatching(/should have \d+ rows/) }, true);
    const foreign = await copyOfGood();
    await changeManifest(foreign, (json) => {
      (json['tables'] as { name: string }[])[0]!.name = 'pg_authid';
    });
    await refused(foreign, { code: 'STORAGE_FAILED', message: expect.stringMatching(/tables are not those/) }, true);
  }, 120_000);

  it('of an earlier state is migrated forward, and loses no row', async () => {
    const migrations = join(folder.path, 'migrations');
    await cp(ownMigrations(), migrations, { recursive: true });
    const later = join(migrations, '20990101000000_later');
    await mkdir(later);
    const sql = `ALTER TABLE chunk ADD COLUMN length INTEGER;
      SET LOCAL graft.workspace = 'system';
      UPDATE chunk SET length = length(text)`;
    await writeFile(join(later, 'migration.sql'), sql);
    const to = await empty();
    const { migrated } = await restoreTo(good, to, { migrations });
    expect(migrated).toEqual(['20990101000000_later']);
    const [before, after] = [await countsIn(from.url), await countsIn(to.url)];
    const lost = Object.keys(before).filter((name) => after[name]! < before[name]!);
    expect(lost.filter((name) => !LET_GO_OF.has(name))).toEqual([]);
    const { rows } = await inDatabase(to.url, ({ pool }) =>
      pool.query<{ shortest: number }>('SELECT min(length) AS shortest FROM chunk'),
    );
    expect(rows).toEqual([{ shortest: 7 }]);
  }, 60_000);

  it('is refused when a later release wrote it', async () => {
    const format = await copyOfGood();
    await changeManifest(format, (json) => void (json['format'] = 2));
    await refused(format, { code: 'SETUP_FAILED', message: expect.stringMatching(/has format 2/) });
    const schema = await copyOfGood();
    await changeManifest(schema, (json) => {
      const migrations = json['migrations'] as { name: string; checksum: string }[];
      migrations.push({ name: '20990101000000_later', checksum: migrations[0]!.checksum });
    });
    await refused(schema, { code: 'SETUP_FAILED', message: expect.stringMatching(/newer than this program/) });
  }, 60_000);

  it('that is interrupted is none, and leaves nothing', async () => {
    const interruption = new AbortController();
    const broken = join(folder.path, 'broken');
    let steps = 0;
    const told = () => void (++steps === 6 && interruption.abort());
    await expect(backUpTo(broken, from, { signal: interruption.signal, told })).rejects.toThrow(/abort/i);
    expect(await readdir(broken)).toEqual([]);
    await expect(restoreTo(broken, await empty())).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringMatching(/holds no backup/) as string,
    });
    await mkdir(join(broken, 'tables'));
    await expect(backUpTo(broken, from)).rejects.toMatchObject({ code: 'CONFLICT' });
  }, 60_000);

  it('that goes where another is being written is refused, and harms nothing of the other', async () => {
    const shared = join(folder.path, 'shared');
    const both = await Promise.allSettled([backUpTo(shared, from), backUpTo(shared, from)]);
    const [won, lost] = both.toSorted((a, b) => a.status.localeCompare(b.status));
    expect(won).toMatchObject({ status: 'fulfilled' });
    expect(lost).toMatchObject({ status: 'rejected', reason: { code: 'CONFLICT' } });
    expect(await readdir(shared)).not.toContain('manifest.json.part');
    const to = await empty();
    await restoreTo(shared, to);
    const [before, after] = [await contentOf(from.url), await contentOf(to.url)];
    expect(after['chunk']).toBe(before['chunk']);
  }, 120_000);

  it('whose restore is interrupted leaves the place as it was', async () => {
    const to = await empty();
    await migrate(to.url);
    const before = await contentOf(to.url);
    const interruption = new AbortController();
    await expect(
      restoreTo(good, to, {
        signal: interruption.signal,
        told: ({ what }) => void (what === 'indexes' && interruption.abort()),
      }),
    ).rejects.toThrow(/abort/i);
    expect(await contentOf(to.url)).toEqual(before);
  }, 60_000);

  it('whose restore is interrupted while vectors come has its rows, and what is missing is embedded', async () => {
    const to = await empty();
    const interruption = new AbortController();
    const restored = await restoreTo(good, to, {
      signal: interruption.signal,
      told: ({ what }) => void (what === 'vectors' && interruption.abort()),
    });
    expect(restored).toMatchObject({ vectorsFailed: { code: 'CANCELLED' } });
    expect(restored.toEmbed.collections).not.toEqual([]);
    const [before, after] = [await contentOf(from.url), await contentOf(to.url)];
    expect(after['chunk']).toBe(before['chunk']);
  }, 60_000);

  itWhen(canMount(), 'a small file system can’t be mounted here')(
    'onto a full disk says so, and leaves nothing there',
    async () => {
      const small = join(folder.path, 'small');
      const unmount = mountSmallDisk(small, 128);
      try {
        await expect(backUpTo(join(small, 'backup'), from, { vectors: true })).rejects.toMatchObject({
          code: 'STORAGE_FAILED',
          message: expect.stringMatching(/The disk is full/) as string,
        });
        expect(await readdir(join(small, 'backup'))).toEqual([]);
      } finally {
        unmount();
      }
    },
    60_000,
  );

  it('says which files were lost when it was made, and holds all else', async () => {
    const source = await empty();
    await migrate(source.url);
    const lost = 'f'.repeat(64);
    await inDatabase(source.url, ({ prisma }) =>
      prisma.storedFile.create({
        data: { id: newId(), workspaceId: DEFAULT_WORKSPACE_ID, name: 'x', mediaType: 'x/y', sha256: lost, bytes: 1n },
      }),
    );
    expect(await backUpTo(join(folder.path, 'lossy'), source)).toMatchObject({ lost: [lost], artifacts: [] });
    // What is there but can't be read now is not lost: a backup without it would pass for one.
    await mkdir(join(source.artifacts.folder, 'ff', lost), { recursive: true });
    await expect(backUpTo(join(folder.path, 'unreadable'), source)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('EISDIR') as string,
    });
    await rm(join(source.artifacts.folder, 'ff'), { recursive: true });
    await inDatabase(source.url, ({ prisma }) => prisma.storedFile.updateMany({ data: { home: 'another:/home' } }));
    await expect(backUpTo(join(folder.path, 'elsewhere'), source)).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    });
  }, 60_000);
});
