import { randomBytes } from 'node:crypto';
import { open, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { toGlobalId } from '../../src/kit/graphql/index.js';
import { DEFAULT_WORKSPACE_ID, newId } from '../../src/kernel/ids.js';
import { FileService, LocalArtifactStore, type StoredFileRow } from '../../src/platform/artifacts/index.js';
import { freshWorkspace } from '../support/chroma.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { startProbeGateway, type GraphqlResponse, type ProbeGateway } from '../support/gateway.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

/** Those that are the same for the same answer. */
function headersOf(response: Response): Record<string, string> {
  const headers: Record<string, string> = {};
  response.headers.forEach((value, name) => (headers[name] = value));
  for (const name of ['date', 'x-request-id', 'connection', 'keep-alive']) delete headers[name];
  return headers;
}

describe('GET /files/:id', () => {
  let database: TestDatabase;
  let folder: TemporaryFolder;
  let artifacts: LocalArtifactStore;
  let files: FileService;
  let gateway: ProbeGateway;
  beforeAll(async () => {
    database = await testDatabase();
    folder = await temporaryFolder();
    artifacts = new LocalArtifactStore(folder.path);
    files = new FileService(database, artifacts);
    gateway = await startProbeGateway({ files, downloads: files });
  });
  afterAll(async () => {
    await gateway.close(100);
    await database.dispose();
    await folder.remove();
  });

  const store = (content: Uint8Array | string, name = 'notes.md', workspaceId = DEFAULT_WORKSPACE_ID) =>
    files.store(workspaceId, {
      name,
      mediaType: 'text/html',
      maxBytes: 1e8,
      source: Readable.from([Buffer.from(content)]),
    });
  const address = ({ id }: Pick<StoredFileRow, 'id'>) => `${gateway.url}/files/${toGlobalId('File', id)}`;

  /** Plain HTTP: `fetch` may not set Host and Origin, mends paths, and reads as fast as it can. */
  function send(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(gateway.url);
      request({ hostname, port, path, method, headers, agent: false }, resolve).on('error', reject).end();
    });
  }
  const refusal = async (response: IncomingMessage) => {
    const { errors } = JSON.parse((await buffer(response)).toString()) as GraphqlResponse;
    return [response.statusCode, errors?.[0]?.extensions['code']];
  };

  it('answers with the bytes as an attachment of no type, which no browser shows, runs, guesses at or keeps', async () => {
    const content = randomBytes(300_000);
    const response = await fetch(address(await store(content, 'page.html')));
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.arrayBuffer()).equals(content)).toBe(true);
    expect(headersOf(response)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '300000',
      'content-disposition': `attachment; filename="page.html"; filename*=UTF-8''page.html`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'accept-ranges': 'none',
    });
  });

  it('answers with an empty file', async () => {
    const response = await fetch(address(await store('')));
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([200, '0', '']);
  });

  it('writes any name into the header so that it can’t end it', async () => {
    const name = `a"b\\c; x=1 año 😀 (1)'*%.txt`;
    const response = await fetch(address(await store('x', name)));
    const header = response.headers.get('content-disposition')!;
    expect(header).toMatch(/^attachment; filename="[ -!#-[\]-~]*"; filename\*=UTF-8''[\w.%-]+$/);
    expect(decodeURIComponent(header.split("UTF-8''")[1]!)).toBe(name);
  });

  it('tells a file of another workspace from none by nothing', async () => {
    const theirs = await store('secret', 'theirs.md', freshWorkspace());
    const answers = await Promise.all(
      [theirs, { id: newId() }].map(async (file) => {
        const response = await fetch(address(file));
        const { errors } = (await response.json()) as GraphqlResponse;
        return [response.status, errors![0]!.extensions['code'], errors![0]!.message.replaceAll(file.id, '…')];
      }),
    );
    expect(answers[0]!.slice(0, 2)).toEqual([404, 'NOT_FOUND']);
    expect(answers[0]).toEqual(answers[1]);
  });

  it('refuses what is no id of a file, and paths', async () => {
    const { id } = await store('x');
    for (const given of [
      'x',
      id,
      toGlobalId('Document', id),
      `${toGlobalId('File', id)}=`,
      '%00',
      '..',
      'a'.repeat(90),
    ])
      expect([given, ...(await refusal(await send(`/files/${given}`)))]).toEqual([given, 400, 'BAD_USER_INPUT']);
    for (const path of ['..%2f..%2f..%2fetc%2fpasswd', '../../etc/passwd', '%zz', '', `${toGlobalId('File', id)}/x`]) {
      const [status, code] = await refusal(await send(`/files/${path}`));
      expect([path, status, code]).toEqual([
        path,
        expect.any(Number),
        expect.stringMatching(/^(BAD_USER_INPUT|BAD_REQUEST|NOT_FOUND)$/),
      ]);
      expect(status).toBeLessThan(500);
    }
  });

  it('answers HEAD with the same headers, without reading the file', async () => {
    const file = await store('x'.repeat(1000));
    const openRead = jest.spyOn(artifacts, 'openRead');
    const head = await fetch(address(file), { method: 'HEAD' });
    expect(openRead).not.toHaveBeenCalled();
    openRead.mockRestore();
    const get = await fetch(address(file));
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(headersOf(head)).toEqual(headersOf(get));
    expect((await fetch(address({ id: newId() }), { method: 'HEAD' })).status).toBe(404);
  });

  it('sends the whole file to who asks for a part: a part has no digest that could be checked', async () => {
    const response = await fetch(address(await store('whole')), { headers: { range: 'bytes=0-1' } });
    expect([response.status, await response.text()]).toEqual([200, 'whole']);
  });

  it('takes no other method', async () => {
    const path = new URL(address(await store('x'))).pathname;
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
      expect(await refusal(await send(path, {}, method))).toEqual([404, 'NOT_FOUND']);
  });

  it('gives pages elsewhere nothing', async () => {
    const path = new URL(address(await store('secret'))).pathname;
    for (const headers of [
      { host: 'evil.example' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ] as Record<string, string>[])
      expect(await refusal(await send(path, headers))).toEqual([403, 'ORIGIN_NOT_ALLOWED']);
    for (const site of ['none', 'same-origin'])
      expect((await buffer(await send(path, { 'sec-fetch-site': site }))).toString()).toBe('secret');
  });

  it('says before the first byte that a file is damaged, also one of the same length and time that was whole before', async () => {
    const damaged = await store(randomBytes(200_000));
    const path = await files.local(damaged);
    expect((await fetch(address(damaged))).status).toBe(200);
    const { atime, mtime } = await stat(path);
    const content = await readFile(path);
    content[199_999]! ^= 1;
    await writeFile(path, content);
    await utimes(path, atime, mtime);
    expect(await refusal(await send(new URL(address(damaged)).pathname))).toEqual([500, 'STORAGE_FAILED']);
    await truncate(path, 100_000);
    expect(await refusal(await send(new URL(address(damaged)).pathname))).toEqual([500, 'STORAGE_FAILED']);
  });

  it('says that the bytes are lost', async () => {
    const lost = await store('lost');
    await artifacts.remove(lost.sha256);
    expect(await refusal(await send(new URL(address(lost)).pathname))).toEqual([500, 'STORAGE_FAILED']);
  });

  it('breaks off instead of ending when the bytes are damaged while they are sent', async () => {
    const file = await store(randomBytes(20_000_000));
    const response = await send(new URL(address(file)).pathname);
    const handle = await open(await files.local(file), 'r+');
    await handle.write(Buffer.from('damage'), 0, 6, 19_999_994);
    await handle.close();
    await expect(buffer(response)).rejects.toThrow('aborted');
  });

  it('lets a download that is under way end when the gateway stops, and begins no other', async () => {
    const content = randomBytes(20_000_000);
    const path = new URL(address(await store(content))).pathname;
    const response = await send(path);
    const closed = gateway.close(20_000);
    // Longer than an answer that is ready gets: this one is not.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect((await buffer(response)).equals(content)).toBe(true);
    await closed;
    await expect(send(path)).rejects.toThrow();
  }, 30_000);
});
