import { graphql, parse, subscribe, type ExecutionResult, type GraphQLError, type GraphQLSchema } from 'graphql';
import { createGraphContext, toGlobalId } from '../../../src/kit/graphql/index.js';
import { localCaller } from '../../../src/kernel/caller.js';
import { DEFAULT_WORKSPACE_ID, newId } from '../../../src/kernel/ids.js';
import { catalogueEntry } from '../../../src/platform/models-on-disk/index.js';
import type { WorkerClient } from '../../../src/platform/worker/index.js';
import type { ModelDescription, ThreadCalibration } from '../../../src/worker-protocol/index.js';
import { freshWorkspace } from '../../support/chroma.js';
import { schemaOf } from '../../support/schema-of.js';
import { testKind } from '../platform/runs/test-kind.js';
import { RegistryKit } from './registry-kit.js';

const WORKSPACE = DEFAULT_WORKSPACE_ID;

interface DownloadEvent {
  id: string;
  status: string;
  progress: number;
}
interface ModelsPage {
  models: {
    pageInfo: { hasNextPage: boolean; endCursor: string };
    edges: { node: { name: string; variants: { model: { name: string } }[] } }[];
  };
}

/** What a worker would say about any file: what is tested here is the way to it and back. */
const description: ModelDescription = {
  architecture: 'llama',
  parameters: 1_000,
  quantization: 'Q8_0',
  contextLength: 512,
  vocabulary: 300,
  chatTemplate: null,
  bosToken: '<s>',
  eosToken: '</s>',
  licence: 'mit',
  name: null,
  bytes: 4,
  chat: { kind: 'plain', bosToken: '<s>' },
};
const inspecting = { inspectModel: async () => description };
/** The default model was measured, and no other. */
const measured: WorkerClient['measured'] = async (digests) =>
  digests.map((digest) => (digest === DEFAULT_SHA256 ? FIGURES : null));
const DEFAULT_SHA256 = catalogueEntry('smollm2-135m-instruct')!.files[0]!.sha256;
const FIGURES: ThreadCalibration = {
  threads: { prefill: 2, decode: 1 },
  quiet: false,
  measurements: [
    { threads: 1, prefillTokensPerSecond: 900, decodeTokensPerSecond: 80 },
    { threads: 2, prefillTokensPerSecond: 1_700, decodeTokensPerSecond: 60 },
  ],
};
const worker = { ...inspecting, measured } as unknown as WorkerClient;

