import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { graphql } from 'graphql';
import { buildGraphSchema } from '../../src/server/graphql/schema.js';
import { RESOLVER_CLASSES } from '../../src/server/graphql/resolvers.js';
import { NodeResolver, RunResolver, RunSubjectResolver } from '../../src/server/graphql/runs-graphql.js';
import { SystemResolver, type SystemSources } from '../../src/server/graphql/system-graphql.js';
import { createGraphContext, NodeRegistry, toGlobalId } from '../../src/kit/graphql/index.js';
import { localCaller } from '../../src/kernel/caller.js';
import { systemClock } from '../../src/kernel/clock.js';
import { DEFAULT_WORKSPACE_ID, newId, type WorkspaceId } from '../../src/kernel/ids.js';
import { EventLog } from '../../src/platform/events/index.js';
import { ExecutorChoice } from '../../src/learn/training/index.js';
import { RunQueue } from '../../src/platform/runs/index.js';
import { silentLogger } from '../../src/platform/telemetry/index.js';
import { testKind } from './platform/runs/test-kind.js';
import { testDatabase, type TestDatabase } from '../support/database.js';

/** A train worker of a machine whose TensorFlow found a GPU: no test can have one on command. */
const MEASURED = {
  measured: [
    { executor: 'onnx', device: 'cpu', tokensPerSecond: 300 },
    { executor: 'tensorflow', device: 'gpu', tokensPerSecond: 9_000 },
  ],
  quiet: true,
};
const trainWorker = {
  hello: async () => ({
    build: { onnxruntime: '1.20.0' },
    device: { cpu: { model: 'a processor', cores: 2, flags: [] }, gpu: null, memoryBytes: 8e9 },
    provider: { training: 'onnx tensorflow' },
  }),
  call: async () => MEASURED,
};

