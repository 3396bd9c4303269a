import OpenAI, { toFile } from 'openai';
import { GraftClient } from '../../src/client/graft-client.js';
import {
  AddDatasetVersionDocument,
  AuditLogDocument,
  CollectionDocument,
  CreateApiKeyDocument,
  CreateDatasetDocument,
  CreateWorkspaceDocument,
  IngestDocumentsDocument,
  SetBudgetDocument,
  SetDocumentAccessDocument,
} from '../../src/client/operations/index.js';
import { toGlobalId } from '../../src/kit/graphql/index.js';
import { chromaUrl } from '../support/chroma.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { Python } from '../support/python.js';
import { itWhen } from '../support/skip.js';

const python = await Python.with(['openai==1.109.1']);

const PUMP = '# Orlo\n\nThe Orlo pump runs at 37 bar. It weighs 12 kg.';
const VALVE = '<html><body><h1>Vela</h1><p>The Vela valve opens at 5 bar. It is made of brass.</p></body></html>';
const PNG = Buffer.from('89504e470d0a1a0a0000', 'hex');
const STORE = /^vs_[0-9a-f-]{36}$/;

describe('vector stores', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let database: TestDatabase;
  let graft: GraftProgram;
  let openai: OpenAI;
  let graphql: GraftClient;

  const clientOf = (apiKey: string) => new OpenAI({ baseURL: `${graft.url}/v1`, apiKey, maxRetries: 0 });
  const uploaded = async (content: string | Buffer, name: string, purpose: 'assistants' | 'user_data' = 'assistants') =>
    openai.files.create({ file: await toFile(Buffer.from(content), name), purpose });
  const stored = async (...contents: [string | Buffer, string][]) => {
    const store = await openai.vectorStores.create({});
    const files = [];
    for (const [content, name] of contents) {
      const { id } = await uploaded(content, name);
      files.push(await openai.vectorStores.files.createAndPoll(store.id, { file_id: id }, { pollIntervalMs: 100 }));
    }
    return { store, files };
  };
  const ask = (path: string, method: string, body?: unknown, key?: string) =>
    fetch(`${graft.url}/v1/${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(key && { authorization: `Bearer ${key}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });

  /** Takes back that the ingestions of a store ended, as if they waited in the middle. */
  const reopen = (store: { id: string }) =>
    database.pool.query(
      `UPDATE run SET status = 'PAUSED', finished_at = NULL, checkpoint = output, output = NULL WHERE subject_id = $1`,
      [store.id.slice('vs_'.length)],
    );
  const end = (store: { id: string }) =>
    database.pool.query(
      `UPDATE run SET status = 'SUCCEEDED', finished_at = now(), output = checkpoint, checkpoint = NULL WHERE subject_id = $1`,
      [store.id.slice('vs_'.length)],
    );

  beforeAll(async () => {
    [home, database] = await Promise.all([temporaryHome(), testDatabase()]);
    const servers = { DATABASE_URL: database.url, CHROMA_URL: chromaUrl() };
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn', ...servers }).started;
    graphql = new GraftClient(graft.url);
    openai = clientOf('none');
  }, 300_000);
  afterAll(async () => {
    graphql.close();
    graft.child.kill('SIGTERM');
    await graft.ended;
    await database.dispose();
    await home.remove();
  });

  it('are made, filled, searched and deleted, and each is a collection', async () => {
    const store = await openai.vectorStores.create({ name: 'Support FAQ', metadata: { team: 'desk' } });
    expect(store).toMatchObject({
      object: 'vector_store',
      name: 'Support FAQ',
      metadata: { team: 'desk' },
      status: 'completed',
      usage_bytes: 0,
      file_counts: { in_progress: 0, completed: 0, failed: 0, cancelled: 0, total: 0 },
      graft: { collection: 'Support-FAQ' },
    });
    expect(store.id).toMatch(STORE);
    const file = await openai.vectorStores.files.uploadAndPoll(store.id, await toFile(Buffer.from(PUMP), 'orlo.md'), {
      pollIntervalMs: 100,
    });
    expect(file).toMatchObject({
      object: 'vector_store.file',
      vector_store_id: store.id,
      status: 'completed',
      last_error: null,
      attributes: {},
      usage_bytes: Buffer.byteLength(PUMP),
    });
    expect(await openai.files.retrieve(file.id)).toMatchObject({ filename: 'orlo.md', purpose: 'assistants' });
    const found = await openai.vectorStores.search(store.id, { query: 'At which pressure does the pump run?' });
    expect(found.data).toEqual([
      {
        file_id: file.id,
        filename: 'orlo.md',
        score: expect.any(Number),
        attributes: {},
        content: [{ type: 'text', text: expect.stringContaining('37 bar') }],
      },
    ]);
    const response = await openai.responses.create({
      model: 'graft',
      input: 'At which pressure does the pump run?',
      tools: [{ type: 'file_search', vector_store_ids: [store.id] }],
      include: ['file_search_call.results'],
    });
    expect(response.output_text).toContain('37 bar');
    const [search, message] = response.output as unknown as [
      { results: unknown[] },
      { content: [{ annotations: unknown[] }] },
    ];
    const cited = expect.objectContaining({ file_id: file.id, filename: 'orlo.md' });
    expect(search.results).toContainEqual(cited);
    expect(message.content[0].annotations).toContainEqual(cited);
    const contents = await openai.vectorStores.files.content(file.id, { vector_store_id: store.id });
    expect(contents.data).toEqual([{ type: 'text', text: expect.stringContaining('37 bar') }]);
    expect(await openai.vectorStores.retrieve(store.id)).toMatchObject({
      usage_bytes: Buffer.byteLength(PUMP),
      file_counts: { completed: 1, total: 1 },
    });
    const { collection } = await graphql.request(CollectionDocument, { name: 'Support-FAQ' });
    expect(collection?.documentCount).toBe(1);

    expect(await openai.vectorStores.files.delete(file.id, { vector_store_id: store.id })).toEqual({
      id: file.id,
      object: 'vector_store.file.deleted',
      deleted: true,
    });
    await expect(openai.vectorStores.files.retrieve(file.id, { vector_store_id: store.id })).rejects.toMatchObject({
      status: 404,
    });
    expect((await openai.vectorStores.search(store.id, { query: 'the pump' })).data).toEqual([]);
    // What was taken out of a store is still a file.
    expect(await (await openai.files.content(file.id)).text()).toBe(PUMP);
    expect(await openai.vectorStores.delete(store.id)).toEqual({
      id: store.id,
      object: 'vector_store.deleted',
      deleted: true,
    });
    await expect(openai.vectorStores.retrieve(store.id)).rejects.toMatchObject({ status: 404 });
    expect(await openai.files.delete(file.id)).toMatchObject({ deleted: true });
  }, 60_000);

  itWhen(python instanceof Python, typeof python === 'string' ? python : '')(
    'are filled and searched from Python as it stands, and chat answers from them',
    async () => {
      const found = await (python as Python).ask<{ hits: unknown[]; answer: string; batch: string }>(
        `
import io, json, sys
from openai import OpenAI
given = json.load(sys.stdin)
client = OpenAI(base_url=given['url'], api_key='none', max_retries=0)
store = client.vector_stores.create(name='From Python')
manual = io.BytesIO(given['text'].encode())
manual.name = 'orlo.md'
client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=manual, attributes={'year': 2020})
batch = client.vector_stores.file_batches.upload_and_poll(vector_store_id=store.id, files=[('a.txt', b'It weighs 12 kg.'), ('b.txt', b'It is red.')])
search = client.vector_stores.search(store.id, query='pressure', filters={'type': 'gte', 'key': 'year', 'value': 2020})
hits = [{'filename': hit.filename, 'text': hit.content[0].text} for hit in search]
chat = client.chat.completions.create(model='graft/' + store.graft['collection'], messages=[{'role': 'user', 'content': 'At how many bar does the Orlo pump run?'}])
json.dump({'hits': hits, 'answer': chat.choices[0].message.content, 'batch': batch.status}, sys.stdout)
`,
        { url: `${graft.url}/v1`, text: PUMP },
      );
      expect(found).toEqual({
        hits: [{ filename: 'orlo.md', text: expect.stringContaining('37 bar') }],
        answer: expect.stringContaining('37 bar'),
        batch: 'completed',
      });
    },
    60_000,
  );

  it('show collections that were filled over GraphQL, with their documents as files', async () => {
    const { id } = await openai.vectorStores.create({ name: 'manuals' });
    await graphql.request(IngestDocumentsDocument, {
      input: {
        collection: 'manuals',
        documents: [{ name: 'vela.html', text: VALVE, metadata: { maker: 'Vela', parts: [1] } }],
        idempotencyKey: 'manuals',
      },
    });
    const { data } = await eventually('the document', async () => {
      const page = await openai.vectorStores.files.list(id);
      return page.data.length > 0 && page;
    });
    expect(data).toEqual([
      expect.objectContaining({
        status: 'completed',
        attributes: { maker: 'Vela' },
        id: expect.stringMatching(/^file-/),
      }),
    ]);
    const [hit] = (
      await openai.vectorStores.search(id, { query: 'valve', filters: { type: 'eq', key: 'maker', value: 'Vela' } })
    ).data;
    expect(hit).toMatchObject({ file_id: data[0]!.id, filename: 'vela.html', attributes: { maker: 'Vela' } });
    const change = { vector_store_id: id, attributes: { maker: 'other' } };
    await expect(openai.vectorStores.files.update(data[0]!.id, change)).rejects.toMatchObject({ status: 400 });
    await openai.vectorStores.files.delete(data[0]!.id, { vector_store_id: id });
    expect((await openai.vectorStores.files.list(id)).data).toEqual([]);
  }, 60_000);

  it('keep two files of one name apart, and a file that is attached again is the same one', async () => {
    const { store, files } = await stored([PUMP, 'a.md'], ['The other one runs at 40 bar.', 'a.md'], [PUMP, 'a.md']);
    await openai.vectorStores.files.createAndPoll(store.id, { file_id: files[0]!.id }, { pollIntervalMs: 100 });
    const listed = await openai.vectorStores.files.list(store.id);
    expect(new Set(listed.data.map(({ id }) => id))).toEqual(new Set(files.map(({ id }) => id)));
    expect((await openai.vectorStores.retrieve(store.id)).file_counts).toMatchObject({ completed: 3, total: 3 });
  }, 60_000);

  it('say what is wrong with a file, which can be taken out again', async () => {
    const { store, files } = await stored([PNG, 'picture.png'], ['', 'empty.txt']);
    expect(files[0]).toMatchObject({
      status: 'failed',
      last_error: { code: 'unsupported_file', message: expect.stringContaining('PNG') },
    });
    expect(files[1]).toMatchObject({ status: 'failed', last_error: { code: 'invalid_file' } });
    const [picture] = files;
    const failed = await openai.vectorStores.files.list(store.id, { filter: 'failed' });
    expect(failed.data).toHaveLength(2);
    await expect(openai.vectorStores.files.content(picture!.id, { vector_store_id: store.id })).rejects.toMatchObject({
      status: 400,
    });
    await openai.vectorStores.files.delete(picture!.id, { vector_store_id: store.id });
    expect((await openai.vectorStores.retrieve(store.id)).file_counts).toMatchObject({ failed: 1, total: 1 });
  }, 60_000);

  it('take files in batches, each with its attributes, which filters and updates know', async () => {
    const store = await openai.vectorStores.create({ name: 'Batches' });
    const contents = ['The red pump runs at 1 bar.', 'The blue pump runs at 2 bar.', 'The green pump runs at 3 bar.'];
    const ids: string[] = [];
    for (const [i, content] of contents.entries()) ids.push((await uploaded(content, `${i}.txt`, 'user_data')).id);
    const created = await openai.vectorStores.fileBatches.create(store.id, {
      files: ids.map((file_id, i) => ({
        file_id,
        attributes: { year: 2020 + i, colour: ['red', 'blue', 'green'][i]!, sold: i > 0 },
      })),
    });
    expect(created).toMatchObject({
      object: 'vector_store.files_batch',
      vector_store_id: store.id,
      file_counts: { total: 3 },
    });
    const batch = await openai.vectorStores.fileBatches.poll(store.id, created.id, { pollIntervalMs: 100 });
    expect(batch).toMatchObject({ status: 'completed', file_counts: { completed: 3, total: 3, in_progress: 0 } });
    const listed = await openai.vectorStores.fileBatches.listFiles(batch.id, {
      vector_store_id: store.id,
      order: 'asc',
    });
    expect(listed.data.map(({ id }) => id)).toEqual(ids);
    // What has ended stays as it is.
    expect(await openai.vectorStores.fileBatches.cancel(batch.id, { vector_store_id: store.id })).toEqual(batch);

    const colours = async (filters: OpenAI.VectorStores.VectorStoreSearchParams['filters']) =>
      (await openai.vectorStores.search(store.id, { query: 'pump', filters })).data
        .map(({ attributes }) => attributes!['colour'])
        .sort();
    const is = (type: string, key: string, value: unknown) => ({ type, key, value }) as OpenAI.ComparisonFilter;
    expect(await colours(is('eq', 'colour', 'red'))).toEqual(['red']);
    expect(await colours(is('ne', 'colour', 'red'))).toEqual(['blue', 'green']);
    expect(await colours(is('gt', 'year', 2021))).toEqual(['green']);
    expect(await colours(is('gte', 'year', 2021))).toEqual(['blue', 'green']);
    expect(await colours(is('lt', 'year', 2021))).toEqual(['red']);
    expect(await colours(is('lte', 'year', '2021'))).toEqual([]);
    expect(await colours(is('eq', 'sold', true))).toEqual(['blue', 'green']);
    expect(await colours(is('in', 'year', [2020, 2022]))).toEqual(['green', 'red']);
    expect(await colours(is('nin', 'colour', ['red', 'blue']))).toEqual(['green']);
    expect(await colours(is('ne', 'missing', 1))).toEqual(['blue', 'green', 'red']);
    expect(
      await colours({
        type: 'and',
        filters: [is('eq', 'sold', true), { type: 'or', filters: [is('eq', 'year', 2020), is('eq', 'year', 2021)] }],
      }),
    ).toEqual(['blue']);
    expect(await colours(is('eq', "it's", '$1'))).toEqual([]);

    const change = { vector_store_id: store.id, attributes: { colour: 'black' } };
    expect(await openai.vectorStores.files.update(ids[0]!, change)).toMatchObject({ attributes: { colour: 'black' } });
    await openai.vectorStores.files.poll(store.id, ids[0]!, { pollIntervalMs: 100 });
    expect(await colours(is('eq', 'colour', 'black'))).toEqual(['black']);
    const all = await openai.vectorStores.search(store.id, { query: ['red', 'green pump'], max_num_results: 2 });
    expect(all.data).toHaveLength(2);
    const good = await openai.vectorStores.search(store.id, {
      query: 'red',
      ranking_options: { score_threshold: 0.99, ranker: 'auto' },
    });
    expect(good.data.every(({ score }) => score >= 0.99)).toBe(true);
    expect(good.data.length).toBeLessThan(3);
  }, 60_000);

  it('are changed, and listed page by page in both directions', async () => {
    const names = ['One', 'Two', 'Three'];
    const ids: string[] = [];
    for (const name of names) ids.push((await openai.vectorStores.create({ name })).id);
    const [newest] = (await openai.vectorStores.list({ limit: 1 })).data;
    expect(newest).toMatchObject({ id: ids[2], name: 'Three' });
    expect((await openai.vectorStores.list({ limit: 1, after: ids[2]! })).data.map(({ id }) => id)).toEqual([ids[1]]);
    const back = await openai.vectorStores.list({ limit: 1, before: ids[0]! });
    expect(back.data.map(({ id }) => id)).toEqual([ids[1]]);
    expect((await openai.vectorStores.list({ order: 'asc', after: ids[0]! })).data.map(({ id }) => id)).toEqual(
      ids.slice(1),
    );
    const all = [];
    for await (const { id } of openai.vectorStores.list({ limit: 2 })) all.push(id);
    expect(all.slice(0, 3)).toEqual(ids.toReversed());
    expect(new Set(all).size).toBe(all.length);
    // Two stores may be called the same; collections may not.
    const twin = await openai.vectorStores.create({ name: 'One', metadata: { a: 'b' } });
    expect(twin).toMatchObject({ name: 'One', graft: { collection: expect.stringMatching(/^One-/) } });
    expect(await openai.vectorStores.update(twin.id, { name: 'Four' })).toMatchObject({
      name: 'Four',
      metadata: { a: 'b' },
    });
    expect(await openai.vectorStores.update(twin.id, { metadata: { c: 'd' } })).toMatchObject({
      name: 'Four',
      metadata: { c: 'd' },
    });
  }, 60_000);

  it('lose a file that is deleted, with all that was made of it', async () => {
    const { store, files } = await stored([PUMP, 'orlo.md']);
    expect(await openai.files.delete(files[0]!.id)).toMatchObject({ deleted: true });
    expect((await openai.vectorStores.files.list(store.id)).data).toEqual([]);
    expect((await openai.vectorStores.search(store.id, { query: 'pump' })).data).toEqual([]);
  }, 60_000);

  it('lose nothing of a file that stays, and say what needs it', async () => {
    const { store, files } = await stored(['text,label\nthe lamp is dark,light\nsend it back,return\n', 'rows.csv']);
    const [file] = files as [(typeof files)[0]];
    const stays = async (reason: RegExp) => {
      await expect(openai.files.delete(file.id)).rejects.toMatchObject({
        status: 409,
        message: expect.stringMatching(reason),
      });
      expect((await openai.vectorStores.files.list(store.id)).data).toMatchObject([{ status: 'completed' }]);
      expect((await openai.vectorStores.search(store.id, { query: 'lamp' })).data).toHaveLength(1);
    };
    const other = await openai.vectorStores.create({});
    await openai.vectorStores.files.createAndPoll(other.id, { file_id: file.id }, { pollIntervalMs: 100 });
    await reopen(other);
    await stays(/ingestion/);
    await end(other);
    const fileId = toGlobalId('File', file.id.slice('file-'.length));
    const { graft: named } = store as unknown as { graft: { collection: string } };
    const documents = [{ name: 'own.txt', file: fileId }];
    await graphql.request(IngestDocumentsDocument, {
      input: { collection: named.collection, documents, idempotencyKey: 'own' },
    });
    await eventually('the document', async () => (await openai.vectorStores.files.list(store.id)).data.length === 2);
    await expect(openai.files.delete(file.id)).rejects.toMatchObject({ status: 409 });
    const [own] = (await openai.vectorStores.files.list(store.id, { limit: 1 })).data;
    await openai.vectorStores.files.delete(own!.id, { vector_store_id: store.id });
    await graphql.request(CreateDatasetDocument, { input: { name: 'lamps', task: 'CLASSIFICATION' } });
    await graphql.request(AddDatasetVersionDocument, {
      input: { dataset: 'lamps', files: [{ file: fileId }], idempotencyKey: 'lamps' },
    });
    await eventually('the rows', async () => {
      const { rowCount } = await database.pool.query('SELECT 1 FROM dataset_version');
      return rowCount === 1;
    });
    await stays(/dataset lamps/);
  }, 60_000);

  it('keep what a running batch holds until it ends', async () => {
    const store = await openai.vectorStores.create({});
    const ids = [(await uploaded(PUMP, 'orlo.md')).id, (await uploaded(PNG, 'picture.png')).id];
    await openai.vectorStores.fileBatches.createAndPoll(store.id, { file_ids: ids }, { pollIntervalMs: 100 });
    await reopen(store);
    const statuses = async () => (await openai.vectorStores.files.list(store.id)).data.map(({ status }) => status);
    expect(await statuses()).toEqual(['failed', 'completed']);
    for (const id of ids)
      await expect(openai.vectorStores.files.delete(id, { vector_store_id: store.id })).rejects.toMatchObject({
        status: 409,
      });
    expect(await statuses()).toEqual(['failed', 'completed']);
    await end(store);
    for (const id of ids) await openai.vectorStores.files.delete(id, { vector_store_id: store.id });
    expect(await statuses()).toEqual([]);
  }, 60_000);

  it('take no document for a file’s that only says so', async () => {
    const { store, files } = await stored([PUMP, 'orlo.md']);
    const [file] = files as [(typeof files)[0]];
    const collection = (await openai.vectorStores.create({ name: 'forged' })).id;
    const metadata = { 'graft.file': file.id, maker: 'Vela' };
    const prefix = file.id.slice(-12);
    await graphql.request(IngestDocumentsDocument, {
      input: {
        collection: 'forged',
        documents: [
          { name: 'vela.md', text: 'The Vela valve opens at 5 bar.', metadata },
          { name: `${prefix}/b.md`, text: 'The Vela valve is made of brass.', metadata },
        ],
        idempotencyKey: 'forged',
      },
    });
    const listed = await eventually('the documents', async () => {
      const { data } = await openai.vectorStores.files.list(collection);
      return data.length === 2 && data.every(({ status }) => status === 'completed') && data;
    });
    expect(listed.filter(({ id }) => id === file.id)).toHaveLength(1);
    const found = (await openai.vectorStores.search(collection, { query: 'Vela opens at 5 bar' })).data;
    expect(found).toContainEqual(
      expect.objectContaining({ filename: 'vela.md', file_id: expect.not.stringContaining(file.id) }),
    );
    expect(await openai.files.delete(file.id)).toMatchObject({ deleted: true });
    expect((await openai.vectorStores.files.list(store.id)).data).toEqual([]);
    expect((await openai.vectorStores.files.list(collection)).data).toHaveLength(2);
  }, 60_000);

  it('list on behind a file that was taken out meanwhile', async () => {
    const { store, files } = await stored([PUMP, 'a.md'], ['It weighs 12 kg.', 'b.md'], ['It is red.', 'c.md']);
    const left: string[] = [];
    for await (const { id } of openai.vectorStores.files.list(store.id, { limit: 1 })) {
      left.push(id);
      await openai.vectorStores.files.delete(id, { vector_store_id: store.id });
    }
    expect(left).toEqual(files.map(({ id }) => id).toReversed());
    const { id: never } = await uploaded(PUMP, 'never.md');
    expect((await ask(`vector_stores/${store.id}/files?after=${never}`, 'GET')).status).toBe(404);
  }, 60_000);

  it('list files by their purpose, and train on no document', async () => {
    const document = await uploaded(PUMP, 'orlo.md', 'user_data');
    const purposes = async (purpose?: string) =>
      (await openai.files.list({ limit: 100, ...(purpose && { purpose }) })).data.map((file) => file.purpose);
    expect(new Set(await purposes('user_data'))).toEqual(new Set(['user_data']));
    expect(new Set(await purposes())).toEqual(new Set(['assistants', 'user_data']));
    expect(await purposes('fine-tune')).toEqual([]);
    const job = openai.fineTuning.jobs.create({ model: 'graft', training_file: document.id });
    await expect(job).rejects.toMatchObject({ status: 400, param: 'training_file' });
    const rows = await openai.files.create({ file: await toFile(Buffer.from('{}'), 'a.jsonl'), purpose: 'fine-tune' });
    const { id } = await openai.vectorStores.create({});
    await expect(openai.vectorStores.files.create(id, { file_id: rows.id })).rejects.toMatchObject({
      status: 400,
      param: 'file_id',
    });
  });

  it('refuse by name what is not honoured, and begin nothing', async () => {
    const { store } = await stored([PUMP, 'orlo.md']);
    const stores = (await openai.vectorStores.list({ limit: 100 })).data.length;
    const refused = async (path: string, body: unknown, param: string) => {
      const response = await ask(path, 'POST', body);
      const { error } = (await response.json()) as { error: { param: string; type: string } };
      const sent = `${path} ${JSON.stringify(body).slice(0, 200)}`;
      expect([sent, response.status, error.type, error.param]).toEqual([sent, 400, 'invalid_request_error', param]);
    };
    const static_ = { type: 'static', static: { max_chunk_size_tokens: 100, chunk_overlap_tokens: 10 } };
    const inner = `vector_stores/${store.id}`;
    await refused('vector_stores', { expires_after: { anchor: 'last_active_at', days: 1 } }, 'expires_after');
    await refused('vector_stores', { chunking_strategy: static_ }, 'chunking_strategy');
    await refused('vector_stores', { metadata: { a: 1 } }, 'metadata.a');
    await refused('vector_stores', { metadata: { a: '\0' } }, 'metadata.a');
    await refused('vector_stores', { name: 'x'.repeat(300) }, 'name');
    await refused('vector_stores', { file_ids: [] }, 'file_ids');
    await refused('vector_stores', { colour: 'red' }, 'colour');
    await refused(inner, { expires_after: { anchor: 'last_active_at', days: 1 } }, 'expires_after');
    await refused(`${inner}/files`, { file_id: 'file-1', chunking_strategy: static_ }, 'chunking_strategy');
    await refused(`${inner}/files`, { file_id: 'file-1', attributes: { a: null } }, 'attributes.a');
    await refused(`${inner}/files`, { file_id: 'file-1', attributes: { 'graft.file': 'x' } }, 'attributes');
    await refused(`${inner}/file_batches`, { file_ids: 'file-1' }, 'file_ids');
    await refused(`${inner}/file_batches`, { files: [{ file_id: 'a' }], attributes: {} }, 'files');
    await refused(
      `${inner}/file_batches`,
      { file_ids: Array.from({ length: 101 }, (_, i) => `file-${i}`) },
      'file_ids',
    );
    await refused(`${inner}/search`, { query: '' }, 'query');
    await refused(`${inner}/search`, { query: [] }, 'query');
    await refused(`${inner}/search`, { query: 'x', max_num_results: 51 }, 'max_num_results');
    await refused(`${inner}/search`, { query: 'x', rewrite_query: true }, 'rewrite_query');
    await refused(
      `${inner}/search`,
      { query: 'x', ranking_options: { ranker: 'default-2024-11-15' } },
      'ranking_options.ranker',
    );
    await refused(`${inner}/search`, { query: 'x', filters: { type: 'like', key: 'a', value: 'b' } }, 'filters.type');
    await refused(`${inner}/search`, { query: 'x', filters: { type: 'in', key: 'a', value: 'b' } }, 'filters.value');
    await refused(
      `${inner}/search`,
      { query: 'x', filters: { type: 'eq', key: 'a', value: '\ud800' } },
      'filters.value',
    );
    let deep: object = { type: 'eq', key: 'a', value: 'b' };
    for (let i = 0; i < 10; i += 1) deep = { type: 'and', filters: [deep] };
    await refused(`${inner}/search`, { query: 'x', filters: deep }, 'filters');
    for (const query of ['limit=0', 'order=up', 'colour=red', 'filter=done'])
      expect([query, (await ask(`${inner}/files?${query}`, 'GET')).status]).toEqual([query, 400]);
    for (const path of [
      'vector_stores/vs_1',
      `${inner}/files/file-1`,
      `${inner}/files/%00/content`,
      `${inner}/file_batches/vsfb_1`,
      `${inner}/files?after=file-1`,
      'vector_stores?after=vs_1',
    ])
      expect([path, (await ask(path, 'GET')).status]).toEqual([path, 404]);
    await expect(openai.vectorStores.create({ file_ids: ['file-1'] })).rejects.toMatchObject({ status: 404 });
    expect((await openai.vectorStores.list({ limit: 100 })).data).toHaveLength(stores);
    expect((await openai.vectorStores.retrieve(store.id)).file_counts.total).toBe(1);
  }, 60_000);

  it('answer what is malformed, huge or deep with a refusal, and never with a failure of the gateway', async () => {
    const { store, files } = await stored([PUMP, 'orlo.md']);
    const inner = `vector_stores/${store.id}`;
    const file = files[0]!.id;
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const deepFilter = `${'{"type":"and","filters":['.repeat(5_000)}${']}'.repeat(5_000)}`;
    const bodies = [
      ...['metadata', 'chunking_strategy', 'expires_after', 'filters', 'attributes', 'files', 'query', 'other'].map(
        (name) => `{"query":"x","file_id":"${file}","${name}":${deep}}`,
      ),
      deep,
      `{"query":"x","filters":${deepFilter}}`,
      '{"name":"\\u0000"}',
      '{"description":"\\ud800"}',
      JSON.stringify({ description: 'x'.repeat(500_000) }),
      JSON.stringify({ query: 'x'.repeat(500_000) }),
      JSON.stringify({ query: 'x', filters: { type: 'eq', key: 'k'.repeat(100_000), value: 1e308 } }),
      '{"query":"x","filters":{"type":"eq","key":"a","value":1e999}}',
      '{"query":"x","ranking_options":{"score_threshold":-1e308}}',
      `{"file_id":"${file}","attributes":{"a":1e308}}`,
      '{"__proto__":{}}',
      '{',
      'null',
      '1',
    ];
    for (const path of ['', '/files', '/file_batches', '/search', `/files/${file}`].map((end) => `${inner}${end}`))
      for (const body of bodies) {
        const headers = { 'content-type': 'application/json' };
        const { status } = await fetch(`${graft.url}/v1/${path}`, { method: 'POST', headers, body });
        const sent = `${path} ${body.slice(0, 80)}`;
        expect([sent, status < 500]).toEqual([sent, true]);
      }
    for (const path of [
      store.id.toUpperCase().replace('VS_', 'vs_'),
      `${store.id}/files/${file.toUpperCase().replace('FILE', 'file')}`,
      `${store.id}/files?after=%00`,
      `${store.id}/files?limit=1&limit=2`,
      `${store.id}/file_batches/vsfb_${store.id.slice(3)}`,
    ])
      expect([path, (await ask(`vector_stores/${path}`, 'GET')).status]).toEqual([
        path,
        path.includes('limit') ? 400 : 404,
      ]);
    expect((await ask('files?purpose=%00', 'GET')).status).toBe(400);
    const key = { 'content-type': 'application/json', 'idempotency-key': 'x'.repeat(5_000) };
    const keyed = { method: 'POST', headers: key, body: JSON.stringify({ file_id: file }) };
    expect((await fetch(`${graft.url}/v1/${inner}/files`, keyed)).status).toBe(400);
  }, 60_000);

  describe('with keys', () => {
    const keyOf = async (role: 'ASK' | 'EDIT', more: { workspaceId?: string; groups?: string[] } = {}) => {
      const { createApiKey } = await graphql.request(CreateApiKeyDocument, {
        input: { name: `${role} key`, role, ...more },
      });
      return createApiKey;
    };

    it('hide what a label hides: in lists, counts, contents, search, and from who would delete it', async () => {
      const { store, files } = await stored([PUMP, 'orlo.md'], ['The Vela valve opens at 5 bar.', 'vela.md']);
      const [secret, open] = files as [(typeof files)[0], (typeof files)[0]];
      const { graft: named } = store as unknown as { graft: { collection: string } };
      await graphql.request(SetDocumentAccessDocument, {
        input: { collection: named.collection, names: [`${secret.id.slice(-12)}/orlo.md`], access: ['engineers'] },
      });
      const outsider = clientOf((await keyOf('EDIT', { groups: ['sales'] })).token);
      const insider = clientOf((await keyOf('EDIT', { groups: ['engineers'] })).token);
      const asked = { vector_store_id: store.id };
      expect((await insider.vectorStores.files.list(store.id)).data).toHaveLength(2);
      expect((await outsider.vectorStores.files.list(store.id)).data.map(({ id }) => id)).toEqual([open.id]);
      expect((await outsider.vectorStores.retrieve(store.id)).file_counts.total).toBe(1);
      for (const call of ['retrieve', 'content', 'delete'] as const)
        await expect(outsider.vectorStores.files[call](secret.id, asked)).rejects.toMatchObject({ status: 404 });
      await expect(outsider.vectorStores.files.update(secret.id, { ...asked, attributes: {} })).rejects.toMatchObject({
        status: 404,
      });
      await expect(outsider.vectorStores.files.create(store.id, { file_id: secret.id })).rejects.toMatchObject({
        status: 404,
      });
      const found = await outsider.vectorStores.search(store.id, { query: 'Orlo pump 37 bar' });
      expect(found.data.map((each) => each.file_id)).toEqual([open.id]);
      await expect(outsider.vectorStores.delete(store.id)).rejects.toMatchObject({ status: 403 });
      // Nor is the file that the document was made of.
      for (const call of ['retrieve', 'content', 'delete'] as const)
        await expect(outsider.files[call](secret.id)).rejects.toMatchObject({ status: 404 });
      const idsOf = async (client: OpenAI) =>
        (await client.files.list({ limit: 2, order: 'desc' })).data.map(({ id }) => id);
      expect(await idsOf(insider)).toEqual([open.id, secret.id]);
      expect(await idsOf(outsider)).not.toContain(secret.id);
      expect(await idsOf(outsider)).toHaveLength(2);
      await expect(outsider.vectorStores.create({ file_ids: [secret.id] })).rejects.toMatchObject({ status: 404 });
      expect((await insider.vectorStores.search(store.id, { query: 'Orlo pump' })).data[0]!.file_id).toBe(secret.id);
    }, 60_000);

    it('know nothing of another workspace, let nobody change what he may only ask, and are written down', async () => {
      const { store, files } = await stored([PUMP, 'orlo.md']);
      const batch = await openai.vectorStores.fileBatches.createAndPoll(
        store.id,
        { file_ids: [files[0]!.id] },
        { pollIntervalMs: 100 },
      );
      const { createWorkspace } = await graphql.request(CreateWorkspaceDocument, { input: { name: 'others' } });
      const foreign = (await keyOf('EDIT', { workspaceId: createWorkspace.workspace.id })).token;
      const asking = (await keyOf('ASK')).token;
      const own = clientOf(foreign);
      const theirs = await own.vectorStores.create({ name: 'theirs' });
      const inner = `vector_stores/${store.id}`;
      const file = files[0]!.id;
      const calls: [string, string, unknown?][] = [
        [inner, 'GET'],
        [inner, 'POST', {}],
        [`${inner}/search`, 'POST', { query: 'pump' }],
        [`${inner}/files`, 'GET'],
        [`${inner}/files`, 'POST', { file_id: file }],
        [`${inner}/files/${file}`, 'GET'],
        [`${inner}/files/${file}`, 'POST', { attributes: {} }],
        [`${inner}/files/${file}/content`, 'GET'],
        [`${inner}/files/${file}`, 'DELETE'],
        [`${inner}/file_batches`, 'POST', { file_ids: [file] }],
        [`${inner}/file_batches/${batch.id}`, 'GET'],
        [`${inner}/file_batches/${batch.id}/cancel`, 'POST', {}],
        [`${inner}/file_batches/${batch.id}/files`, 'GET'],
        [inner, 'DELETE'],
        ['vector_stores', 'POST', { file_ids: [file] }],
        [`vector_stores/${theirs.id}/files`, 'POST', { file_id: file }],
        [`vector_stores/${theirs.id}/file_batches/${batch.id}`, 'GET'],
        [`files/${file}`, 'DELETE'],
      ];
      for (const [path, method, body] of calls)
        expect([path, method, (await ask(path, method, body, foreign)).status]).toEqual([path, method, 404]);
      expect((await own.vectorStores.list()).data.map(({ id }) => id)).toEqual([theirs.id]);
      for (const [path, method, body] of [...calls, ['vector_stores', 'GET'] as const]) {
        const { status } = await ask(path, method, body, asking);
        expect([path, method, status]).toEqual([path, method, path === `${inner}/search` ? 200 : 403]);
      }
      expect(await openai.vectorStores.files.retrieve(file, { vector_store_id: store.id })).toMatchObject({
        status: 'completed',
      });
      const { auditLog } = await graphql.request(AuditLogDocument, { first: 100 });
      const noted = auditLog.edges.map(({ node }) => node.what);
      expect(noted).toEqual(
        expect.arrayContaining(['POST /v1/vector_stores', 'POST /v1/vector_stores/:store/file_batches']),
      );
    }, 60_000);

    it('spend a budget’s searches, each query its own', async () => {
      const { store } = await stored([PUMP, 'orlo.md']);
      const key = await keyOf('ASK');
      await graphql.request(SetBudgetDocument, { input: { keyId: key.key.id, window: 'DAY', requests: 3 } });
      const client = clientOf(key.token);
      expect((await client.vectorStores.search(store.id, { query: ['pump', 'bar'] })).data).toHaveLength(1);
      await client.vectorStores.search(store.id, { query: 'pump' });
      await expect(client.vectorStores.search(store.id, { query: 'pump' })).rejects.toMatchObject({
        status: 429,
        code: 'insufficient_quota',
      });
    }, 60_000);

    it('refuse filters that let through too many documents, and resolve none without a budget', async () => {
      const { store } = await stored([PUMP, 'orlo.md']);
      await database.pool.query(
        `INSERT INTO document (id, workspace_id, collection_id, name, live_name, media_type, sha256, bytes, title, text)
         SELECT gen_random_uuid(), workspace_id, id, 'd' || i, 'd' || i, 'text/plain', '', 0, '', ''
           FROM collection, generate_series(1, 10000) AS i WHERE id = $1`,
        [store.id.slice('vs_'.length)],
      );
      const key = await keyOf('ASK');
      const client = clientOf(key.token);
      const search = client.vectorStores.search.bind(client.vectorStores, store.id);
      const filters = { type: 'ne' as const, key: 'year', value: 2020 };
      await expect(search({ query: 'pump', filters })).rejects.toMatchObject({
        status: 400,
        param: 'filters',
        message: expect.stringContaining('Narrow them'),
      });
      await graphql.request(SetBudgetDocument, { input: { keyId: key.key.id, window: 'DAY', requests: 1 } });
      await search({ query: 'pump' });
      await expect(search({ query: 'pump', filters })).rejects.toMatchObject({ status: 429 });
    }, 60_000);
  });
});