describe('models over GraphQL', () => {
  let kit: RegistryKit;
  let schema: GraphQLSchema;

  beforeEach(async () => {
    kit = await RegistryKit.start(worker);
    ({ schema } = schemaOf(kit.test, kit.domains));
  });
  afterEach(() => kit.dispose());

  const context = (workspace = WORKSPACE) =>
    createGraphContext(localCaller(workspace), 'request', new AbortController());
  /** The data as a client gets it. */
  const ask = async <Data>(source: string, variableValues = {}, workspace = WORKSPACE): Promise<Data> => {
    const { data, errors } = await graphql({ schema, source, variableValues, contextValue: context(workspace) });
    if (errors) throw thrown(errors);
    return JSON.parse(JSON.stringify(data)) as Data;
  };
  const thrown = ([error]: readonly GraphQLError[] = []): Error =>
    error?.originalError ?? error ?? new Error('no error');
  const REGISTER = `mutation ($input: RegisterModelInput!) {
    registerModel(input: $input) { run { id kind status variant { sha256 } } } }`;
  const register = async (name: string, content: string) => {
    const file = await kit.upload(WORKSPACE, `${name}.gguf`, Buffer.from(content));
    const input = { fileId: toGlobalId('File', file.id), name, idempotencyKey: newId() };
    return (await ask<{ registerModel: { run: { id: string } } }>(REGISTER, { input })).registerModel.run;
  };
  const follow = async (runId: string, after?: string) => {
    const stream = (await subscribe({
      schema,
      document: parse(`subscription ($runId: ID!, $after: String) {
        downloadProgress(runId: $runId, after: $after) { id status progress message bytes error { code } } }`),
      variableValues: { runId, after },
      contextValue: context(),
    })) as AsyncIterable<ExecutionResult<{ downloadProgress: DownloadEvent }>> | ExecutionResult;
    const events: DownloadEvent[] = [];
    if (!(Symbol.asyncIterator in stream)) throw thrown(stream.errors);
    for await (const { data } of stream) events.push(data!.downloadProgress);
    return events;
  };

  it('registers a model, tells of the progress, and shows what came of it', async () => {
    const run = await register('mine', 'model');
    expect(run).toMatchObject({ kind: 'DOWNLOAD', status: 'QUEUED', variant: null });
    const events = await follow(run.id);
    expect(events.at(-1)).toMatchObject({ status: 'SUCCEEDED', progress: 1, error: null });
    expect(await follow(run.id, events[0]!.id)).toEqual(events.slice(1));
    expect(await follow(run.id, events.at(-1)!.id)).toEqual([]);
    const { model } = await ask<{ model: object }>(`{ model(name: "mine") {
      name architecture parameters licence source variants { quantization bytes contextLength vocabulary model { name } } } }`);
    expect(model).toEqual({
      name: 'mine',
      architecture: 'llama',
      parameters: 1_000,
      licence: 'mit',
      source: 'upload',
      variants: [{ quantization: 'Q8_0', bytes: 5, contextLength: 512, vocabulary: 300, model: { name: 'mine' } }],
    });
    expect(await ask('{ model(name: "mine") { name } }', {}, freshWorkspace())).toEqual({ model: null });
  });

  it('pages through models by name and asks once for the variants of all of them', async () => {
    for (const name of ['c', 'a', 'b']) await follow((await register(name, name)).id);
    const variantsOf = jest.spyOn(kit.registry, 'variantsOf');
    const modelsById = jest.spyOn(kit.registry, 'modelsById');
    const query = `query ($after: String) { models(first: 2, after: $after) {
      pageInfo { hasNextPage endCursor } edges { node { name variants { sha256 model { name } } } } } }`;
    const first = (await ask<ModelsPage>(query)).models;
    expect(first.edges.map((edge) => edge.node.variants[0]!.model.name)).toEqual(['a', 'b']);
    expect(first.pageInfo.hasNextPage).toBe(true);
    expect([variantsOf.mock.calls.length, modelsById.mock.calls.length]).toEqual([1, 1]);
    const second = (await ask<ModelsPage>(query, { after: first.pageInfo.endCursor })).models;
    expect(second.edges.map((edge) => edge.node.name)).toEqual(['c']);
    expect(second.pageInfo.hasNextPage).toBe(false);
  });

  it('lists the catalogue with what a larger model costs', async () => {
    const { modelCatalogue } = await ask<{ modelCatalogue: { bytes: number; memoryBytes: number }[] }>(
      '{ modelCatalogue { name licence parameters bytes memoryBytes contextLength } }',
    );
    expect(modelCatalogue[0]).toMatchObject({
      name: 'smollm2-135m-instruct',
      licence: 'Apache-2.0',
      bytes: 98_362_432,
    });
    expect(modelCatalogue.length).toBeGreaterThanOrEqual(5);
    for (const entry of modelCatalogue) expect(entry.memoryBytes).toBeGreaterThan(entry.bytes);
  });

  it('says which models of the catalogue fit this machine, by the one that was measured', async () => {
    const { modelRecommendations: all } = await ask<{ modelRecommendations: { models: object[] } }>(
      `{ modelRecommendations { answerSeconds readTokens writtenTokens memoryBytes quiet models {
        model { name } here fit seconds readTokensPerSecond writeTokensPerSecond measuredOn reader } } }`,
    );
    expect(all).toMatchObject({ answerSeconds: 10, readTokens: 1_100, writtenTokens: 60, quiet: false });
    expect(all.models[0]).toMatchObject({
      model: { name: 'smollm2-135m-instruct' },
      here: false,
      readTokensPerSecond: 1_700,
      writeTokensPerSecond: 80,
      measuredOn: 'smollm2-135m-instruct',
      reader: true,
    });
    const names = all.models.map((one) => (one as { model: { name: string } }).model.name);
    expect(new Set(names).size).toBe(names.length);
    expect(all.models.filter((one) => (one as { fit: string }).fit === 'RECOMMENDED')).toHaveLength(1);
    for (const one of all.models) expect(one).toMatchObject({ measuredOn: 'smollm2-135m-instruct' });
  });

  it('refuses ids of other types, unknown runs and runs of other kinds', async () => {
    const input = { fileId: toGlobalId('Model', newId()), idempotencyKey: 'k' };
    await expect(ask(REGISTER, { input })).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.fileId' });
    await expect(follow(toGlobalId('DownloadRun', newId()))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const run = { workspaceId: WORKSPACE, input: null, idempotencyKey: 'k' };
    const other = await kit.runs.enqueue(testKind(), run);
    await expect(follow(toGlobalId('DownloadRun', other.id))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(follow('nonsense')).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});