describe('runs, nodes and the system over GraphQL', () => {
  let database: TestDatabase;
  let events: EventLog;
  let runs: RunQueue;
  let schema: ReturnType<typeof buildGraphSchema>;
  let home: string;
  let executors: ExecutorChoice;
  const nodes = new NodeRegistry();

  beforeAll(async () => {
    database = await testDatabase();
    const log = silentLogger();
    events = new EventLog({ database, log });
    runs = new RunQueue({ database, events, clock: systemClock, log, owner: 'test', kinds: [] });
    home = await mkdtemp(join(tmpdir(), 'graft-system-'));
    executors = new ExecutorChoice({ worker: trainWorker as never, home });
    const sources: SystemSources = {
      version: '1.2.3',
      home: tmpdir(),
      parts: async () => [{ name: 'database', ready: true, embedded: true, detail: 'running' }],
      worker: { status: { state: 'restarting', pid: null, hello: null, load: null, restarts: 2 } },
      threads: () => ({ prefill: 2, decode: 1 }),
      executors: () => executors.chosen(),
      queues: (workspaceId) => runs.unfinished(workspaceId),
    };
    const own = [
      new RunResolver({ runs }),
      new RunSubjectResolver({ nodes }),
      new NodeResolver({ nodes }),
      new SystemResolver({ system: sources }),
    ];
    // The classes of the domains give the schema its run types; nothing of theirs is resolved here.
    const others = RESOLVER_CLASSES.filter((known) => !own.some((instance) => instance instanceof known));
    schema = buildGraphSchema([...own, ...others]);
  });
  afterAll(async () => {
    await events.close();
    await database.dispose();
    await rm(home, { recursive: true });
  });

  const ask = async (source: string, workspaceId: WorkspaceId = DEFAULT_WORKSPACE_ID) => {
    const contextValue = createGraphContext(localCaller(workspaceId), 'test', new AbortController());
    return JSON.parse(JSON.stringify(await graphql({ schema, source, contextValue }))) as {
      data: Record<string, unknown>;
      errors?: { message: string }[];
    };
  };

  const enqueue = (idempotencyKey: string) =>
    runs.enqueue(testKind({ kind: 'INGESTION' }), { workspaceId: DEFAULT_WORKSPACE_ID, input: {}, idempotencyKey });

  it('lists runs newest first, page by page, each as its own type', async () => {
    const keys = ['a', 'b', 'c'];
    const rows = [];
    for (const key of keys) rows.push(await enqueue(key));
    const page = (after: string) => `{ runs(kind: INGESTION, status: QUEUED, first: 2 ${after}) {
      edges { node { __typename id status progress } } pageInfo { hasNextPage endCursor } } }`;
    const first = await ask(page(''));
    expect(first).toMatchObject({
      data: {
        runs: {
          edges: [rows[2]!, rows[1]!].map(({ id }) => ({
            node: { __typename: 'IngestionRun', id: toGlobalId('IngestionRun', id), status: 'QUEUED', progress: 0 },
          })),
          pageInfo: { hasNextPage: true },
        },
      },
    });
    const cursor = (first.data['runs'] as { pageInfo: { endCursor: string } }).pageInfo.endCursor;
    const second = await ask(page(`after: "${cursor}"`));
    expect(second).toMatchObject({
      data: {
        runs: { edges: [{ node: { id: toGlobalId('IngestionRun', rows[0]!.id) } }], pageInfo: { hasNextPage: false } },
      },
    });
  });

  it('leads from a run to what it works on, while that is there', async () => {
    const [there, gone] = [newId(), newId()];
    nodes.register('Collection', async (_context, id) =>
      id === there ? { id: toGlobalId('Collection', id), row: { id } } : null,
    );
    const of = (idempotencyKey: string, subjectId: string) =>
      runs.enqueue(testKind({ kind: 'INGESTION' }), {
        workspaceId: DEFAULT_WORKSPACE_ID,
        input: {},
        idempotencyKey,
        subjectId,
      });
    const both = [await of('of one that is there', there), await of('of one that was deleted', gone)];
    const { data } = await ask('{ runs(kind: INGESTION, first: 2) { edges { node { subject { __typename id } } } } }');
    expect((data['runs'] as { edges: { node: object }[] }).edges.map(({ node }) => node)).toEqual([
      { subject: null },
      { subject: { __typename: 'Collection', id: toGlobalId('Collection', there) } },
    ]);
    for (const { id } of both) await runs.cancel(DEFAULT_WORKSPACE_ID, id);
  });

  it('cancels a run of any kind, and finds none of another workspace', async () => {
    const { id } = await enqueue('cancel me');
    const cancel = `mutation { cancelRun(input: { id: "${toGlobalId('IngestionRun', id)}" }) { run { status } } }`;
    expect((await ask(cancel, newId() as string as WorkspaceId)).errors![0]!.message).toMatch(/does not exist/);
    expect(await ask(cancel)).toMatchObject({ data: { cancelRun: { run: { status: 'CANCELLED' } } } });
    const wrong = await ask(`mutation { cancelRun(input: { id: "${toGlobalId('Model', id)}" }) { run { id } } }`);
    expect(wrong.errors![0]!.message).toMatch(/input.id is the id of a Model; the id of a .*IngestionRun/);
  });

  it('tells what a run reported so far, page by page, also once it has ended', async () => {
    const { id } = await enqueue('history');
    const runId = toGlobalId('IngestionRun', id);
    const runStream = `run:${id}`;
    for (const progress of [0.1, 0.2, 0.3])
      await events.append(DEFAULT_WORKSPACE_ID, runStream, 'progress', { progress });
    await ask(`mutation { cancelRun(input: { id: "${runId}" }) { run { id } } }`);
    const page = async (first: number, after = '') => {
      const { data } = await ask(`{ runEvents(runId: "${runId}", first: ${first} ${after}) { id status progress } }`);
      return data['runEvents'] as { id: string; status: string; progress: number }[];
    };
    const all = await page(100);
    expect(all.map(({ status }) => status).at(-1)).toBe('CANCELLED');
    const [first, ...rest] = all;
    expect(await page(2)).toEqual(all.slice(0, 2));
    expect(await page(100, `after: "${first!.id}"`)).toEqual(rest);
    const tooMany = await ask(`{ runEvents(runId: "${runId}", first: 1001) { id } }`);
    expect(tooMany.errors![0]!.message).toMatch(/between 1 and 1000/);
  });

  it('answers null for a node that is of no known type', async () => {
    expect(await ask(`{ node(id: "${toGlobalId('Nothing', newId())}") { id } }`)).toEqual({ data: { node: null } });
  });

  it('reports the system while a part is down', async () => {
    const { data, errors } = await ask(`{ system {
      versions { graft node inference } startedAt uptimeSeconds parts { name ready embedded }
      worker { state restarts threads { prefill decode } device { processor } memoryBytes }
      memory { gatewayBytes } disk { freeBytes totalBytes } queues { kind status count } } }`);
    expect(errors).toBeUndefined();
    expect(data['system']).toMatchObject({
      versions: { graft: '1.2.3', node: process.versions.node, inference: null },
      parts: [{ name: 'database', ready: true, embedded: true }],
      worker: { state: 'RESTARTING', restarts: 2, threads: { prefill: 2, decode: 1 }, device: null },
      memory: { gatewayBytes: expect.any(Number) },
      disk: { freeBytes: expect.any(Number) },
      queues: [{ kind: 'INGESTION', status: 'QUEUED', count: 3 }],
    });
  });

  it('says which devices the training engines see, as they were measured before the first training, also after a restart', async () => {
    const seen = async () => {
      const { data } = await ask('{ system { training { executor modelSha256 measured { executor device } } } }');
      return (data['system'] as { training: object[] }).training;
    };
    expect(await seen()).toEqual([]);
    const model = { path: '/nowhere/model.gguf', sha256: 'a'.repeat(64), contextLength: 64 };
    await executors.choose(DEFAULT_WORKSPACE_ID, model, new AbortController().signal);
    const found = {
      executor: 'tensorflow',
      modelSha256: model.sha256,
      measured: [
        { executor: 'onnx', device: 'cpu' },
        { executor: 'tensorflow', device: 'gpu' },
      ],
    };
    expect(await seen()).toEqual([found]);
    executors = new ExecutorChoice({ worker: trainWorker as never, home });
    expect(await seen()).toEqual([found]);
  });
});
