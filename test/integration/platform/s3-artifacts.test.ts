import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { newId } from '../../../src/kernel/ids.js';
import { sha256 } from '../../../src/kernel/hashing.js';
import {
  FileService,
  LocalArtifactStore,
  openArtifactStore,
  type BucketAccess,
} from '../../../src/platform/artifacts/index.js';
import { Bucket } from '../../../src/platform/artifacts/s3/bucket.js';
import { CacheBound } from '../../../src/platform/artifacts/s3/cache-bound.js';
import { S3ArtifactStore } from '../../../src/platform/artifacts/s3/s3-artifact-store.js';
import { createLogger, silentLogger } from '../../../src/platform/telemetry/index.js';
import { DEFAULT_WORKSPACE_ID } from '../../../src/kernel/ids.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { startS3Server } from '../../support/s3-server.js';
import { itWhen } from '../../support/skip.js';
import { temporaryFolder, type TemporaryFolder } from '../../support/temporary-folder.js';

const server = await startS3Server();
const reason = typeof server === 'string' ? server : '';
const itOverTheWire = itWhen(reason === '', reason);
const s3 = () => {
  if (typeof server === 'string') throw new Error(server);
  return server;
};
const NO_LIMIT = { maxBytes: Number.MAX_SAFE_INTEGER };
const one = (content: Uint8Array | string) => Readable.from([Buffer.from(content)]);

