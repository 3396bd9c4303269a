import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { seededRandom } from '../../src/kernel/random.js';
import { ChromaVectorStore, type VectorRecord } from '../../src/platform/vectors/index.js';
import { chromaUrl, freshWorkspace } from '../support/chroma.js';

const record = (id: string, vector: number[], documentId = 'd1'): VectorRecord => ({
  id,
  vector: Float32Array.from(vector),
  metadata: { documentId },
});
const east = Float32Array.from([1, 0, 0]);

describe('vectors in Chroma', () => {
  const store = new ChromaVectorStore({ url: chromaUrl() });
  const workspace = freshWorkspace();
  const ids = (hits: { id: string }[]) => hits.map(({ id }) => id);
  let index: string;

  beforeEach(async () => {
    index = randomUUID();
    await store.ensure(workspace, index, 3);
  });

  it('come back nearest first, with their cosine similarity whatever their length', async () => {
    await store.upsert(workspace, index, [
      record('north', [0, 3, 0]),
      record('east', [5, 0, 0]),
      record('west', [-1, 0, 0]),
    ]);
    const hits = await store.query(workspace, index, east, 10);
    expect(ids(hits)).toEqual(['east', 'north', 'west']);
    for (const [at, score] of [1, 0, -1].entries()) expect(hits[at]?.score).toBeCloseTo(score, 5);
    expect(await store.query(workspace, index, east, 1)).toHaveLength(1);
  });

  it('are replaced by a second write of the same id', async () => {
    await store.upsert(workspace, index, [record('a', [1, 0, 0])]);
    await store.upsert(workspace, index, [record('a', [0, 1, 0])]);
    const hits = await store.query(workspace, index, east, 10);
    expect(ids(hits)).toEqual(['a']);
    expect(hits[0]?.score).toBeCloseTo(0, 5);
  });

  it('are filtered and removed by document, and removed by id', async () => {
    await store.upsert(workspace, index, [
      record('a', [1, 0, 0], 'd1'),
      record('b', [1, 1, 0], 'd2'),
      record('c', [0, 1, 0], 'd3'),
    ]);
    expect(ids(await store.query(workspace, index, east, 10, { documentIds: ['d2', 'd3'] }))).toEqual(['b', 'c']);
    expect(await store.query(workspace, index, east, 10, { documentIds: [] })).toEqual([]);
    await store.delete(workspace, index, { documentIds: ['d1'] });
    await store.delete(workspace, index, { ids: ['c', 'never-there'] });
    expect(ids(await store.query(workspace, index, east, 10))).toEqual(['b']);
  });

  it('are the nearest of those that were named, of few as of many, and of none', async () => {
    const random = seededRandom(3);
    const all = Array.from({ length: 1_000 }, (_, n) =>
      record(`r${n}`, [random() - 0.5, random() - 0.5, random() - 0.5]),
    );
    await store.upsert(workspace, index, all);
    const near = new Map(all.map(({ id, vector }) => [id, vector[0]! / Math.hypot(...vector)]));
    for (const every of [3, 100]) {
      const named = all.flatMap(({ id }, n) => (n % every === 0 ? [id] : []));
      const hits = await store.query(workspace, index, east, 7, { ids: [...named, 'never-there'] });
      expect(ids(hits)).toEqual(named.sort((a, b) => near.get(b)! - near.get(a)!).slice(0, 7));
      for (const { id, score } of hits) expect(score).toBeCloseTo(near.get(id)!, 5);
    }
    const gone = Array.from({ length: 500 }, (_, n) => `gone ${n}`);
    for (const none of [[], gone]) expect(await store.query(workspace, index, east, 7, { ids: none })).toEqual([]);
  });

  it('of another workspace are out of reach, even with the same index id', async () => {
    const other = freshWorkspace();
    await store.upsert(workspace, index, [record('mine', [1, 0, 0])]);
    await expect(store.query(other, index, east, 10)).rejects.toMatchObject({ code: 'VECTOR_STORE_UNAVAILABLE' });
    await store.ensure(other, index, 3);
    expect(await store.query(other, index, east, 10)).toEqual([]);
    await store.drop(other, index);
    expect(ids(await store.query(workspace, index, east, 10))).toEqual(['mine']);
  });

  it('may be more than Chroma takes in one call', async () => {
    const many = Array.from({ length: 6_000 }, (_, n) => record(`r${n}`, [Math.cos(n), Math.sin(n), n % 7]));
    await store.upsert(workspace, index, many);
    expect(await store.query(workspace, index, east, 200)).toHaveLength(200);
  });

  it('are gone with their index; dropping and deleting twice is no error', async () => {
    await store.upsert(workspace, index, [record('a', [1, 0, 0])]);
    await store.drop(workspace, index);
    await store.drop(workspace, index);
    await store.delete(workspace, index, { ids: ['a'] });
    await store.ensure(workspace, index, 3);
    expect(await store.query(workspace, index, east, 10)).toEqual([]);
  });

  it('are found again when another gateway has made the index anew', async () => {
    const other = new ChromaVectorStore({ url: chromaUrl() });
    await other.drop(workspace, index);
    await other.ensure(workspace, index, 3);
    await other.upsert(workspace, index, [record('new', [1, 0, 0])]);
    expect(ids(await store.query(workspace, index, east, 10))).toEqual(['new']);
  });

  it('of installations that share a server are kept apart, though their indexes have the same ids', async () => {
    const [here, there] = ['0123456789abcdef', 'fedcba9876543210'].map(
      (installation) => new ChromaVectorStore({ url: chromaUrl(), installation }),
    ) as [ChromaVectorStore, ChromaVectorStore];
    for (const each of [here, there]) await each.ensure(workspace, index, 3);
    await here.upsert(workspace, index, [record('mine', [1, 0, 0])]);
    expect(await there.query(workspace, index, east, 10)).toEqual([]);
    await there.drop(workspace, index);
    expect(ids(await here.query(workspace, index, east, 10))).toEqual(['mine']);
  });

  it('can be ensured by several gateways of a new workspace at once', async () => {
    const fresh = freshWorkspace();
    await Promise.all(
      Array.from({ length: 4 }, () => new ChromaVectorStore({ url: chromaUrl() }).ensure(fresh, index, 3)),
    );
    expect(await store.query(fresh, index, east, 1)).toEqual([]);
  });

  it('print no warning about embedding functions', async () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    const other = new ChromaVectorStore({ url: chromaUrl() });
    await other.ensure(workspace, index, 3);
    await new ChromaVectorStore({ url: chromaUrl() }).query(workspace, index, east, 1);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });
});

describe('a Chroma that is gone', () => {
  it('is reported at once', async () => {
    const store = new ChromaVectorStore({ url: 'http://127.0.0.1:1' });
    const started = performance.now();
    await expect(store.ping()).rejects.toMatchObject({ code: 'VECTOR_STORE_UNAVAILABLE' });
    await expect(store.query(freshWorkspace(), randomUUID(), east, 1)).rejects.toMatchObject({
      code: 'VECTOR_STORE_UNAVAILABLE',
    });
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('that takes connections and never answers is reported within two seconds to a ping', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as { port: number };
    const started = performance.now();
    await expect(new ChromaVectorStore({ url: `http://127.0.0.1:${port}` }).ping()).rejects.toMatchObject({
      code: 'VECTOR_STORE_UNAVAILABLE',
    });
    expect(performance.now() - started).toBeLessThan(2_500);
    silent.close();
  });
});
