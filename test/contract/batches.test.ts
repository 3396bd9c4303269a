import OpenAI, { toFile } from 'openai';
import { GraftClient } from '../../src/client/graft-client.js';
import {
  AuditLogDocument,
  CreateApiKeyDocument,
  CreateWorkspaceDocument,
  PauseRunDocument,
  ResumeRunDocument,
  SetDocumentAccessDocument,
} from '../../src/client/operations/index.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { Python } from '../support/python.js';
import { itWhen } from '../support/skip.js';
import { serveTinyModel } from '../support/tiny-served.js';

const python = await Python.with(['openai==1.109.1']);

type Batch = OpenAI.Batches.Batch;
interface Result {
  id: string;
  custom_id: string;
  response: { status_code: number; body: Record<string, unknown> } | null;
  error: { code: string } | null;
}

const CHAT = '/v1/chat/completions';
const EMBEDDINGS = '/v1/embeddings';
const chatLine = (custom_id: string, body: object = {}) => ({
  custom_id,
  method: 'POST',
  url: CHAT,
  body: { model: 'tiny', messages: [{ role: 'user', content: `Say ${custom_id}.` }], max_tokens: 4, ...body },
});
const embeddingLine = (custom_id: string) => ({
  custom_id,
  method: 'POST',
  url: EMBEDDINGS,
  body: { model: 'graft', input: custom_id },
});
const isOver = ({ status }: Batch): boolean => ['completed', 'failed', 'expired', 'cancelled'].includes(status);

