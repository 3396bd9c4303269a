import { graphql, parse, subscribe, type ExecutionResult } from 'graphql';
import pg from 'pg';
import { toGlobalId } from '../../../src/kit/graphql/index.js';
import { newId } from '../../../src/kernel/ids.js';
import { startKnowledge, type Knowledge } from './harness.js';

type Data = Record<string, never> & { [key: string]: Data };

describe('the knowledge API', () => {
  let knowledge: Knowledge;
  beforeAll(async () => {
    knowledge = await startKnowledge();
  }, 120_000);
  afterAll(() => knowledge.stop());

  const ask = async (
    source: string,
    variableValues: Record<string, unknown> = {},
    contextValue = knowledge.context(),
  ) => {
    const { data, errors } = await graphql({ schema: knowledge.schema, source, variableValues, contextValue });
    if (errors) throw errors[0]?.originalError ?? errors[0]!;
    return data as Data;
  };

  const events = async (runId: string, after: string | null = null): Promise<Data[]> => {
    const stream = (await subscribe({
      schema: knowledge.schema,
      document: parse(
        'subscription ($runId: ID!, $after: String) { ingestionProgress(runId: $runId, after: $after) { id status progress message document result { name outcome chunks error { code } document { title } } } }',
      ),
      variableValues: { runId, after },
      contextValue: knowledge.context(),
    })) as AsyncIterable<ExecutionResult> | ExecutionResult;
    if (!(Symbol.asyncIterator in stream)) throw stream.errors?.[0]?.originalError ?? new Error('no stream');
    const seen: Data[] = [];
    for await (const { data, errors } of stream) {
      if (errors) throw errors[0]!;
      seen.push((data as Data)['ingestionProgress']!);
    }
    return seen;
  };

  it('makes a collection, ingests with progress, and searches', async () => {
    const made = await ask(
      'mutation { createCollection(input: {name: "guide"}) { collection { id name language denseWeight documentCount } } }',
    );
    expect(made).toMatchObject({
      createCollection: { collection: { name: 'guide', language: 'english', denseWeight: 0.6, documentCount: 0 } },
    });
    const picture = await knowledge.upload('logo.png', Buffer.from('\x89PNG\r\n', 'latin1'));
    const input = {
      collection: 'guide',
      idempotencyKey: newId(),
      documents: [
        { name: 'lamp.md', text: '# Lamp\n\n## Battery\n\nThe lamp shines for nine hours.', metadata: { by: 'ops' } },
        { name: 'logo.png', file: toGlobalId('File', picture.id) },
      ],
    };
    const started = await ask(
      'mutation ($input: IngestDocumentsInput!) { ingestDocuments(input: $input) { run { id kind collection { name } } } }',
      { input },
    );
    const run = started['ingestDocuments']!['run'];
    expect(run).toMatchObject({ kind: 'INGESTION', collection: { name: 'guide' } });
    const seen = await events(run['id']);
    expect(seen.at(-1)).toMatchObject({ status: 'SUCCEEDED', progress: 1 });
    const done = seen.filter((event) => (event['result'] as unknown) !== null);
    expect(done.map((event) => event['result'])).toEqual([
      { name: 'lamp.md', outcome: 'INDEXED', chunks: 1, error: null, document: { title: 'Lamp' } },
      { name: 'logo.png', outcome: 'FAILED', chunks: 0, error: { code: 'UNSUPPORTED_MEDIA_TYPE' }, document: null },
    ]);
    expect(seen.map((event) => Number(event['id']))).toEqual(seen.map((_, i) => i + 1));
    const fractions = seen.map((event) => Number(event['progress']));
    expect([...fractions].sort((a, b) => a - b)).toEqual(fractions);
    // A client that comes back continues behind the last event it saw, also behind the very last.
    expect(await events(run['id'], '2')).toEqual(seen.slice(2));
    expect(await events(run['id'], String(seen.length))).toEqual([]);

    const { search } = await ask(
      '{ search(input: {query: "How long does the lamp shine?", limit: 3}) { degraded timings { totalMs } hits { collection coverage scores { dense lexical fused denseRank lexicalRank } chunk { text start end headings page ordinal document { name } } document { name title mediaType pages metadata text chunks { edges { node { id } } } } } } }',
    );
    const dense = 'search(input: {query: "How long does the lamp shine?", mode: DENSE}) { timings { lexicalMs }';
    const words = async (query: string) =>
      ((await ask(query))['search']!['timings'] as unknown as { lexicalMs: number }).lexicalMs;
    expect(await words(`{ ${dense} hits { collection } } }`)).toBe(0);
    expect(await words(`{ ${dense} ...F } } fragment F on SearchResult { hits { ... { coverage } } }`)).toBeGreaterThan(
      0,
    );
    const hit = (search!['hits'] as unknown as Data[])[0]!;
    expect(hit).toMatchObject({
      collection: 'guide',
      scores: { denseRank: 1, lexicalRank: 1, fused: 1 },
      chunk: { headings: ['Lamp', 'Battery'], page: null, ordinal: 0, document: { name: 'lamp.md' } },
      document: { title: 'Lamp', mediaType: 'text/markdown', metadata: { by: 'ops' } },
    });
    const { chunk, document } = hit as unknown as {
      chunk: { start: number; end: number; text: string };
      document: { text: string };
    };
    expect(document.text.slice(chunk.start, chunk.end)).toBe(chunk.text);
  });

  it('refuses bad input with its code and field', async () => {
    await ask('mutation { createCollection(input: {name: "strict"}) { collection { id } } }');
    const cases: [string, object][] = [
      ['{ search(input: {query: ""}) { degraded } }', { code: 'BAD_USER_INPUT', field: 'input.query' }],
      ['{ search(input: {query: "a\\u0000b"}) { degraded } }', { code: 'BAD_USER_INPUT', field: 'input.query' }],
      ['{ search(input: {query: "x", limit: 51}) { degraded } }', { code: 'BAD_USER_INPUT', field: 'input.limit' }],
      [
        '{ search(input: {query: "x", collections: ["nowhere"]}) { degraded } }',
        { code: 'NOT_FOUND', field: 'input.collections' },
      ],
      [
        '{ search(input: {query: "x", collections: []}) { degraded } }',
        { code: 'BAD_USER_INPUT', field: 'input.collections' },
      ],
      [
        'mutation { createCollection(input: {name: "strict"}) { collection { id } } }',
        { code: 'ALREADY_EXISTS', field: 'input.name' },
      ],
      [
        `mutation { ingestDocuments(input: {collection: "strict", idempotencyKey: "k", documents: [{name: "a", file: "${toGlobalId('Document', newId())}"}]}) { run { id } } }`,
        { code: 'BAD_USER_INPUT', field: 'input.documents.0.file' },
      ],
      [
        'mutation { ingestDocuments(input: {collection: "strict", idempotencyKey: "", documents: [{name: "a", text: "x"}]}) { run { id } } }',
        { code: 'BAD_USER_INPUT', field: 'input.idempotencyKey' },
      ],
      ['{ collections(first: 101) { edges { cursor } } }', { code: 'BAD_USER_INPUT', field: 'first' }],
      [
        '{ collections { edges { node { documents(after: "nonsense") { edges { cursor } } } } } }',
        { code: 'BAD_USER_INPUT' },
      ],
    ];
    for (const [source, error] of cases) await expect(ask(source)).rejects.toMatchObject(error);
    await expect(events(toGlobalId('IngestionRun', newId()))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(events(toGlobalId('Document', newId()))).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('reads nested lists in a fixed number of statements, page by page', async () => {
    for (const name of ['n1', 'n2', 'n3']) {
      await knowledge.collection(name);
      await knowledge.ingest(
        name,
        ['a', 'b', 'c'].map((document) => ({ name: `${document}.txt`, text: `Text ${document} of ${name}.` })),
      );
    }
    const query = `{ collections(first: 50) { edges { node { name documentCount chunkCount
      documents(first: 2) { pageInfo { hasNextPage endCursor } edges { node { name collection { name } chunks(first: 1) { edges { node { text document { name } } } } } } } } } } }`;
    const spy = jest.spyOn(pg.Client.prototype, 'query');
    const data = await ask(query);
    // The run queue polls meanwhile.
    const statements = spy.mock.calls
      .map(([statement]) => (typeof statement === 'string' ? statement : (statement as { text: string }).text))
      .filter((text) => /\b(?:collection|document|chunk)\b/.test(text) && !/\brun\b/.test(text));
    spy.mockRestore();
    // collections, counts, page of documents, their rows, their collections, page of chunks, the chunks' documents
    expect(statements.length).toBeLessThanOrEqual(7);
    const nodes = (data['collections']!['edges'] as unknown as Data[]).map((edge) => edge['node']!);
    const n2 = nodes.find((node) => (node['name'] as unknown) === 'n2')!;
    expect(n2).toMatchObject({
      documentCount: 3,
      chunkCount: 3,
      documents: {
        pageInfo: { hasNextPage: true },
        edges: [
          {
            node: {
              name: 'a.txt',
              collection: { name: 'n2' },
              chunks: { edges: [{ node: { text: 'Text a of n2.', document: { name: 'a.txt' } } }] },
            },
          },
          { node: { name: 'b.txt' } },
        ],
      },
    });
    const after = n2['documents']['pageInfo']['endCursor'];
    const rest = await ask(
      'query ($after: String) { collection(name: "n2") { documents(first: 2, after: $after) { pageInfo { hasNextPage } edges { node { name } } } } }',
      { after },
    );
    expect(rest).toMatchObject({
      collection: { documents: { pageInfo: { hasNextPage: false }, edges: [{ node: { name: 'c.txt' } }] } },
    });
  });

  it('finds its objects by id, and none of another workspace', async () => {
    const { id } = await knowledge.collection('mine');
    const run = await knowledge.ingest('mine', [{ name: 'a.txt', text: 'Mine.' }]);
    const document = (await knowledge.stores.documents.live(knowledge.workspaceId, id, 'a.txt'))!;
    const chunk = (await knowledge.database.prisma.chunk.findFirst({ where: { documentId: document.id } }))!;
    const ids = {
      Collection: id,
      Document: document.id,
      Chunk: chunk.id,
      IngestionRun: run.id,
    };
    for (const [type, row] of Object.entries(ids)) {
      expect(await knowledge.nodes.fetch(knowledge.context(), toGlobalId(type, row))).toMatchObject({
        id: toGlobalId(type, row),
      });
      expect(await knowledge.nodes.fetch(knowledge.otherContext(), toGlobalId(type, row))).toBeNull();
    }
    expect(await ask('{ collection(name: "mine") { id } }', {}, knowledge.otherContext())).toEqual({
      collection: null,
    });
  });

  it('deletes, tunes and rebuilds', async () => {
    await knowledge.collection('tended');
    await knowledge.ingest('tended', [
      { name: 'a.txt', text: 'Alpha.' },
      { name: 'b.txt', text: 'Beta.' },
    ]);
    expect(
      await ask(
        'mutation { deleteDocuments(input: {collection: "tended", names: ["a.txt"]}) { deleted collection { documentCount } } }',
      ),
    ).toEqual({ deleteDocuments: { deleted: ['a.txt'], collection: { documentCount: 1 } } });
    expect(
      await ask(
        'mutation { setDenseWeight(input: {collection: "tended", denseWeight: 0.25}) { collection { denseWeight } } }',
      ),
    ).toEqual({ setDenseWeight: { collection: { denseWeight: 0.25 } } });
    expect(
      await ask(
        `mutation { rebuildIndex(input: {collection: "tended", idempotencyKey: "${newId()}"}) { run { kind status collection { name } } } }`,
      ),
    ).toMatchObject({ rebuildIndex: { run: { kind: 'REINDEXING', collection: { name: 'tended' } } } });
  });

  it('tells the audit log how what it changes by its name was before', async () => {
    const { id, name } = await knowledge.collection('noted');
    await knowledge.ingest(name, [
      { name: 'a.txt', text: 'Alpha.' },
      { name: 'b.txt', text: 'Beta.' },
    ]);
    const changed = async (mutation: string) => {
      const context = knowledge.context();
      await ask(`mutation { ${mutation} { __typename } }`, {}, context);
      return context.change;
    };
    const access = (names: string, groups: string) =>
      changed(`setDocumentAccess(input: { collection: "noted", names: [${names}], access: [${groups}] })`);
    await access('"a.txt"', '"staff"');
    expect(await access('"a.txt", "b.txt"', '"board", "staff"')).toMatchObject({
      before: { collection: 'noted', documents: 2, access: expect.stringContaining('staff') },
      after: { collection: 'noted', documents: 2, access: 'board, staff' },
    });
    expect(await changed('setDenseWeight(input: { collection: "noted", denseWeight: 0.25 })')).toMatchObject({
      before: { denseWeight: 0.6 },
    });
    expect(await changed('deleteDocuments(input: { collection: "noted", names: ["b.txt"] })')).toMatchObject({
      before: { collection: 'noted', documents: 1 },
      after: { documents: 0 },
    });
    const deleted = await changed('deleteCollection(input: { collection: "noted" })');
    expect(deleted.subject).toBe(toGlobalId('Collection', id));
    expect(deleted.before).toEqual({ name: 'noted', denseWeight: 0.25, language: 'english' });
  });

  it('labels a document whatever Unicode form its name is written in, and with a space around', async () => {
    await knowledge.collection('formed');
    await knowledge.ingest('formed', [
      { name: 'caf\u00e9.txt', text: 'Of coffee.' },
      { name: 'note.txt', text: 'Of notes.' },
    ]);
    await ask(
      'mutation ($names: [String!]!) { setDocumentAccess(input: { collection: "formed", names: $names, access: ["staff"] }) { access } }',
      { names: ['cafe\u0301.txt', ' note.txt '] },
    );
    expect(await ask('{ collection(name: "formed") { documents { edges { node { name access } } } } }')).toMatchObject({
      collection: {
        documents: {
          edges: expect.arrayContaining([
            { node: { name: 'caf\u00e9.txt', access: ['staff'] } },
            { node: { name: 'note.txt', access: ['staff'] } },
          ]) as unknown,
        },
      },
    });
  });

  it('deletes a collection with its files and says what went', async () => {
    await knowledge.collection('brief');
    await knowledge.ingest('brief', [{ name: 'a.txt', text: 'Alpha.' }]);
    const DELETE =
      'mutation { deleteCollection(input: {collection: "brief"}) { erasure { runId deletedFiles keptFiles { id } complete } } }';
    const erasure = (await ask(DELETE))['deleteCollection']!['erasure'] as { runId?: string };
    const went = { deletedFiles: ['a.txt'], keptFiles: [], complete: true };
    expect(erasure).toMatchObject(went);
    const REPORT =
      'query ($id: ID!) { node(id: $id) { ... on ErasureRun { status report { deletedFiles keptFiles { id } complete } } } }';
    expect(await ask(REPORT, { id: erasure.runId })).toEqual({
      node: { status: 'SUCCEEDED', report: went },
    });
    await expect(ask(DELETE)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
