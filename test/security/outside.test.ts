import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import pg from 'pg';
import { WebSocket } from 'ws';
import { GraftClient as Client, GraftClientError as ClientError } from '../../src/client/graft-client.js';
import { toGlobalId } from '../../src/kit/graphql/index.js';
import { newId } from '../../src/kernel/ids.js';
import { packageRoot } from '../../src/platform/package-root.js';
import { eventually } from '../support/eventually.js';
import { processesMentioning } from '../support/gateway-process.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { itWhen } from '../support/skip.js';

const QUESTION = 'At what pressure does the Orlo pump run?';
const STREAM = `subscription ($question: String!) {
  askStream(input: { question: $question, strategy: BASE, generation: { maxTokens: 500 } }) { __typename } }`;

/** Rows of this workspace as another one's: nobody else's can come into being while there is one caller. */
async function giveAway(url: string, tables: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const other = newId();
    await client.query('INSERT INTO workspace (id, name) VALUES ($1, $2)', [other, 'other']);
    // A table’s foreign keys may hold the workspace too; all of them move in one transaction.
    await client.query('BEGIN; SET LOCAL session_replication_role = replica');
    for (const table of tables) await client.query(`UPDATE ${table} SET workspace_id = $1`, [other]);
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
}

describe('the whole product from outside', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let graft: GraftProgram;
  let client: Client;

  beforeAll(async () => {
    home = await temporaryHome();
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn' }).started;
    client = new Client(graft.url);
  }, 240_000);
  afterAll(async () => {
    client.close();
    graft.child.kill('SIGKILL');
    await graft.ended;
    await home.remove();
  });

  const outcome = (source: string, variables: object) =>
    client.request(source, variables as Record<string, unknown>).catch((error: unknown) => {
      if (error instanceof ClientError) return `${error.code}: ${error.message}`;
      throw error;
    });
  const firstEvent = async (source: string, variables: Record<string, unknown>) => {
    try {
      for await (const event of client.subscribe(source, variables)) return event;
      return 'ended';
    } catch (error) {
      if (error instanceof ClientError) return `${error.code}: ${error.message}`;
      throw error;
    }
  };
  const child = () => graft.child.pid!;
  const descriptors = () => readdirSync(`/proc/${child()}/fd`).length;
  const residentMiB = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child()}/status`, 'utf8'))![1]) / 1024;

  it('an id of another workspace reads like one that never was, never as forbidden', async () => {
    await client.request('mutation { createCollection(input: { name: "theirs" }) { collection { id } } }');
    const file = await client.upload(join(packageRoot(), 'LICENSE'));
    const { ingestDocuments } = await client.request<{ ingestDocuments: { run: { id: string } } }>(
      `mutation { ingestDocuments(input: { collection: "theirs", idempotencyKey: "k", documents: [{ name: "orlo.txt", text: "The Orlo pump runs at 37 bar." }] }) { run { id } } }`,
    );
    const run = ingestDocuments.run.id;
    for await (const event of client.subscribe('subscription ($id: ID!) { ingestionProgress(runId: $id) { id } }', {
      id: run,
    }))
      void event;
    const { ask } = await client.request<{ ask: { id: string; evidence: Record<string, { id: string }>[] } }>(
      `query ($question: String!) { ask(input: { question: $question, requestId: "r" }) { id evidence { document { id } chunk { id } } } }`,
      { question: QUESTION },
    );
    const { collection } = await client.request<{ collection: { id: string } }>(
      '{ collection(name: "theirs") { id } }',
    );
    const ids: Record<string, string> = {
      Collection: collection.id,
      IngestionRun: run,
      Answer: ask.id,
      File: file,
      Document: ask.evidence[0]!['document']!.id,
      Chunk: ask.evidence[0]!['chunk']!.id,
    };

    const record = JSON.parse(readFileSync(join(home.path, 'postgres.json'), 'utf8')) as {
      password: string;
      port: number;
    };
    await giveAway(`postgres://graft:${record.password}@127.0.0.1:${record.port}/graft`, [
      'collection',
      'document',
      'chunk',
      'search_index',
      'run',
      'answer',
      'stored_file',
    ]);

    const byId = (id: (type: string) => string, collection: string): [string, object][] => [
      ...Object.keys(ids).map((type): [string, object] => [
        'query ($id: ID!) { node(id: $id) { __typename } }',
        { id: id(type) },
      ]),
      ['query ($id: ID!) { answer(id: $id) { text } }', { id: id('Answer') }],
      ['mutation ($id: ID!) { cancelRun(input: { id: $id }) { run { id } } }', { id: id('IngestionRun') }],
      [
        `mutation ($id: ID!) { registerModel(input: { fileId: $id, idempotencyKey: "m" }) { run { id } } }`,
        { id: id('File') },
      ],
      ['query ($name: String!) { collection(name: $name) { id } }', { name: collection }],
      [
        'query ($name: String!) { search(input: { query: "pump", collections: [$name] }) { hits { chunk { id } } } }',
        { name: collection },
      ],
      [
        'query ($name: String!) { ask(input: { question: "Why?", collections: [$name] }) { id } }',
        { name: collection },
      ],
      [
        'mutation ($name: String!) { deleteDocuments(input: { collection: $name, names: ["orlo.txt"] }) { deleted } }',
        { name: collection },
      ],
      [
        'mutation ($name: String!) { setDenseWeight(input: { collection: $name, denseWeight: 0.5 }) { collection { id } } }',
        { name: collection },
      ],
      [
        'mutation ($name: String!) { rebuildIndex(input: { collection: $name, idempotencyKey: "i" }) { run { id } } }',
        { name: collection },
      ],
    ];
    // What differs by the id alone is taken out of the messages.
    const plain = (result: unknown) => JSON.stringify(result).replaceAll(/[0-9a-f-]{36}|theirs|nobodys/g, '…');
    const unknown = new Map(Object.keys(ids).map((type) => [type, toGlobalId(type, newId())]));
    const theirs = byId((type) => ids[type]!, 'theirs');
    const nobodys = byId((type) => unknown.get(type)!, 'nobodys');
    for (const [index, [source, variables]] of theirs.entries()) {
      const seen = plain(await outcome(source, variables));
      expect([source, seen]).toEqual([source, plain(await outcome(...nobodys[index]!))]);
      expect(seen).toMatch(/null|NOT_FOUND/);
    }
    const FOLLOW = 'subscription ($id: ID!) { ingestionProgress(runId: $id) { id } }';
    expect(await firstEvent(FOLLOW, { id: run })).toMatch(/^NOT_FOUND/);
    expect(
      await client.request(
        '{ answers { edges { cursor } } runs { edges { cursor } } collections { edges { cursor } } }',
      ),
    ).toEqual({ answers: { edges: [] }, runs: { edges: [] }, collections: { edges: [] } });
    // Their request id is not taken here.
    expect(
      await outcome(
        'query ($q: String!) { ask(input: { question: $q, requestId: "r", strategy: BASE, generation: { maxTokens: 2 } }) { requestId } }',
        {
          q: 'Another question?',
        },
      ),
    ).toEqual({ ask: { requestId: 'r' } });
  }, 120_000);

  it('a forged cursor, and NUL wherever a text is compared, are the client’s mistakes', async () => {
    const cursor = (key: unknown) => Buffer.from(JSON.stringify(key)).toString('base64url');
    for (const list of ['answers', 'collections', 'models', 'runs'])
      for (const after of ['garbage', cursor(['\0']), cursor([1e308]), cursor([]), cursor({ a: 1 })])
        expect([
          list,
          await outcome(`query ($after: String) { ${list}(after: $after) { edges { cursor } } }`, { after }),
        ]).toEqual([list, expect.stringMatching(/^BAD_USER_INPUT/)]);
    for (const asked of [
      '{ answers(filter: { conversationId: "a\\u0000" }) { edges { cursor } } }',
      '{ model(name: "a\\u0000") { id } collection(name: "a\\u0000") { id } }',
    ])
      expect(await outcome(asked, {})).toMatch(/^BAD_USER_INPUT/);
  });

  itWhen(process.platform === 'linux', 'descriptors are counted in /proc')(
    'two hundred requests and thirty cancelled answers leave no descriptor, no memory and no generation behind',
    async () => {
      const read = () => client.request('{ answers { edges { node { id text } } } system { worker { active } } }');
      await Promise.all(Array.from({ length: 20 }, read));
      const before = { descriptors: descriptors(), residentMiB: residentMiB() };
      for (let i = 0; i < 10; i += 1) await Promise.all(Array.from({ length: 20 }, read));
      // Some are cancelled while they wait for the worker, some while they are written.
      await Promise.all(
        Array.from({ length: 30 }, async (_, index) => {
          const leaving = new Client(graft.url);
          const events = leaving.subscribe(STREAM, { question: `Tell the long story number ${index}.` });
          await events.next();
          if (index % 3 === 0) await events.next();
          await events.return(undefined);
          leaving.close();
        }),
      );
      await eventually(
        'the worker to be idle',
        async () => {
          const { system } = await client.request<{ system: { worker: { active: number; queued: number } } }>(
            '{ system { worker { active queued } } }',
          );
          return system.worker.active + system.worker.queued === 0;
        },
        20_000,
      );
      await eventually('closed descriptors', () => descriptors() <= before.descriptors + 25, 20_000);
      expect(residentMiB() - before.residentMiB).toBeLessThan(150);
    },
    120_000,
  );

  it('SIGTERM in the middle of an answer closes its WebSocket with 1001 and exits with 0, leaving no process', async () => {
    let closed: unknown;
    const sockets = createClient({
      url: `${graft.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      on: { closed: (event) => (closed = event) },
    });
    const events = sockets.iterate({ query: STREAM, variables: { question: 'Tell a long story.' } });
    for (;;) {
      const { value } = (await events.next()) as { value: { data?: { askStream: { __typename: string } } } };
      if (value.data?.askStream.__typename === 'TextDelta') break;
    }
    const rest = (async () => {
      for await (const event of events) void event;
    })();
    graft.child.kill('SIGTERM');
    await expect(rest).rejects.toMatchObject({ code: 1001 });
    expect(closed).toMatchObject({ code: 1001 });
    expect(await graft.ended).toBe(0);
    await eventually('no process of the home is left', () => processesMentioning(home.path).length === 0);
  }, 60_000);
});
