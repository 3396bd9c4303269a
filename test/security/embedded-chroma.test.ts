import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { removeHome, startServices, type Services } from '../../src/platform/processes/index.js';
import { silentLogger } from '../../src/platform/telemetry/index.js';
import { ChromaVectorStore } from '../../src/platform/vectors/index.js';
import { chromaUrl, freshWorkspace } from '../support/chroma.js';
import { itWhen } from '../support/skip.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal)?.address;

const JSON_BODY = { 'content-type': 'application/json' };

/** Chroma has no authentication of its own: what keeps others out is where it listens, what it lets pages do, and what it is asked for by name. */
describe('the embedded Chroma', () => {
  it('lets no web page read it: it allows no origin', async () => {
    const origin = { origin: 'https://evil.example' };
    const read = await fetch(`${chromaUrl()}/api/v2/heartbeat`, { headers: origin });
    expect(read.headers.get('access-control-allow-origin')).toBeNull();
    const asked = await fetch(`${chromaUrl()}/api/v2/tenants`, {
      method: 'OPTIONS',
      headers: { ...origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    });
    expect(asked.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('takes no body that a page may send without asking first', async () => {
    const body = JSON.stringify({ name: 'from_a_page' });
    const answer = await fetch(`${chromaUrl()}/api/v2/tenants/default_tenant/databases`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body,
    });
    expect(answer.ok).toBe(false);
  });

  it('refuses to be reset', async () => {
    expect((await fetch(`${chromaUrl()}/api/v2/reset`, { method: 'POST' })).ok).toBe(false);
  });

  itWhen(outside !== undefined, 'this machine has no address but loopback')('listens on loopback alone', async () => {
    const { port } = new URL(chromaUrl());
    const reached = await new Promise((resolve) => {
      const socket = connect(Number(port), outside);
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    expect(reached).toBe(false);
  });

  describe('of a home', () => {
    let folder: TemporaryFolder;
    let home: string;
    let services: Services;
    const start = () => startServices({ home, databaseUrl: process.env.GRAFT_TEST_DATABASE_URL!, log: silentLogger() });
    beforeAll(async () => {
      folder = await temporaryFolder();
      home = join(folder.path, 'home');
      services = await start();
      const store = new ChromaVectorStore(services.chroma);
      await store.ensure(workspace, index, 3);
      await store.upsert(workspace, index, [record]);
    });
    afterAll(async () => {
      await services.stop();
      await removeHome(home);
      await folder.remove();
    });

    const found = () => new ChromaVectorStore(services.chroma).query(workspace, index, vector, 1);
    const nameFile = () => join(home, 'chroma', 'tenant.json');
    const workspace = freshWorkspace();
    const index = randomUUID();
    const vector = Float32Array.from([1, 2, 3]);
    const record = { id: 'secret-record', vector, metadata: { documentId: 'secret-document' } };

    it('tells nobody of its collections, nor lets them be deleted, who can’t name its tenant, though they know everything that Graft shows', async () => {
      const database = `databases/ws_${workspace}`;
      const places = ['default_tenant', 'home_', '*', '%', ''].flatMap((name) => [
        `tenants/${name}`,
        `tenants/${name}/databases`,
        `tenants/${name}/${database}`,
        ...[database, 'databases/default_database'].flatMap((place) => [
          `tenants/${name}/${place}/collections`,
          `tenants/${name}/${place}/collections/${index}`,
          `tenants/${name}/${place}/collections/${index}/get`,
        ]),
      ]);
      const told: string[] = [];
      for (const path of ['auth/identity', 'tenants', 'collections', ...places])
        for (const method of ['GET', 'DELETE', 'POST']) {
          const body = method === 'POST' ? { headers: JSON_BODY, body: '{"limit":10}' } : {};
          const answer = await fetch(`${services.chroma.url}/api/v2/${path}`, { method, ...body });
          if (answer.ok) told.push(await answer.text());
        }
      expect(told.join()).toContain('default_tenant');
      expect(told.join()).not.toMatch(/secret|home_[0-9a-f]/);
      expect(told.join()).not.toContain(index);
      expect(await found()).toHaveLength(1);
    });

    it('keeps its name where only this user reads it, and its vectors under it from start to start', async () => {
      const { tenant } = services.chroma;
      expect(tenant).toMatch(/^home_[0-9a-f]{48}$/);
      expect(statSync(nameFile()).mode & 0o077).toBe(0);
      expect(readFileSync(join(home, 'logs', 'chroma.log'), 'utf8')).not.toContain(tenant);
      await services.stop();
      // The port is nothing that vectors depend on.
      rmSync(join(home, 'chroma.json'));
      services = await start();
      expect(services.chroma.tenant).toBe(tenant);
      expect(await found()).toHaveLength(1);
    });

    it.each(['is damaged', 'is gone'])('whose name %s doesn’t start, and says what to put back', async (how) => {
      await services.stop();
      const name = readFileSync(nameFile());
      if (how === 'is gone') rmSync(nameFile());
      else writeFileSync(nameFile(), '{"name');
      await expect(start()).rejects.toMatchObject({
        code: 'SETUP_FAILED',
        message: expect.stringContaining(nameFile()),
      });
      writeFileSync(nameFile(), name);
      services = await start();
      expect(await found()).toHaveLength(1);
    });
  });
});
