import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, rm, utimes, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { sha256 } from '../../../src/kernel/hashing.js';
import { LocalArtifactStore } from '../../../src/platform/artifacts/index.js';

describe('the artifact store', () => {
  let folder: string;
  let store: LocalArtifactStore;
  const bytes = (...parts: string[]) => Readable.from(parts.map((part) => Buffer.from(part)));
  const files = async () =>
    (await readdir(folder, { recursive: true, withFileTypes: true })).filter((f) => f.isFile()).map((f) => f.name);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'graft-artifacts-'));
    store = new LocalArtifactStore(folder);
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('names content by its SHA-256 and stores equal content once', async () => {
    const first = await store.put(bytes('hello ', 'world'), { maxBytes: 100 });
    const second = await store.put(bytes('hello world'), { maxBytes: 100 });
    expect(first).toEqual({ sha256: sha256('hello world'), bytes: 11 });
    expect(second).toEqual(first);
    expect(await files()).toEqual([first.sha256]);
    expect((await store.read(first.sha256)).toString()).toBe('hello world');
    expect((await buffer(await store.openRead(first.sha256))).toString()).toBe('hello world');
    expect(await store.has(first.sha256)).toBe(true);
    expect(await store.has(sha256('other'))).toBe(false);
  });

  it('takes an empty file', async () => {
    const { sha256: name, bytes: size } = await store.put(bytes(), { maxBytes: 0 });
    expect(size).toBe(0);
    expect(await store.read(name)).toHaveLength(0);
  });

  it('leaves nothing behind when the source breaks in the middle', async () => {
    async function* broken() {
      yield Buffer.from('half of');
      throw new Error('connection reset');
    }
    await expect(store.put(broken(), { maxBytes: 100 })).rejects.toThrow('connection reset');
    expect(await files()).toEqual([]);
  });

  it('refuses a file over the size cap without keeping or reading the rest of it', async () => {
    let sent = 0;
    async function* endless() {
      for (;;) {
        sent += 1000;
        yield Buffer.alloc(1000);
      }
    }
    await expect(store.put(endless(), { maxBytes: 5000 })).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect(sent).toBe(6000);
    expect(await files()).toEqual([]);
    expect((await store.put(bytes('x'.repeat(5000)), { maxBytes: 5000 })).bytes).toBe(5000);
  });

  it('notices damaged content on every way of reading, and heals it when the same content comes again', async () => {
    const { sha256: name } = await store.put(bytes('precious'), { maxBytes: 100 });
    await writeFile(await store.local(name), 'precioux');
    await expect(store.read(name)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(store.openRead(name)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(store.local(name)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await store.put(bytes('precious'), { maxBytes: 100 });
    expect((await store.read(name)).toString()).toBe('precious');
    expect(await buffer(createReadStream(await store.local(name)))).toEqual(Buffer.from('precious'));
  });

  it('notices damage to a file that it has read before, and found whole', async () => {
    const { sha256: name } = await store.put(bytes('precious'), { maxBytes: 100 });
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000);
    const path = await store.local(name);
    expect(await store.local(name)).toBe(path);
    clock.mockRestore();
    await writeFile(path, 'precioux');
    await expect(store.local(name)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  it('hands out the last bytes only after all of them had the digest', async () => {
    const content = Buffer.alloc(1_000_000, 'x');
    const { sha256: name } = await store.put(bytes(content.toString()), { maxBytes: content.length });
    const stream = await store.openRead(name);
    content[content.length - 1] = 0;
    await writeFile(await store.local(name), content);
    let read = 0;
    const reading = async () => {
      for await (const chunk of stream) read += (chunk as Buffer).length;
    };
    await expect(reading()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(read).toBeLessThan(content.length);
  });

  it('says STORAGE_FAILED for bytes that are not there, NOT_FOUND for what is no digest', async () => {
    await expect(store.read(sha256('never stored'))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(store.openRead(sha256('never stored'))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(store.local('../../etc/passwd')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('removes what a killed process left, but not an upload that goes on in another', async () => {
    await mkdir(join(folder, 'tmp'));
    await writeFile(join(folder, 'tmp', 'old.part'), 'x');
    await utimes(join(folder, 'tmp', 'old.part'), new Date(0), new Date(0));
    await writeFile(join(folder, 'tmp', 'live.part'), 'x');
    await store.put(bytes('a'), { maxBytes: 1 });
    expect((await files()).sort()).toEqual([sha256('a'), 'live.part'].sort());
  });
});
