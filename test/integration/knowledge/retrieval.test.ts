import { DEFAULT_WORKSPACE_ID, newId, type WorkspaceId } from '../../../src/kernel/ids.js';
import {
  ALL_SEEN,
  LabelStore,
  sightBy,
  lexicalText,
  type RetrievalRequest,
  type Sight,
} from '../../../src/sources/knowledge/index.js';
import { startKnowledge, type Knowledge } from './harness.js';

const TEXTS = [
  'The pump moves eleven litres of water a minute through the pump filter.',
  'Filters are cleaned weekly. A dirty filter halves the flow of water.',
  'TCP/IP and node.js are configured in settings.yaml; version 3.5.1 needs 1,000 MB.',
  'Cats sleep on the warm boiler all day long and purr.',
  'A physician treats patients in the hospital.',
];

describe('retrieval', () => {
  let knowledge: Knowledge;
  let name: string;
  let id: string;
  beforeAll(async () => {
    knowledge = await startKnowledge();
    ({ id, name } = await knowledge.collection('manual'));
    await knowledge.ingest(
      name,
      TEXTS.map((text, i) => ({ name: `${i}.txt`, text })),
    );
    // Staged for a run that never ends: search must not see it in any mode or statistic.
    await knowledge.collection('empty');
  }, 120_000);
  afterAll(() => knowledge.stop());

  type More = Partial<RetrievalRequest> & { workspaceId?: WorkspaceId; collections?: string[] | null };
  const retrieve = async (query: string, { workspaceId, collections = [name], ...more }: More = {}) => {
    const scope = await knowledge.retriever.scope(workspaceId ?? knowledge.workspaceId, collections);
    return knowledge.retriever.retrieve({ scope, query, mode: 'HYBRID', limit: 5, ...more });
  };
  const names = async (query: string, more: More = {}) =>
    (await retrieve(query, more)).passages.map(({ documentName }) => documentName);

  /** BM25 as its paper has it, over PostgreSQL's lexemes, counted in JavaScript. */
  async function referenceScores(query: string): Promise<Map<string, number>> {
    const lexemes = async (text: string) => {
      const { rows } = await knowledge.database.pool.query<{ term: string; count: number }>(
        `SELECT lexeme AS term, cardinality(positions) AS count FROM unnest(to_tsvector('english', $1))`,
        [lexicalText(text)],
      );
      return new Map(rows.map(({ term, count }) => [term, count]));
    };
    const documents = await Promise.all(TEXTS.map(lexemes));
    const lengths = documents.map((terms) => [...terms.values()].reduce((a, b) => a + b, 0));
    const average = lengths.reduce((a, b) => a + b, 0) / lengths.length;
    const scores = new Map<string, number>();
    for (const term of (await lexemes(query)).keys()) {
      const df = documents.filter((terms) => terms.has(term)).length;
      const idf = Math.log(1 + (documents.length - df + 0.5) / (df + 0.5));
      documents.forEach((terms, i) => {
        const tf = terms.get(term) ?? 0;
        if (tf === 0) return;
        const score = (idf * tf * 2.2) / (tf + 1.2 * (0.25 + (0.75 * (lengths[i] ?? 0)) / average));
        scores.set(`${i}.txt`, (scores.get(`${i}.txt`) ?? 0) + score);
      });
    }
    return scores;
  }

  it.each(['dirty water filter', 'How many litres does the pump move?', 'filters', 'TCP/IP', 'zebra pump'])(
    'ranks "%s" by exactly BM25',
    async (query) => {
      const { passages } = await retrieve(query, { mode: 'LEXICAL' });
      const expected = await referenceScores(query);
      expect(passages).toHaveLength(expected.size);
      passages.forEach(({ documentName, scores }, i) => {
        expect(scores.lexical).toBeCloseTo(expected.get(documentName) ?? NaN, 6);
        expect(scores).toMatchObject({ lexicalRank: i + 1, dense: null, denseRank: null });
      });
    },
  );

  it('finds words inside paths, hosts, versions and numbers', async () => {
    for (const query of ['ip', 'node', 'settings', '3.5.1', '1000', 'YAML'])
      expect(await names(query, { mode: 'LEXICAL' })).toEqual(['2.txt']);
  });

  it('finds meaning without common words', async () => {
    expect(await names('doctor at a clinic', { mode: 'LEXICAL' })).toEqual([]);
    const { passages, queryVector } = await retrieve('doctor at a clinic', { mode: 'DENSE', limit: 1 });
    expect(passages[0]).toMatchObject({ documentName: '4.txt', scores: { denseRank: 1, lexical: null, fused: 1 } });
    expect(queryVector).toHaveLength(384);
    expect(passages[0]?.scores.dense).toBeGreaterThan(0.3);
  });

  it('says how much of the query a passage covers, by rarity', async () => {
    const { passages } = await retrieve('dirty filter zebra');
    const best = passages.find(({ documentName }) => documentName === '1.txt');
    const scope = await knowledge.retriever.scope(knowledge.workspaceId, [name]);
    const weights = await knowledge.retriever.termWeights(scope, ['dirty', 'filter', 'zebra', 'the', '—']);
    expect([...weights.keys()]).toEqual(['dirty', 'filter', 'zebra']);
    expect(weights.get('filter')?.stem).toBe('filter');
    const idf = (word: string) => weights.get(word)?.idf ?? NaN;
    expect(idf('zebra')).toBeGreaterThan(idf('dirty'));
    expect(idf('dirty')).toBeGreaterThan(idf('filter'));
    expect(best?.coverage).toBeCloseTo(
      (idf('dirty') + idf('filter')) / (idf('dirty') + idf('filter') + idf('zebra')),
      9,
    );
    expect((await retrieve('the of and')).passages.every(({ coverage }) => coverage === 0)).toBe(true);
  });

  it('does nothing with words in mode DENSE unless coverage is asked for', async () => {
    const query = jest.spyOn(knowledge.database.pool, 'query');
    const searched = () =>
      query.mock.calls.some(([statement]) =>
        (statement as { name?: string }).name?.startsWith('knowledge-search-lexical'),
      );
    const without = await retrieve('dirty filter', { mode: 'DENSE', coverage: false });
    expect(searched()).toBe(false);
    expect(without.timings.lexicalMs).toBe(0);
    const covered = await retrieve('dirty filter', { mode: 'DENSE' });
    expect(searched()).toBe(true);
    query.mockRestore();
    const ids = ({ passages }: typeof covered) => passages.map(({ chunkId, scores }) => [chunkId, scores]);
    expect(ids(without)).toEqual(ids(covered));
    expect(covered.passages[0]!.coverage).toBeGreaterThan(0);
  });

  it('looks only into the documents of a filter, in every mode', async () => {
    const { id: documentId } = (await knowledge.stores.documents.live(knowledge.workspaceId, id, '1.txt'))!;
    for (const mode of ['DENSE', 'LEXICAL', 'HYBRID'] as const)
      expect(await names('water filter pump', { mode, documentFilter: [documentId] })).toEqual(['1.txt']);
    expect(await names('water', { documentFilter: [] })).toEqual([]);
  });

  it('searches several collections as one, each in its language', async () => {
    const spanish = await knowledge.collection('manual-es', { language: 'spanish' });
    await knowledge.ingest(spanish.name, [
      { name: 'bomba.txt', text: 'Las bombas mueven once litros de agua por minuto.' },
    ]);
    expect(await names('bomba moviendo litro', { collections: [spanish.name], mode: 'LEXICAL' })).toEqual([
      'bomba.txt',
    ]);
    const found = (await retrieve('bomba pumps', { collections: null, mode: 'LEXICAL' })).passages;
    expect(new Set(found.map(({ collectionName, language }) => `${collectionName} ${language}`))).toEqual(
      new Set(['manual english', 'manual-es spanish']),
    );
    expect((await knowledge.retriever.scope(knowledge.workspaceId, null)).collections).toEqual([
      expect.objectContaining({ name: 'empty', chunks: 0 }),
      expect.objectContaining({ name: 'manual', chunks: TEXTS.length }),
      expect.objectContaining({ name: 'manual-es', chunks: 1 }),
    ]);
    await expect(retrieve('x', { collections: ['manual', 'nowhere'] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await retrieve('x', { collections: ['empty'] })).passages).toEqual([]);
  });

  it('shows nothing to another workspace', async () => {
    await expect(retrieve('pump', { workspaceId: DEFAULT_WORKSPACE_ID })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const own = await knowledge.service.createCollection({ workspaceId: DEFAULT_WORKSPACE_ID, name: 'manual' });
    for (const mode of ['DENSE', 'LEXICAL', 'HYBRID'] as const)
      expect(await names('pump', { workspaceId: DEFAULT_WORKSPACE_ID, mode })).toEqual([]);
    expect(await knowledge.stores.documents.live(DEFAULT_WORKSPACE_ID, own.id, '0.txt')).toBeNull();
  });

  it('falls back to words while the vector store is away, says so, and recovers', async () => {
    knowledge.vectors.away = true;
    const { passages, degraded } = await retrieve('dirty filter');
    expect(degraded).toBe('VECTOR_STORE_UNAVAILABLE');
    expect(passages[0]).toMatchObject({ documentName: '1.txt', scores: { dense: null, fused: 1 } });
    await expect(retrieve('dirty filter', { mode: 'DENSE' })).rejects.toMatchObject({
      code: 'VECTOR_STORE_UNAVAILABLE',
    });
    knowledge.vectors.away = false;
    expect((await retrieve('dirty filter')).degraded).toBeNull();
  });

  it('ranks by the weight that the collection was tuned to', async () => {
    await knowledge.service.setDenseWeight(knowledge.workspaceId, { collection: name, denseWeight: 0 });
    const { passages } = await retrieve('dirty filter');
    expect(passages[0]?.scores).toMatchObject({ lexicalRank: 1, fused: 1 });
    const byMeaning = passages.filter(({ scores }) => scores.lexicalRank === null);
    expect(byMeaning.length).toBeGreaterThan(0);
    for (const { scores } of byMeaning) expect(scores.fused).toBe(0);
    await knowledge.service.setDenseWeight(knowledge.workspaceId, { collection: name, denseWeight: 0.6 });
    await expect(
      knowledge.service.setDenseWeight(knowledge.workspaceId, { collection: name, denseWeight: -1 }),
    ).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('whose vectors Chroma has lost asks for a rebuilt index, and uses it then', async () => {
    const [index] = await knowledge.stores.collections.indexes(id);
    await knowledge.vectors.drop(knowledge.workspaceId, index!.id);
    await expect(retrieve('dirty filter', { mode: 'DENSE' })).rejects.toMatchObject({
      code: 'VECTOR_STORE_UNAVAILABLE',
      hint: expect.stringContaining('rebuildIndex'),
    });
    const run = await knowledge.service.rebuildIndex(knowledge.workspaceId, {
      collection: name,
      idempotencyKey: newId(),
    });
    expect(await knowledge.finished(run)).toMatchObject({ status: 'SUCCEEDED', output: { chunks: TEXTS.length } });
    expect(await retrieve('doctor at a clinic', { mode: 'DENSE', limit: 1 })).toMatchObject({
      degraded: null,
      passages: [{ documentName: '4.txt' }],
    });
  });

  it('does not compare vectors of two embedders: it asks for a rebuilt index, and uses it then', async () => {
    const old = (await knowledge.stores.collections.indexes(id))[0]!;
    // Another identity on the same files: what is bound to an identity need not be different to be refused.
    knowledge.setEmbedder({ maxTokens: 128 });
    expect(await retrieve('dirty filter')).toMatchObject({ degraded: 'INDEX_OUTDATED' });
    await expect(retrieve('dirty filter', { mode: 'DENSE' })).rejects.toMatchObject({
      code: 'CONFLICT',
      hint: expect.stringContaining('rebuildIndex'),
    });
    const run = await knowledge.service.rebuildIndex(knowledge.workspaceId, {
      collection: name,
      idempotencyKey: newId(),
    });
    expect(await knowledge.finished(run)).toMatchObject({ status: 'SUCCEEDED', output: { chunks: TEXTS.length } });
    expect(await retrieve('doctor at a clinic', { mode: 'DENSE', limit: 1 })).toMatchObject({
      degraded: null,
      passages: [{ documentName: '4.txt' }],
    });
    const indexes = await knowledge.stores.collections.indexes(id);
    expect(indexes).toHaveLength(1);
    expect(indexes[0]?.id).not.toBe(old.id);
    knowledge.setEmbedder({});
  });

  it('finds by meaning what comparing all would, however many documents a reader may not see', async () => {
    const things = [
      'pump',
      'boiler',
      'filter',
      'valve',
      'sensor',
      'lamp',
      'door',
      'roof',
      'tank',
      'cable',
      'motor',
      'fan',
    ];
    const deeds = [
      'is cleaned',
      'leaks',
      'rusts',
      'hums',
      'is replaced',
      'overheats',
      'is painted',
      'is inspected',
      'freezes',
      'breaks',
    ];
    const { name: many, id: manyId } = await knowledge.collection('many');
    // More than are compared one by one.
    const texts = ['spring', 'autumn'].flatMap((season) =>
      things.flatMap((thing) => deeds.map((deed) => `The ${thing} ${deed} in ${season}.`)),
    );
    const documents = texts.map((text, i) => ({ name: `${i}.txt`, text }));
    for (let start = 0; start < documents.length; start += 60)
      await knowledge.ingest(many, documents.slice(start, start + 60));
    const scope = await knowledge.retriever.scope(knowledge.workspaceId, [many]);
    const find = async (sight: Sight, limit: number) => {
      const request = { scope: { ...scope, sight }, query: 'Which motor gets too hot?', mode: 'DENSE' as const };
      return (await knowledge.retriever.retrieve({ ...request, limit })).passages.map(({ documentId }) => documentId);
    };
    const all = await find(ALL_SEEN, texts.length);
    expect(all).toHaveLength(texts.length);
    for (const share of [0.1, 0.45, 0.6, 0.7, 0.97, 1])
      for (const limit of [5, 65]) {
        // Every so many-th of the best, so that none of the first places is safe.
        const hidden = all.filter((_, i) => Math.floor((i + 1) * share) > Math.floor(i * share));
        const seen = all.filter((id) => !hidden.includes(id));
        expect(await find(sightBy('HIDDEN', { [manyId]: hidden }), limit)).toEqual(seen.slice(0, limit));
        expect(await find(sightBy('SEEN', { [manyId]: seen }), limit)).toEqual(seen.slice(0, limit));
      }
  });

  it('takes what a reader sees from labels, as the shorter list', async () => {
    const collection = await knowledge.collection('labelled');
    const names = ['a.txt', 'b.txt', 'c.txt', 'd.txt', 'e.txt'];
    await knowledge.ingest(
      collection.name,
      names.map((each, i) => ({ name: each, text: TEXTS[i]! })),
    );
    const { rows } = await knowledge.database.pool.query<{ id: string; name: string }>(
      'SELECT id, name FROM document WHERE workspace_id = $1 AND collection_id = $2',
      [knowledge.workspaceId, collection.id],
    );
    const labels = new LabelStore(knowledge.database);
    const label = (labelled: string[], access: string[]) =>
      labels.set(knowledge.workspaceId, collection, { names: labelled, access, changedBy: 'a test' });
    const sight = async (groups: string[] | null) => {
      const { sight: read } = await knowledge.retriever.scope(knowledge.workspaceId, [collection.name], groups);
      return [read.listed, rows.flatMap((row) => (read.ids.includes(row.id) ? [row.name] : [])).sort()];
    };
    expect(await sight(['red'])).toEqual(['HIDDEN', []]);
    await label(['a.txt', 'b.txt', 'c.txt'], ['red']);
    await label(['d.txt'], ['blue', 'red']);
    expect(await sight(null)).toEqual(['HIDDEN', []]);
    expect(await sight(['red'])).toEqual(['HIDDEN', []]);
    expect(await sight(['blue'])).toEqual(['SEEN', ['d.txt', 'e.txt']]);
    expect(await sight([])).toEqual(['SEEN', ['e.txt']]);
    await label(['a.txt', 'b.txt'], []);
    expect(await sight([])).toEqual(['HIDDEN', ['c.txt', 'd.txt']]);
    await label(['e.txt', 'a.txt', 'b.txt'], ['green']);
    expect(await sight([])).toEqual(['SEEN', []]);
  });

  it('asks nothing of the vectors of a collection in which a reader sees nothing', async () => {
    const [open, closed] = [await knowledge.collection('open'), await knowledge.collection('closed')];
    const documents = TEXTS.map((text, i) => ({ name: `${i}.txt`, text }));
    await knowledge.ingest(open.name, documents.slice(0, 2));
    await knowledge.ingest(closed.name, documents);
    const label = { names: documents.map((each) => each.name), access: ['red'], changedBy: 'a test' };
    await new LabelStore(knowledge.database).set(knowledge.workspaceId, closed, label);
    const query = jest.spyOn(knowledge.vectors, 'query');
    const read = async (groups: string[]) => {
      const scope = await knowledge.retriever.scope(knowledge.workspaceId, [open.name, closed.name], groups);
      query.mockClear();
      const { passages } = await knowledge.retriever.retrieve({ scope, query: 'filter', mode: 'DENSE', limit: 10 });
      const names = new Set(passages.map(({ collectionName }) => collectionName));
      return [scope.sight.listed, [...names].sort(), query.mock.calls.length];
    };
    expect(await read([])).toEqual(['SEEN', [open.name], 1]);
    expect(await read(['red'])).toEqual(['HIDDEN', [closed.name, open.name], 2]);
    query.mockRestore();
  });
});
