import { ChromaClient } from 'chromadb';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { openDatabase, type Database, mapDatabaseError } from '../../src/platform/database/index.js';
import { startServices, type Services } from '../../src/platform/processes/index.js';
import { silentLogger } from '../../src/platform/telemetry/index.js';
import { ChromaVectorStore } from '../../src/platform/vectors/index.js';
import { freshWorkspace } from '../support/chroma.js';
import { eventually } from '../support/eventually.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

describe('a server killed with SIGKILL', () => {
  let folder: TemporaryFolder;
  let services: Services;
  let database: Database;

  beforeAll(async () => {
    folder = await temporaryFolder();
    services = await startServices({ home: join(folder.path, 'home'), log: silentLogger() });
    database = await openDatabase(services.databaseUrl, { unsaid: 'system' });
    await database.pool.query('CREATE TABLE kept (n int PRIMARY KEY)');
  });

  afterAll(async () => {
    await database.close();
    await services.stop();
    await folder.remove();
  });

  it('PostgreSQL: is clearly unavailable, then back on the same URL with every acknowledged row', async () => {
    for (let round = 0; round < 3; round++) {
      const acknowledged: number[] = [];
      let killed = false;
      const writing = (async () => {
        for (let n = round * 1_000_000; ; n++) {
          try {
            await database.prisma.$executeRaw`INSERT INTO kept VALUES (${n})`;
            acknowledged.push(n);
          } catch (error) {
            return mapDatabaseError(error);
          }
        }
      })();
      await eventually('some rows are written', () => acknowledged.length >= 20 + round * 7);
      killed = process.kill(services.health().postgres.pid!, 'SIGKILL');
      expect(killed).toBe(true);
      expect(await writing).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
      await eventually('PostgreSQL answers again', async () => (await database.pool.query('SELECT 1')).rowCount === 1);
      await eventually('its health says so', () => services.health().postgres.state === 'ready');
      const { rows } = await database.pool.query<{ n: number }>('SELECT n FROM kept WHERE n >= $1', [
        round * 1_000_000,
      ]);
      const found = new Set(rows.map(({ n }) => n));
      expect(acknowledged.filter((n) => !found.has(n))).toEqual([]);
    }
    expect(services.health().postgres.restarts).toBeGreaterThanOrEqual(3);
  });

  it('every error while PostgreSQL is down says that it is unavailable', async () => {
    const errors: unknown[] = [];
    const { pid } = services.health().postgres;
    process.kill(pid!, 'SIGKILL');
    await eventually('PostgreSQL is back', async () => {
      const asks = [
        () => database.prisma.$queryRaw`SELECT 1`,
        () => database.pool.query('SELECT 1'),
        () => database.prisma.$transaction((tx) => tx.$queryRaw`SELECT 1`),
      ];
      const results = await Promise.allSettled(asks.map((ask) => ask()));
      const failures = results.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
      errors.push(...failures);
      return failures.length === 0 && services.health().postgres.pid !== pid;
    });
    expect(errors).not.toEqual([]);
    for (const error of errors) expect(mapDatabaseError(error)).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  });

  it('Chroma: is clearly unavailable, then back on the same URL with every written vector', async () => {
    const store = new ChromaVectorStore(services.chroma);
    const workspace = freshWorkspace();
    const index = randomUUID();
    const vector = Float32Array.from([1, 2, 3]);
    await store.ensure(workspace, index, 3);
    const records = Array.from({ length: 300 }, (_, n) => ({ id: `r${n}`, vector, metadata: { documentId: 'd' } }));
    await store.upsert(workspace, index, records);
    const { pid } = services.health().chroma;
    process.kill(pid!, 'SIGKILL');
    await eventually('the loss shows', () => services.health().chroma.state === 'restarting', 5_000);
    const outcome = await store.query(workspace, index, vector, 1).catch((error: unknown) => error);
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'VECTOR_STORE_UNAVAILABLE' });
    expect(await eventually('Chroma answers again', () => store.query(workspace, index, vector, 1))).toHaveLength(1);
    const { hostname: host, port } = new URL(services.chroma.url);
    const client = new ChromaClient({
      host,
      port: Number(port),
      database: `ws_${workspace}`,
      tenant: services.chroma.tenant,
    });
    expect(await (await client.getCollection({ name: index })).count()).toBe(300);
    await eventually('its health says so', () => services.health().chroma.state === 'ready');
    expect(services.health().chroma.pid).not.toBe(pid);
  });
});