describe('a batch', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let database: TestDatabase;
  let graft: GraftProgram;
  let openai: OpenAI;
  let graphql: GraftClient;

  const clientOf = (apiKey: string) => new OpenAI({ baseURL: `${graft.url}/v1`, apiKey, maxRetries: 0 });
  const start = async (): Promise<void> => {
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn', DATABASE_URL: database.url }).started;
    openai = clientOf('none');
    graphql = new GraftClient(graft.url);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    graphql.close();
    graft.child.kill(signal);
    await graft.ended;
  };
  const fileOf = async (lines: readonly (object | string)[], purpose: 'batch' | 'fine-tune' = 'batch') => {
    const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
    return (await openai.files.create({ file: await toFile(Buffer.from(text), 'requests.jsonl'), purpose })).id;
  };
  const begun = async (lines: readonly (object | string)[], endpoint: typeof CHAT | typeof EMBEDDINGS = CHAT) =>
    openai.batches.create({ input_file_id: await fileOf(lines), endpoint, completion_window: '24h' });
  const ended = ({ id }: Pick<Batch, 'id'>): Promise<Batch> =>
    eventually(
      'the end of the batch',
      async () => {
        const batch = await openai.batches.retrieve(id);
        return isOver(batch) && batch;
      },
      60_000,
    );
  const resultsIn = async (file: string | null | undefined): Promise<Result[]> => {
    if (!file) return [];
    const text = await (await openai.files.content(file)).text();
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Result);
  };
  const count = async (sql: string): Promise<number> =>
    (await database.pool.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${sql}`)).rows[0]!.count;
  const answersTo = (prefix: string) => count(`answer WHERE question LIKE 'Say ${prefix}%'`);

  beforeAll(async () => {
    [home, database] = await Promise.all([temporaryHome(), testDatabase()]);
    await start();
    await serveTinyModel(graphql, openai, home.path);
  }, 300_000);
  afterAll(async () => {
    await end('SIGTERM');
    await database.dispose();
    await home.remove();
  });

  it('answers each request by itself, and tells in a file of their own which could not be', async () => {
    const batch = await openai.batches.create({
      input_file_id: await fileOf([
        chatLine('one', { n: 2, seed: 7 }),
        '',
        chatLine('streamed', { stream: true }),
        chatLine('unknown', { model: 'nobody' }),
        chatLine('two'),
      ]),
      endpoint: CHAT,
      completion_window: '24h',
      metadata: { of: 'this test' },
    });
    expect(batch).toMatchObject({ object: 'batch', endpoint: CHAT, metadata: { of: 'this test' }, errors: null });
    expect(batch.expires_at! - batch.created_at).toBe(24 * 3600);
    const done = await ended(batch);
    expect(done).toMatchObject({ status: 'completed', request_counts: { total: 4, completed: 2, failed: 2 } });
    expect(done.completed_at).toBeGreaterThanOrEqual(done.created_at);
    const results = await resultsIn(done.output_file_id);
    expect(results.map(({ custom_id: id, response }) => [id, response!.status_code])).toEqual([
      ['one', 200],
      ['two', 200],
    ]);
    expect(results[0]!.response!.body).toMatchObject({ object: 'chat.completion', model: 'tiny' });
    expect(results[0]!.response!.body['choices']).toHaveLength(2);
    const errors = await resultsIn(done.error_file_id);
    expect(errors).toMatchObject([
      { custom_id: 'streamed', response: { status_code: 400, body: { error: { param: 'stream' } } } },
      { custom_id: 'unknown', response: { status_code: 404, body: { error: { code: 'model_not_found' } } } },
    ]);
    expect(new Set([...results, ...errors].map(({ id }) => id)).size).toBe(4);
    expect(await openai.files.retrieve(done.output_file_id!)).toMatchObject({ purpose: 'batch_output' });
    expect((await openai.batches.list({ limit: 1 })).data).toEqual([done]);
    expect(await count('batch_line')).toBe(0);
  });

  it('turns texts into vectors', async () => {
    const done = await ended(await begun([embeddingLine('rope'), embeddingLine('sail')], EMBEDDINGS));
    const [rope] = await resultsIn(done.output_file_id);
    const { data } = await openai.embeddings.create({ model: 'graft', input: 'rope', encoding_format: 'float' });
    expect(rope!.response!.body).toMatchObject({ object: 'list' });
    const [made] = rope!.response!.body['data'] as { embedding: number[] }[];
    expect(made!.embedding).toHaveLength(data[0]!.embedding.length);
    expect(done.error_file_id).toBeNull();
  });

  it('asks nothing where the file has a fault, and says in which line', async () => {
    const faulty = [
      chatLine('faulty 1'),
      '{"custom_id": ',
      chatLine('faulty 1'),
      embeddingLine('faulty 2'),
      { ...chatLine('faulty 3'), method: 'GET' },
      { ...chatLine('faulty 4'), body: 'none' },
      '['.repeat(10_000),
    ];
    const done = await ended(await begun(faulty));
    expect(done.status).toBe('failed');
    expect(done.errors!.data!.map(({ line, code }) => [line, code])).toEqual([
      [2, 'invalid_json_line'],
      [3, 'duplicate_custom_id'],
      ...[4, 5, 6, 7].map((line) => [line, 'invalid_json_line']),
    ]);
    expect(await ended(await begun([' ']))).toMatchObject({ errors: { data: [{ code: 'empty_file', line: null }] } });
    expect(await answersTo('faulty')).toBe(0);
    expect(await count('batch_line')).toBe(0);
  });

  it('is refused by the name of what is wrong with it', async () => {
    const [requests, rows] = [await fileOf([chatLine('refused')]), await fileOf([{ messages: [] }], 'fine-tune')];
    const asked = { input_file_id: requests, endpoint: CHAT, completion_window: '24h' } as const;
    for (const [body, status, param] of [
      [{ ...asked, input_file_id: rows }, 400, 'input_file_id'],
      [{ ...asked, input_file_id: 'file-none' }, 404, 'input_file_id'],
      [{ ...asked, endpoint: '/v1/responses' }, 400, 'endpoint'],
      [{ ...asked, completion_window: '1h' }, 400, 'completion_window'],
      [{ ...asked, output_expires_after: { anchor: 'created_at', seconds: 3600 } }, 400, 'output_expires_after'],
    ] as const)
      await expect(openai.batches.create(body as never)).rejects.toMatchObject({ status, param });
    await expect(openai.batches.retrieve('batch_none')).rejects.toMatchObject({ status: 404 });
  });

  it('goes on where it was after a kill -9, and asks nothing twice', async () => {
    const ids = Array.from({ length: 60 }, (_, i) => `killed ${i}`);
    const batch = await begun(ids.map((id) => chatLine(id, { max_tokens: 16 })));
    await eventually('some answers', async () => (await answersTo('killed')) > 3, 60_000);
    await end('SIGKILL');
    expect(await answersTo('killed')).toBeLessThan(ids.length);
    // As after the seconds that a gateway may be silent.
    for (const table of ['run', 'answer'])
      await database.pool.query(`UPDATE ${table} SET lease_until = now() WHERE status = 'RUNNING'`);
    await start();
    const done = await ended(batch);
    expect(done.request_counts).toEqual({ total: ids.length, completed: ids.length, failed: 0 });
    expect((await resultsIn(done.output_file_id)).map(({ custom_id: id }) => id)).toEqual(ids);
    expect(await answersTo('killed')).toBe(ids.length);
  }, 120_000);

  it('keeps what was answered when it is cancelled', async () => {
    const batch = await begun(Array.from({ length: 300 }, (_, i) => chatLine(`cancelled ${i}`, { max_tokens: 16 })));
    await eventually(
      'some answers',
      async () => (await openai.batches.retrieve(batch.id)).request_counts!.completed > 3,
    );
    expect(['cancelling', 'cancelled']).toContain((await openai.batches.cancel(batch.id)).status);
    const done = await ended(batch);
    expect(done).toMatchObject({ status: 'cancelled', error_file_id: null });
    const results = await resultsIn(done.output_file_id);
    expect(results.length).toBeGreaterThan(3);
    expect(results.length).toBeLessThan(300);
    expect(done.request_counts!.completed).toBe(results.length);
    await expect(openai.batches.cancel(batch.id)).resolves.toMatchObject({ status: 'cancelled' });
  }, 60_000);

  it('gives up after a day, and says of each request that it was not answered', async () => {
    const batch = await begun(Array.from({ length: 300 }, (_, i) => chatLine(`late ${i}`, { max_tokens: 16 })));
    await eventually(
      'some answers',
      async () => (await openai.batches.retrieve(batch.id)).request_counts!.completed > 3,
    );
    const runId = (batch as unknown as { graft: { run: string } }).graft.run;
    await graphql.request(PauseRunDocument, { input: { id: runId } });
    const isPaused = async () => (await count(`run WHERE kind = 'BATCH' AND status = 'PAUSED'`)) === 1;
    await eventually('the pause', isPaused);
    await database.pool.query(`UPDATE run SET created_at = created_at - interval '1 day' WHERE status = 'PAUSED'`);
    await graphql.request(ResumeRunDocument, { input: { id: runId } });
    const done = await ended(batch);
    const [results, errors] = [await resultsIn(done.output_file_id), await resultsIn(done.error_file_id)];
    expect(done).toMatchObject({
      status: 'expired',
      request_counts: { total: 300, completed: results.length, failed: errors.length },
    });
    expect(results.length + errors.length).toBe(300);
    expect(new Set(errors.map(({ error }) => error?.code))).toEqual(new Set(['batch_expired']));
  }, 60_000);

  it('is known to nobody else, needs the right to edit, and is written down', async () => {
    const keyOf = async (role: 'ASK' | 'EDIT', workspaceId?: string) => {
      const input = { name: `${role} key`, role, ...(workspaceId && { workspaceId }) };
      return (await graphql.request(CreateApiKeyDocument, { input })).createApiKey.token;
    };
    const batch = await begun([chatLine('watched')]);
    const done = await ended(batch);
    const { createWorkspace } = await graphql.request(CreateWorkspaceDocument, { input: { name: 'others' } });
    const stranger = clientOf(await keyOf('EDIT', createWorkspace.workspace.id));
    const asker = clientOf(await keyOf('ASK'));
    const asked = { input_file_id: batch.input_file_id, endpoint: CHAT, completion_window: '24h' } as const;
    for (const [client, status] of [
      [stranger, 404],
      [asker, 403],
    ] as const)
      for (const call of [
        () => client.batches.create(asked),
        () => client.batches.retrieve(batch.id),
        () => client.batches.cancel(batch.id),
        () => client.files.content(done.output_file_id!),
      ])
        await expect(call()).rejects.toMatchObject({ status });
    expect((await stranger.batches.list()).data).toEqual([]);
    const { auditLog } = await graphql.request(AuditLogDocument, { first: 20 });
    expect(auditLog.edges.map(({ node }) => node.what)).toContain('POST /v1/batches');
  });

  it('reads only what everybody may read', async () => {
    const store = await openai.vectorStores.create({ name: 'pumps' });
    const { collection } = (store as unknown as { graft: { collection: string } }).graft;
    const added = async (text: string, name: string): Promise<string> => {
      const file = await toFile(Buffer.from(text), name);
      const { id } = await openai.files.create({ file, purpose: 'assistants' });
      await openai.vectorStores.files.createAndPoll(store.id, { file_id: id }, { pollIntervalMs: 100 });
      return `${id.slice(-12)}/${name}`;
    };
    const secret = await added('The Orlo pump runs at 37 bar.', 'orlo.md');
    await added('The Vela valve opens at 5 bar.', 'vela.md');
    const lines = ['At how many bar does the Orlo pump run?', 'At how many bar does the Vela valve open?'].map(
      (content) => chatLine(content, { model: `graft/${collection}`, messages: [{ role: 'user', content }] }),
    );
    const answers = async (): Promise<string> => {
      const done = await ended(await begun(lines));
      expect(done.request_counts).toEqual({ total: 2, completed: 2, failed: 0 });
      return JSON.stringify(await resultsIn(done.output_file_id));
    };
    const open = await answers();
    expect(open).toContain('37 bar');
    expect(open).toContain('5 bar');
    await graphql.request(SetDocumentAccessDocument, {
      input: { collection, names: [secret], access: ['engineers'] },
    });
    const labelled = await answers();
    expect(labelled).not.toContain('37 bar');
    expect(labelled).toContain('5 bar');
  }, 60_000);

  itWhen(python instanceof Python, typeof python === 'string' ? python : '')(
    'is sent and read by the Python client as it comes',
    async () => {
      const script = `
import io, json, sys, time, openai
given = json.load(sys.stdin)
client = openai.OpenAI(base_url=given['url'], api_key='none', max_retries=0)
file = client.files.create(file=('requests.jsonl', io.BytesIO(given['lines'].encode())), purpose='batch')
batch = client.batches.create(input_file_id=file.id, endpoint='/v1/chat/completions', completion_window='24h')
while batch.status not in ('completed', 'failed', 'expired', 'cancelled'):
    time.sleep(0.1)
    batch = client.batches.retrieve(batch.id)
lines = client.files.content(batch.output_file_id).text.strip().split('\\n')
print(json.dumps([batch.status, batch.request_counts.completed, [json.loads(line)['custom_id'] for line in lines]]))`;
      const lines = [chatLine('a'), chatLine('b')].map((line) => JSON.stringify(line)).join('\n');
      const answer = await (python as Python).ask(script, { url: `${graft.url}/v1`, lines });
      expect(answer).toEqual(['completed', 2, ['a', 'b']]);
    },
    60_000,
  );
});
