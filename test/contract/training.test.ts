import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.js';
import { spawnGraft, temporaryHome, type GraftProgram } from '../support/graft-program.js';
import { writeTinyModel } from '../support/tiny-model.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';

const RECIPE = { rank: 8, alpha: 16, learningRate: 0.02, batchExamples: 8, epochs: 30, retention: { tokens: 16 } };

/** Two kinds of messages that any model can tell apart. */
const ROWS = Array.from({ length: 48 }, (_, i) =>
  i % 2 === 0 ? `the lamp number ${i} is dark,light` : `send back order ${i} and refund it,return`,
);

describe('training through GraphQL alone', () => {
  let home: Awaited<ReturnType<typeof temporaryHome>>;
  let folder: TemporaryFolder;
  let graft: GraftProgram;
  let datasetVersion: string;

  const ask = async <T>(query: string, variables: object = {}): Promise<T> => {
    const response = await fetch(`${graft.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: T; errors?: unknown[] };
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  };
  const upload = async (name: string, content: BlobPart): Promise<string> => {
    const form = new FormData();
    form.append('file', new Blob([content]), name);
    const response = await fetch(`${graft.url}/files`, {
      method: 'POST',
      headers: { 'graft-upload': '1' },
      body: form,
    });
    return ((await response.json()) as { id: string }).id;
  };
  const start = async (adapter: string, recipe: object = {}, version = datasetVersion): Promise<string> => {
    const { startTraining } = await ask<{ startTraining: { run: { id: string } } }>(
      'mutation ($input: StartTrainingInput!) { startTraining(input: $input) { run { id } } }',
      {
        input: {
          adapter,
          datasetVersion: version,
          model: 'tiny',
          recipe: { ...RECIPE, ...recipe },
          idempotencyKey: adapter,
        },
      },
    );
    return startTraining.run.id;
  };
  interface Run {
    status: string;
    error: { message: string } | null;
    result: { version: number; digest: string; adapter: { name: string } } | null;
  }
  const runOf = async (id: string): Promise<Run> => {
    const { node } = await ask<{ node: Run }>(
      'query ($id: ID!) { node(id: $id) { ... on TrainingRun { status error { message } result { version digest adapter { name } } } } }',
      { id },
    );
    return node;
  };
  /** The run as soon as it is in one of these states. */
  const reached = (id: string, ...states: string[]): Promise<Run> =>
    eventually(
      `${states.join(' or ')} of a training run`,
      async () => {
        const run = await runOf(id);
        return states.includes(run.status) && run;
      },
      120_000,
    );
  const ended = (id: string): Promise<Run> => reached(id, 'SUCCEEDED', 'FAILED', 'CANCELLED', 'PAUSED');

  beforeAll(async () => {
    [home, folder] = [await temporaryHome(), await temporaryFolder()];
    graft = await spawnGraft(home.path, { LOG_LEVEL: 'warn' }).started;
    const model = writeTinyModel(join(folder.path, 'tiny.gguf'));
    const fileId = await upload('tiny.gguf', new Uint8Array(readFileSync(model.path)));
    await ask('mutation ($input: RegisterModelInput!) { registerModel(input: $input) { run { id } } }', {
      input: { fileId, name: 'tiny', idempotencyKey: 'tiny' },
    });
    const file = await upload('messages.csv', `text,label\n${ROWS.join('\n')}\n`);
    await ask('mutation ($input: CreateDatasetInput!) { createDataset(input: $input) { dataset { id } } }', {
      input: { name: 'messages', task: 'CLASSIFICATION' },
    });
    await ask('mutation ($input: AddDatasetVersionInput!) { addDatasetVersion(input: $input) { run { id } } }', {
      input: { dataset: 'messages', files: [{ file }], idempotencyKey: 'messages' },
    });
    datasetVersion = await eventually(
      'the model and the rows',
      async () => {
        const { dataset, model: registered } = await ask<{
          dataset: { versions: { edges: { node: { id: string } }[] } };
          model: { id: string } | null;
        }>('{ dataset(name: "messages") { versions { edges { node { id } } } } model(name: "tiny") { id } }');
        return registered !== null && (dataset.versions.edges[0]?.node.id ?? null);
      },
      150_000,
    );
  }, 240_000);
  afterAll(async () => {
    graft.child.kill('SIGTERM');
    await graft.ended;
    await home.remove();
    await folder.remove();
  });

  it('trains an adapter, tells of each step, and the adapter answers through ask', async () => {
    const run = await start('routing');
    const client = createClient({ url: `${graft.url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket });
    const losses: number[] = [];
    const seen = new Set<string>();
    for await (const { data } of client.iterate<{ trainingProgress: { __typename: string; loss?: number } }>({
      query: `subscription ($run: ID!) { trainingProgress(runId: $run) { __typename
        ... on TrainingAudited { trained } ... on TrainingStepped { loss } ... on TrainingValidated { klToBase } } }`,
      variables: { run },
    })) {
      seen.add(data!.trainingProgress.__typename);
      if (data!.trainingProgress.__typename === 'TrainingStepped') losses.push(data!.trainingProgress.loss!);
    }
    await client.dispose();
    expect([...seen]).toEqual(expect.arrayContaining(['TrainingAudited', 'TrainingStepped']));
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
    expect(await runOf(run)).toMatchObject({
      status: 'SUCCEEDED',
      result: { version: 1, adapter: { name: 'routing' } },
    });

    const answer = async (question: string) => {
      const { ask: answered } = await ask<{
        ask: { text: string; adapter: { versionNumber: number }; output: object };
      }>(
        `query ($question: String!) { ask(input: { question: $question, strategy: ADAPTER, adapter: "routing@1" }) {
          text adapter { versionNumber } output { ... on LabelOutput { label probability } } } }`,
        { question },
      );
      return answered;
    };
    const dark = await answer('the lamp number 90 is dark');
    expect(dark).toMatchObject({ text: 'light', adapter: { versionNumber: 1 }, output: { label: 'light' } });
    expect((await answer('send back order 91 and refund it')).text).toBe('return');
    const { ask: hybrid } = await ask<{ ask: { abstention: { reason: string } } }>(
      '{ ask(input: { question: "the lamp is dark", strategy: HYBRID, adapter: "routing@1" }) { abstention { reason } } }',
    );
    expect(hybrid.abstention.reason).toBe('NO_DOCUMENTS');
  }, 180_000);

  it('goes on from a version in its shape, and says from which; from none of another shape or name', async () => {
    const file = await upload('more.csv', `text,label\n${ROWS.slice(8).join('\n')}\n`);
    await ask('mutation ($input: CreateDatasetInput!) { createDataset(input: $input) { dataset { id } } }', {
      input: { name: 'more', task: 'CLASSIFICATION' },
    });
    await ask('mutation ($input: AddDatasetVersionInput!) { addDatasetVersion(input: $input) { run { id } } }', {
      input: { dataset: 'more', files: [{ file }], idempotencyKey: 'more' },
    });
    const more = await eventually('more rows', async () => {
      const { dataset } = await ask<{ dataset: { latestVersion: { id: string } | null } }>(
        '{ dataset(name: "more") { latestVersion { id } } }',
      );
      return dataset.latestVersion?.id;
    });
    const further = (parent: string, recipe: object, idempotencyKey: string) =>
      ask<{ startTraining: { run: { id: string } } }>(
        'mutation ($input: StartTrainingInput!) { startTraining(input: $input) { run { id } } }',
        { input: { adapter: 'further', datasetVersion: more, parent, recipe, idempotencyKey } },
      );
    const { startTraining } = await further('routing@1', { learningRate: 1e-3, epochs: 2 }, 'further');
    expect(await ended(startTraining.run.id)).toMatchObject({ status: 'SUCCEEDED', error: null });
    const told = await ask<{ node: { result: { id: string } } }>(
      `query ($id: ID!) { node(id: $id) { ... on TrainingRun { recipe result { id rank parent { version adapter { name } } } } } }`,
      { id: startTraining.run.id },
    );
    expect(told.node).toMatchObject({
      recipe: { rank: RECIPE.rank, alpha: RECIPE.alpha, answer: 'LABEL_TOKEN' },
      result: { rank: RECIPE.rank, parent: { version: 1, adapter: { name: 'routing' } } },
    });
    const { node } = await ask<{ node: { adapterVersions: { id: string }[] } }>(
      'query ($id: ID!) { node(id: $id) { ... on DatasetVersion { adapterVersions { id } } } }',
      { id: datasetVersion },
    );
    expect(node.adapterVersions).toContainEqual({ id: told.node.result.id });
    await expect(further('routing@1', { rank: 4 }, 'smaller')).rejects.toThrow('input.recipe.rank');
    await expect(further('routing@1', { answer: 'TEXT' }, 'as text')).rejects.toThrow('input.recipe.answer');
    await expect(further('routing@9', {}, 'of nobody')).rejects.toThrow('NOT_FOUND');
    await expect(further('reader@1', {}, 'of another task')).rejects.toThrow('input.parent');
  }, 180_000);

  it('leads from an answer to the rows that trained its adapter, and from the rows back to the answer', async () => {
    const { ask: asked } = await ask<{ ask: { id: string } }>(
      '{ ask(input: { question: "the lamp number 95 is dark", strategy: ADAPTER, adapter: "routing@1" }) { id } }',
    );
    interface Rows {
      edges: { node: { split: string; content: { text: string; label: string } } }[];
    }
    const there = await ask<{
      answer: {
        adapter: { version: { id: string; trainedBy: { id: string; datasetVersion: { id: string; rows: Rows } } } };
      };
    }>(
      `query ($id: ID!) { answer(id: $id) { adapter { version { id trainedBy { id datasetVersion { id
        rows(first: 100) { edges { node { split content { ... on ClassificationContent { text label } } } } } } } } } } }`,
      { id: asked.id },
    );
    const { version } = there.answer.adapter;
    const learned = version.trainedBy.datasetVersion;
    expect(learned.id).toBe(datasetVersion);
    expect(learned.rows.edges.map(({ node: { content } }) => `${content.text},${content.label}`).sort()).toEqual(
      [...ROWS].sort(),
    );

    interface Nodes<T> {
      edges: { node: T }[];
    }
    const back = await ask<{
      node: {
        trainings: Nodes<{ id: string; result: { id: string; answers: Nodes<{ id: string }> } | null }>;
        adapterVersions: { id: string }[];
      };
    }>(
      `query ($id: ID!) { node(id: $id) { ... on DatasetVersion { adapterVersions { id }
        trainings(first: 10) { edges { node { id result { id answers(first: 10) { edges { node { id } } } } } } } } } }`,
      { id: learned.id },
    );
    expect(back.node.adapterVersions.map(({ id }) => id)).toContain(version.id);
    const training = back.node.trainings.edges.find(({ node }) => node.id === version.trainedBy.id)!.node;
    expect(training.result!.id).toBe(version.id);
    expect(training.result!.answers.edges.map(({ node }) => node.id)).toContain(asked.id);
  }, 120_000);

  it.each([
    ['an unknown adapter', { adapter: 'nobody@1' }, 'NOT_FOUND'],
    ['an unknown version of an adapter', { adapter: 'routing@9' }, 'NOT_FOUND'],
    ['an adapter that was not promoted, by its name alone', { adapter: 'routing' }, 'NOT_FOUND'],
    ['an empty text', { question: ' ' }, 'BAD_USER_INPUT'],
    ['an enormous text', { question: 'the lamp is dark '.repeat(3_000) }, 'QUESTION_TOO_LONG'],
    // Fewer characters than a question may have, and more tokens than the model’s context holds.
    ['a text that the context can’t hold', { question: '€†'.repeat(1_500) }, 'QUESTION_TOO_LONG'],
  ])('classifies nothing for %s, and says why', async (_, wrong, code) => {
    const input = { question: 'the lamp is dark', strategy: 'ADAPTER', adapter: 'routing@1', ...wrong };
    await expect(ask('query ($input: AskInput!) { ask(input: $input) { text } }', { input })).rejects.toThrow(code);
  });

  it('says before a training what it takes, and keeps beside the adapter what it took', async () => {
    const input = { datasetVersion, model: 'tiny', recipe: RECIPE };
    const { estimateTraining: found } = await ask<{ estimateTraining: Record<string, number> & { fits: boolean } }>(
      `query ($input: EstimateTrainingInput!) { estimateTraining(input: $input) {
        examples meanTokens tokens steps memoryBytes availableBytes fits tokensPerSecond seconds } }`,
      { input },
    );
    expect(found.fits).toBe(true);
    expect(found.examples).toBeGreaterThan(20);
    // 'routing' was trained by the same recipe, so its pace is known.
    expect(found.seconds! * found.tokensPerSecond!).toBeCloseTo(Number(found.tokens), 0);
    expect(found.steps).toBe(Math.ceil((RECIPE.epochs * found.examples!) / RECIPE.batchExamples));
    interface Metrics {
      steps: number;
      memory: { estimatedBytes: number; peakBytes: number };
      time: { seconds: number; tokensPerSecond: number };
      risk: null;
    }
    const { adapter } = await ask<{ adapter: { versions: { metrics: Metrics }[] } }>(
      `{ adapter(name: "routing") { versions { metrics { steps memory { estimatedBytes peakBytes }
        time { estimatedSeconds seconds tokensPerSecond } risk { confidence } } } } }`,
    );
    const { metrics } = adapter.versions[0]!;
    expect(metrics).toMatchObject({ steps: found.steps, risk: null });
    expect(Number(metrics.memory.estimatedBytes)).toBeGreaterThan(0);
    expect(Number(metrics.memory.peakBytes)).toBeGreaterThan(0);
    expect(metrics.time.seconds).toBeGreaterThan(0);
    expect(metrics.time.tokensPerSecond).toBeGreaterThan(0);
    await expect(
      ask('query ($input: EstimateTrainingInput!) { estimateTraining(input: $input) { steps } }', {
        input: { ...input, recipe: { ...RECIPE, maxTokens: 16 } },
      }),
    ).rejects.toThrow('DATASET_UNUSABLE');
  }, 120_000);

  /** A version of a new dataset whose conversations are all for training. */
  const conversations = async (name: string, chats: readonly object[]) => {
    const file = await upload(`${name}.jsonl`, chats.map((messages) => JSON.stringify({ messages })).join('\n'));
    await ask('mutation ($input: CreateDatasetInput!) { createDataset(input: $input) { dataset { id } } }', {
      input: { name, task: 'INSTRUCTION' },
    });
    const splitRule = { test: 0, validation: 0 };
    await ask('mutation ($input: AddDatasetVersionInput!) { addDatasetVersion(input: $input) { run { id } } }', {
      input: { dataset: name, files: [{ file }], splitRule, idempotencyKey: name },
    });
    return eventually('the conversations', async () => {
      const { dataset } = await ask<{ dataset: { latestVersion: { id: string; counts: { train: number } } | null } }>(
        'query ($name: String!) { dataset(name: $name) { latestVersion { id counts { train } } } }',
        { name },
      );
      return dataset.latestVersion;
    });
  };
  const estimatedExamples = async (version: string): Promise<number> => {
    const { estimateTraining } = await ask<{ estimateTraining: { examples: number } }>(
      'query ($input: EstimateTrainingInput!) { estimateTraining(input: $input) { examples } }',
      { input: { datasetVersion: version, model: 'tiny' } },
    );
    return estimateTraining.examples;
  };
  const turnsOf = (count: number) =>
    Array.from({ length: count }, (_, i) => [
      { role: 'user', content: `${i}?` },
      { role: 'assistant', content: `${i}` },
    ]).flat();

  it('says what conversations take, each of whose answers is learned, however many there are', async () => {
    const chats = Array.from({ length: 300 }, (_, i) => [
      { role: 'user', content: `chat ${i}` },
      ...turnsOf(30).slice(1),
    ]);
    const version = await conversations('chats', chats);
    expect(await estimatedExamples(version.id)).toBe(30 * version.counts.train);
  }, 120_000);

  it('learns as many answers as the estimate counts, of conversations whose last prompt alone is too long', async () => {
    const chats = Array.from({ length: 20 }, (_, i) => [
      { role: 'user', content: `talk ${i}` },
      ...turnsOf(3).slice(1),
      { role: 'user', content: `talk ${i}: ${'long '.repeat(1_500)}` },
      { role: 'assistant', content: 'unread' },
    ]);
    const version = await conversations('talks', chats);
    expect(version.counts.train).toBe(20);
    const estimated = await estimatedExamples(version.id);
    expect(estimated).toBe(60);
    const run = await start('talks', { epochs: 1 }, version.id);
    const client = createClient({ url: `${graft.url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket });
    const audits: object[] = [];
    for await (const { data } of client.iterate<{ trainingProgress: { __typename: string } }>({
      query:
        'subscription ($run: ID!) { trainingProgress(runId: $run) { __typename ... on TrainingAudited { examples trained } } }',
      variables: { run },
    }))
      if (data!.trainingProgress.__typename === 'TrainingAudited') audits.push(data!.trainingProgress);
    await client.dispose();
    expect(audits).toMatchObject([{ examples: 80, trained: estimated }]);
    expect(await runOf(run)).toMatchObject({ status: 'SUCCEEDED' });
  }, 120_000);

  it('finds the learning rate among a few by short trainings, and keeps no adapter of them', async () => {
    const rates = [0.0001, 0.003, 0.02];
    const { findLearningRate } = await ask<{ findLearningRate: { run: { id: string } } }>(
      'mutation ($input: FindLearningRateInput!) { findLearningRate(input: $input) { run { id } } }',
      { input: { datasetVersion, model: 'tiny', recipe: RECIPE, rates, steps: 20, idempotencyKey: 'rate' } },
    );
    interface Search {
      status: string;
      learningRate: number | null;
      tried: { learningRate: number; validationLoss: number }[];
    }
    const search = await eventually(
      'the search',
      async () => {
        const { node } = await ask<{ node: Search }>(
          `query ($id: ID!) { node(id: $id) { ... on LearningRateSearchRun { status learningRate
            tried { learningRate validationLoss } } } }`,
          { id: findLearningRate.run.id },
        );
        return ['SUCCEEDED', 'FAILED'].includes(node.status) && node;
      },
      120_000,
    );
    expect(search.status).toBe('SUCCEEDED');
    expect(search.tried.map(({ learningRate }) => learningRate)).toEqual(rates);
    const losses = search.tried.map(({ validationLoss }) => validationLoss);
    // Twenty steps at the smallest rate learn next to nothing.
    expect(losses[0]).toBe(Math.max(...losses));
    expect(search.learningRate).toBe(rates[losses.indexOf(Math.min(...losses))]);
    expect(readdirSync(join(home.path, 'searching'))).toEqual([]);
    const start = (more: object) =>
      ask('mutation ($input: FindLearningRateInput!) { findLearningRate(input: $input) { run { id } } }', {
        input: { datasetVersion, model: 'tiny', idempotencyKey: 'no', ...more },
      });
    await expect(start({ rates: [0.001, 0.001, 0.002] })).rejects.toThrow('input.rates');
    await expect(start({ steps: 1 })).rejects.toThrow('input.steps');
  }, 180_000);

  it('goes on from where it was paused, to the same weights as a run that was not', async () => {
    const straight = await ended(await start('straight'));
    const paused = await start('paused');
    await reached(paused, 'RUNNING');
    await ask('mutation ($input: RunInput!) { pauseRun(input: $input) { run { id } } }', { input: { id: paused } });
    const held = await ended(paused);
    expect(['PAUSED', 'SUCCEEDED']).toContain(held.status);
    if (held.status === 'PAUSED')
      await ask('mutation ($input: RunInput!) { resumeRun(input: $input) { run { id } } }', { input: { id: paused } });
    const resumed = await reached(paused, 'SUCCEEDED', 'FAILED');
    expect(resumed).toMatchObject({ status: 'SUCCEEDED' });
    expect(resumed.result!.digest).toBe(straight.result!.digest);
  }, 240_000);

  it('leaves nothing of a run that was cancelled', async () => {
    const run = await start('cancelled', { epochs: 100 });
    await reached(run, 'RUNNING');
    await ask('mutation ($input: RunInput!) { cancelRun(input: $input) { run { id } } }', { input: { id: run } });
    expect((await ended(run)).status).toBe('CANCELLED');
    await eventually('an empty folder', () => readdirSync(join(home.path, 'training')).length === 0);
    expect(await ask('{ adapter(name: "cancelled") { id } }')).toEqual({ adapter: null });
  }, 180_000);

  it('is one run for two starts with one key, and a conflict for other input under it', async () => {
    const [first, second] = await Promise.all([start('twice', { epochs: 1 }), start('twice', { epochs: 1 })]);
    expect(second).toBe(first);
    await expect(start('twice', { epochs: 2 })).rejects.toThrow('IDEMPOTENCY_CONFLICT');
    expect(await ended(first)).toMatchObject({ status: 'SUCCEEDED', result: { version: 1 } });
  }, 180_000);

  it('ends a run whose rows are erased meanwhile, says why, and removes its checkpoints', async () => {
    const rows = ROWS.map((row, i) => `${row},customer:${i}`).join('\n');
    const file = await upload('people.csv', `text,label,customer\n${rows}\n`);
    await ask('mutation ($input: CreateDatasetInput!) { createDataset(input: $input) { dataset { id } } }', {
      input: { name: 'people', task: 'CLASSIFICATION' },
    });
    await ask('mutation ($input: AddDatasetVersionInput!) { addDatasetVersion(input: $input) { run { id } } }', {
      input: { dataset: 'people', files: [{ file }], idempotencyKey: 'people' },
    });
    const version = await eventually('the rows', async () => {
      const { dataset } = await ask<{ dataset: { versions: { edges: { node: { id: string } }[] } } }>(
        '{ dataset(name: "people") { versions { edges { node { id } } } } }',
      );
      return dataset.versions.edges[0]?.node.id ?? null;
    });
    const { startTraining } = await ask<{ startTraining: { run: { id: string } } }>(
      'mutation ($input: StartTrainingInput!) { startTraining(input: $input) { run { id } } }',
      {
        input: {
          adapter: 'people',
          datasetVersion: version,
          model: 'tiny',
          idempotencyKey: 'people',
          recipe: { ...RECIPE, epochs: 100, batchExamples: 1 },
        },
      },
    );
    const run = startTraining.run.id;
    await reached(run, 'RUNNING');
    await ask('mutation ($input: DeleteDatasetRowsInput!) { deleteDatasetRows(input: $input) { run { id } } }', {
      input: { dataset: 'people', subject: 'customer:1', reason: 'asked', idempotencyKey: 'forget' },
    });
    const failed = await ended(run);
    expect(failed).toMatchObject({ status: 'FAILED', result: null });
    expect(failed.error!.message).toContain('asked');
    await eventually('an empty folder', () => readdirSync(join(home.path, 'training')).length === 0);
    expect(await ask('{ adapter(name: "people") { id } }')).toEqual({ adapter: null });
  }, 240_000);

  it('deletes an adapter whose answers stay and say so, and trains it anew under the key of the run that made it', async () => {
    const { ask: asked } = await ask<{ ask: { id: string } }>(
      '{ ask(input: { question: "the lamp number 96 is dark", strategy: ADAPTER, adapter: "routing@1" }) { id } }',
    );
    const remove = (input: object) =>
      ask<{ deleteAdapter: { versions: number[]; adapter: object | null; erasure: { deletedFiles: string[] } } }>(
        `mutation ($input: DeleteAdapterInput!) { deleteAdapter(input: $input) {
          versions adapter { name versions { version } } erasure { complete deletedFiles keptFiles { name } } } }`,
        { input },
      );
    const { deleteAdapter } = await remove({ adapter: 'routing', version: 1 });
    expect(deleteAdapter).toMatchObject({
      versions: [1],
      adapter: { name: 'routing', versions: [] },
      erasure: { complete: true, keptFiles: [] },
    });
    const { auditLog } = await ask<{ auditLog: { edges: { node: { before: object; after: object } }[] } }>(
      '{ auditLog(first: 1, filter: { what: "deleteAdapter" }) { edges { node { before after } } } }',
    );
    expect(auditLog.edges[0]!.node).toEqual({
      before: { adapter: 'routing', task: 'CLASSIFICATION', lastVersion: 1 },
      after: { adapter: 'routing', versionsDeleted: '1' },
    });
    expect(deleteAdapter.erasure.deletedFiles.map((name) => name.replace('routing-', '')).sort()).toEqual([
      'adapter.gguf',
      'adapter_config.json',
      'adapter_model.safetensors',
    ]);
    expect(
      await ask('query ($id: ID!) { answer(id: $id) { text adapter { name versionNumber version { id } } } }', asked),
    ).toEqual({ answer: { text: 'light', adapter: { name: 'routing', versionNumber: 1, version: null } } });
    await expect(
      ask('{ ask(input: { question: "dark", strategy: ADAPTER, adapter: "routing@1" }) { text } }'),
    ).rejects.toThrow('NOT_FOUND');
    expect(await ended(await start('routing', { epochs: 1 }))).toMatchObject({
      status: 'SUCCEEDED',
      result: { version: 2 },
    });
    expect(await remove({ adapter: 'routing' })).toMatchObject({ deleteAdapter: { versions: [2], adapter: null } });
    expect(await ask('{ adapter(name: "routing") { id } }')).toEqual({ adapter: null });
  }, 240_000);

  it('refuses at once what could never be trained', async () => {
    await expect(start('routing', { rank: 0 })).rejects.toThrow('input.recipe.rank');
    await expect(
      ask('mutation ($input: StartTrainingInput!) { startTraining(input: $input) { run { id } } }', {
        input: { adapter: 'a', datasetVersion, model: 'none', idempotencyKey: 'a' },
      }),
    ).rejects.toThrow('NOT_FOUND');
  });
});