describe('artifacts in a store that gateways share', () => {
  let folder: TemporaryFolder;
  let access: BucketAccess;
  let homes = 0;

  /** A gateway's view of the bucket, from a home of its own. */
  const gateway = (maxCacheBytes = Number.MAX_SAFE_INTEGER) => {
    const cache = new LocalArtifactStore(join(folder.path, `home-${++homes}`, 'artifacts'));
    return { cache, store: new S3ArtifactStore(new Bucket(access, 'here'), cache, maxCacheBytes) };
  };
  const key = (digest: string) => `here/artifacts/${digest}`;

  beforeEach(async () => {
    folder = await temporaryFolder();
    if (reason === '') access = await s3().bucket();
  });
  afterEach(() => folder.remove());
  afterAll(() => (reason === '' ? s3().stop() : undefined));

  itOverTheWire('what one gateway stores, another reads, and keeps as a file of its own', async () => {
    const [here, there] = [gateway(), gateway()];
    const content = randomBytes(300_000);
    const { sha256: digest } = await here.store.put(one(content), NO_LIMIT);
    expect(digest).toBe(sha256(content));
    expect(await there.cache.has(digest)).toBe(false);
    expect(await there.store.has(digest)).toBe(true);
    const path = await there.store.local(digest);
    expect(path).toBe(join(there.store.folder, digest.slice(0, 2), digest));
    expect(await buffer(await there.store.openRead(digest))).toEqual(content);
    s3().pause();
    expect(await there.store.local(digest)).toBe(path);
    s3().resume();
  });

  itOverTheWire(
    'a file of many parts arrives whole',
    async () => {
      const part = randomBytes(1024 ** 2);
      const pieces = async function* () {
        for (let n = 0; n < 20; n++) yield part;
      };
      const { sha256: digest, bytes } = await gateway().store.put(pieces(), NO_LIMIT);
      const { store, cache } = gateway();
      await store.local(digest);
      expect((await cache.read(digest)).length).toBe(bytes);
    },
    120_000,
  );

  itOverTheWire('bytes that were staged and discarded have no name here, and are collected there', async () => {
    const { store, cache } = gateway();
    const staged = await store.stage(one('never named'), NO_LIMIT);
    await staged.discard();
    expect(await cache.has(staged.sha256)).toBe(false);
    expect(await collected(store.olderThan(-10_000))).toEqual([staged.sha256]);
    expect(await collected(store.olderThan(60_000))).toEqual([]);
  });

  itOverTheWire('an installation beside it in the bucket neither reads nor collects what is this one’s', async () => {
    const here = gateway();
    const { sha256: digest } = await here.store.put(one('named here alone'), NO_LIMIT);
    const cache = new LocalArtifactStore(join(folder.path, 'beside', 'artifacts'));
    const beside = new S3ArtifactStore(new Bucket(access, 'beside'), cache, Number.MAX_SAFE_INTEGER);
    expect(await collected(beside.olderThan(-10_000))).toEqual([]);
    expect(await beside.has(digest)).toBe(false);
    await beside.put(one('named here alone'), NO_LIMIT);
    await beside.remove(digest);
    expect((await gateway().store.read(digest)).toString()).toBe('named here alone');
  });

  itOverTheWire('bytes whose last name goes between their arrival and their naming are sent again', async () => {
    const { store } = gateway();
    const staged = await store.stage(one('twice'), NO_LIMIT);
    await gateway().store.remove(staged.sha256);
    await staged.commit();
    expect((await gateway().store.read(staged.sha256)).toString()).toBe('twice');
  });

  itOverTheWire('a damaged object is never used, says what to do, and is healed by the same content', async () => {
    const { sha256: digest } = await gateway().store.put(one('precious'), NO_LIMIT);
    await s3().client(access).putObject(key(digest), 'precioux');
    const { store, cache } = gateway();
    await expect(store.local(digest)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining(`in the bucket ${access.bucket}`) as string,
      hint: expect.stringContaining('backup') as string,
    });
    expect(await files(cache)).toEqual([]);
    await gateway().store.put(one('precious'), NO_LIMIT);
    expect((await store.read(digest)).toString()).toBe('precious');
  });

  itOverTheWire('a damaged copy in the home is fetched again', async () => {
    const { store } = gateway();
    const { sha256: digest } = await store.put(one('precious'), NO_LIMIT);
    await writeFile(await store.local(digest), 'precioux');
    expect((await store.read(digest)).toString()).toBe('precious');
  });

  itOverTheWire('a missing object says so, and a removed one is gone everywhere but in other caches', async () => {
    const [here, there] = [gateway(), gateway()];
    const { sha256: digest } = await here.store.put(one('short-lived'), NO_LIMIT);
    await here.store.remove(digest);
    await expect(there.store.local(digest)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('is not in the bucket') as string,
    });
    expect(await here.store.has(digest)).toBe(false);
    await expect(there.store.local('../../etc/passwd')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  itOverTheWire('the cache is kept within its bound, and what only this home has stays', async () => {
    const { store, cache } = gateway();
    const kept: string[] = [];
    for (let n = 0; n < 6; n++) kept.push((await store.put(one(randomBytes(1_000)), NO_LIMIT)).sha256);
    const { sha256: unsent } = await cache.put(one(randomBytes(1_000)), NO_LIMIT);
    const bound = new CacheBound(cache, (digest) => new Bucket(access, 'here').has(digest), 3_000, -1);
    await bound.trim();
    const left = await files(cache);
    expect(left).toHaveLength(3);
    expect(left).toContain(unsent);
    for (const digest of kept) expect(await store.local(digest)).toContain(digest);
    await new CacheBound(cache, async () => true, 0, 60_000).trim();
    expect(await files(cache)).toHaveLength(7);
  });

  itOverTheWire(
    'a store that is away is STORAGE_UNAVAILABLE, a bucket that is not there SETUP_FAILED, and no key is in either',
    async () => {
      const away = new Bucket({ ...access, endpoint: 'http://127.0.0.1:9' }, 'here');
      const refused = await away.has(sha256('x')).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      const absent = await new Bucket({ ...access, bucket: 'no-such-bucket' }, 'here')
        .check()
        .catch((error: unknown) => error);
      expect(absent).toMatchObject({ code: 'SETUP_FAILED' });
      for (const error of [refused, absent]) expect(JSON.stringify(error) + String(error)).not.toMatch(/secret/);
    },
  );

  describe('and the database', () => {
    let database: TestDatabase;
    beforeEach(async () => {
      database = await testDatabase();
    });
    afterEach(() => database.dispose());

    const open = (home: string, shared: boolean, log = silentLogger()) =>
      openArtifactStore({
        home: join(folder.path, home),
        installation: 'here',
        database,
        log,
        shared: shared ? { ...access, cacheBytes: 1024 ** 3 } : null,
      });
    const put = async (home: string, shared: boolean, content: string) => {
      const store = await open(home, shared);
      const source = one(content);
      return new FileService(database, store).store(DEFAULT_WORKSPACE_ID, {
        name: `${content}.txt`,
        mediaType: 'text/plain',
        maxBytes: 1_000,
        source,
      });
    };

    it('without a shared store, a file in another home is elsewhere, not lost, and a gateway that joins says which', async () => {
      const theirs = await put('a', false, 'theirs');
      const lines: string[] = [];
      const log = createLogger({ level: 'warn', destination: { write: (line: string) => void lines.push(line) } });
      const b = await open('b', false, log);
      const warning = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(warning).toEqual([expect.objectContaining({ files: 1, example: 'theirs.txt', home: theirs.home })]);
      expect(theirs.home).toContain(join(folder.path, 'a'));
      await expect(b.local(theirs.sha256)).rejects.toMatchObject({
        code: 'STORAGE_UNAVAILABLE',
        message: expect.stringContaining(theirs.home!) as string,
        hint: expect.stringContaining('GRAFT_S3_ENDPOINT') as string,
      });
      await expect(b.local(sha256(newId()))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    });

    it('a gateway that starts without files of its own says that they are lost', async () => {
      const mine = await put('a', false, 'gone');
      await (await open('a', false)).remove(mine.sha256);
      const lines: string[] = [];
      await open('a', false, createLogger({ level: 'warn', destination: { write: (line) => void lines.push(line) } }));
      expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
        expect.objectContaining({ files: 1, example: 'gone.txt', home: null, msg: expect.stringContaining('lost') }),
      ]);
    });

    itOverTheWire('a home that starts to share sends what it alone had', async () => {
      const mine = await put('a', false, 'from before');
      await open('a', true);
      const there = await open('b', true);
      expect((await there.read(mine.sha256)).toString()).toBe('from before');
      expect(await database.prisma.storedFile.findFirst({ where: { id: mine.id } })).toMatchObject({ home: null });
    });
  });
});

async function collected<T>(all: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of all) found.push(each);
  return found;
}

const files = async (cache: LocalArtifactStore): Promise<string[]> =>
  (await readdir(cache.folder, { recursive: true, withFileTypes: true }).catch(() => []))
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
