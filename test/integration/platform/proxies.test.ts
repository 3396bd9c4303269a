import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../../src/kernel/hashing.js';
import { ModelsOnDisk, type FileSource } from '../../../src/platform/models-on-disk/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { itWhen } from '../../support/skip.js';
import { ForwardProxy } from './forward-proxy.js';
import { HubServer } from './hub-server.js';
import { tinyEntry } from './tiny-entry.js';
import { wheelFile } from './wheel-file.js';

const HUB: FileSource = { hub: { repo: 'owner/model', file: 'tiny.gguf', revision: 'abc' } };
const WHEEL: FileSource = {
  wheel: { package: 'graft-tiny', version: '1.0', member: 'graft_tiny/tiny.gguf', bytes: 300_000 },
};
const HUB_PATH = '/owner/model/resolve/abc/tiny.gguf';
const WHEEL_NAME = 'graft_tiny-1.0-py3-none-any.whl';
const VARIABLES = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
const OPENSSL = ['/usr/bin/openssl', '/usr/local/bin/openssl'].find((path) => existsSync(path));
const itOverTls = itWhen(OPENSSL !== undefined, 'openssl, which makes a certificate, is not installed');

/** Hosts below have names that only the proxy resolves: what comes from them has come through it. */
describe('models behind a proxy', () => {
  const content = randomBytes(300_000);
  let folder: string;
  let proxy: ForwardProxy;
  const servers: HubServer[] = [];

  beforeEach(async () => {
    for (const name of VARIABLES) delete process.env[name];
    folder = await mkdtemp(join(tmpdir(), 'graft-proxies-'));
    proxy = await ForwardProxy.start();
  });
  afterEach(async () => {
    for (const name of VARIABLES) delete process.env[name];
    for (const server of servers.splice(0)) await server.close();
    await proxy.close();
    await rm(folder, { recursive: true });
  });

  /** A hub and package index, known to the proxy by this name. */
  async function serverCalled(name: string, tls?: { key: string; cert: string }): Promise<HubServer> {
    const server = await HubServer.start(tls);
    servers.push(server);
    proxy.hosts.set(`${name}:${tls ? 443 : 80}`, Number(new URL(server.url).port));
    server.files.set(HUB_PATH, { content });
    const wheel = wheelFile('graft-tiny', '1.0', 'graft_tiny/tiny.gguf', content);
    const files = [{ filename: WHEEL_NAME, url: `/files/${WHEEL_NAME}`, hashes: { sha256: sha256(wheel) } }];
    server.files.set('/simple/graft-tiny/', {
      content: Buffer.from(JSON.stringify({ files })),
      type: 'application/json',
    });
    server.files.set(`/files/${WHEEL_NAME}`, { content: wheel });
    return server;
  }

  /** The model’s file as it was fetched, from the only source that is named. */
  async function fetched(from: { hub: string } | { index: string; certificates?: string }): Promise<Buffer> {
    const sources = 'hub' in from ? [HUB] : [WHEEL];
    const models = new ModelsOnDisk({
      folder,
      hubEndpoint: 'hub' in from ? from.hub : 'http://127.0.0.1:1',
      log: silentLogger(),
      packageIndexes: () =>
        'hub' in from
          ? { urls: [], certificates: null }
          : { urls: [from.index], certificates: from.certificates ?? null },
      entryOf: () => tinyEntry(content, sources),
    });
    const { model } = await models.ensure('tiny');
    return readFile(model);
  }

  it('come from the hub through what HTTP_PROXY names, and go on through it where the connection was cut', async () => {
    process.env['HTTP_PROXY'] = `http://127.0.0.1:${proxy.port}`;
    const hub = await serverCalled('hub.example');
    hub.cuts.push(120_000);
    expect(await fetched({ hub: 'http://hub.example' })).toEqual(content);
    expect(proxy.asked).toEqual(Array(2).fill(`GET http://hub.example${HUB_PATH}`));
    expect(hub.requests.map(({ headers }) => headers.host)).toEqual(Array(2).fill('hub.example'));
    expect(hub.requests[1]!.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it('come out of a wheel of a package index through it, which is signed in to as its address says', async () => {
    proxy.wants = 'me:p@ss';
    process.env['http_proxy'] = `http://me:p%40ss@127.0.0.1:${proxy.port}`;
    const index = await serverCalled('index.example');
    expect(await fetched({ index: 'http://reader:secret@index.example/simple' })).toEqual(content);
    expect(proxy.asked).toEqual([
      'GET http://index.example/simple/graft-tiny/',
      `GET http://index.example/files/${WHEEL_NAME}`,
    ]);
    const basic = `Basic ${Buffer.from('reader:secret').toString('base64')}`;
    for (const { headers } of index.requests) {
      expect(headers.authorization).toBe(basic);
      expect(headers['proxy-authorization']).toBeUndefined();
    }
  });

  itOverTls('come over TLS through a tunnel to port 443 (HTTPS_PROXY), in which the proxy reads nothing', async () => {
    proxy.wants = 'me:p@ss';
    process.env['HTTPS_PROXY'] = `http://me:p%40ss@127.0.0.1:${proxy.port}`;
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name)) as [string, string];
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const named = ['-subj', '/CN=index.example', '-addext', 'subjectAltName=DNS:index.example'];
    execFileSync(OPENSSL!, [...made, ...named, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
    const index = await serverCalled('index.example', tls);
    expect(await fetched({ index: 'https://index.example/simple', certificates: cert })).toEqual(content);
    expect(new Set(proxy.asked)).toEqual(new Set(['CONNECT index.example:443']));
    expect(index.requests).toHaveLength(2);
    // The certificate is looked at as without a proxy.
    await rm(join(folder, 'tiny'), { recursive: true });
    proxy.hosts.set('other.example:443', Number(new URL(index.url).port));
    await expect(fetched({ index: 'https://other.example/simple', certificates: cert })).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      message: expect.stringMatching(/altnames/),
    });
  });

  it('come without it from hosts that NO_PROXY names', async () => {
    process.env['HTTP_PROXY'] = `http://127.0.0.1:${proxy.port}`;
    process.env['NO_PROXY'] = 'localhost,127.0.0.1';
    const { url } = await serverCalled('hub.example');
    expect(await fetched({ hub: url })).toEqual(content);
    expect(proxy.asked).toEqual([]);
  });

  it('are told to be out of reach where the proxy wants another password, with the status that it answered', async () => {
    proxy.wants = 'me:another';
    process.env['HTTP_PROXY'] = process.env['HTTPS_PROXY'] = `http://me:p%40ss@127.0.0.1:${proxy.port}`;
    await serverCalled('hub.example');
    for (const scheme of ['http', 'https']) {
      const error = await fetched({ hub: `${scheme}://hub.example` }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'MODEL_UNAVAILABLE', message: expect.stringContaining('407') });
      expect((error as Error).message).not.toMatch(/p%40ss|p@ss/);
    }
  });
});
