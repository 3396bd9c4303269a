import { AnswerStore, type AskInput, type AskService } from '../../../src/answer/ask/index.js';
import { Comparer, type HybridFitter } from '../../../src/prove/index.js';
import type { StartComparison } from '../../../src/prove/comparison/comparer.js';
import { strategyComparison } from '../../../src/prove/comparison/comparison-run.js';
import { hybridFit } from '../../../src/prove/blend/blend-run.js';
import { DEFAULT_WORKSPACE_ID as workspaceId, newId } from '../../../src/kernel/ids.js';
import type { RunRow } from '../../../src/platform/runs/index.js';
import { DataKit } from '../data/data-kit.js';
import { AdapterKit } from './adapter-kit.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(240_000);

const LABELS = ['billing', 'cards', 'travel'];
const TOPICS = ['an invoice', 'a lost card', 'a trip'];
const PER_SPLIT = 30;

/** The tiny adapter says nonsense, and the real embedder finds the rows that are alike: what each is worth is known before. */
describe('labels by an adapter and by labelled rows', () => {
  let kit: AdapterKit;
  let data: DataKit;
  let comparer: Comparer;
  let fitter: HybridFitter;
  let asking: AskService;
  let datasetVersionId: string;

  beforeAll(async () => {
    kit = await AdapterKit.start({ realModels: true });
    data = new DataKit(kit.models.test, kit.domains);
    await data.data.datasets.createDataset(workspaceId, { name: 'routing', task: 'CLASSIFICATION' });
    const rows = Array.from({ length: 3 * PER_SPLIT }, (_, i) => ({
      text: `Message ${i} is about ${TOPICS[i % 3]} of ${1_000 + 37 * i} and more.`,
      label: LABELS[i % 3],
      split: ['test', 'train', 'validation'][Math.floor(i / PER_SPLIT)],
    }));
    datasetVersionId = (await data.imported('routing', rows)).id;
    const labels = LABELS.map((label, i) => ({ label, token: 40 + i }));
    await kit.add({
      name: 'nonsense',
      seed: 1,
      task: 'CLASSIFICATION',
      datasetVersionId,
      usage: { labels: LABELS, answer: { form: 'label-token', labels } },
    });
    ({ comparer, hybridFitter: fitter } = kit.domains.evaluation);
    asking = kit.domains.ask.askingInBulk;
  });
  afterAll(() => kit.dispose());

  const ended = (run: RunRow) => kit.models.ended(run, 200_000);
  const compare = (more: Partial<StartComparison> = {}) =>
    comparer.start(workspaceId, {
      datasetVersionId,
      split: 'TEST',
      rows: 100,
      seed: 1,
      adapter: 'nonsense@1',
      collections: null,
      strategies: null,
      idempotencyKey: newId(),
      ...more,
    });
  const fit = () =>
    fitter.start(workspaceId, { adapter: 'nonsense', version: 1, rows: 100, seed: 1, idempotencyKey: newId() });
  const ask = (input: Partial<AskInput>) =>
    asking.tryOut(
      { workspaceId },
      { question: 'Message 4 is about a lost card of 12.', strategy: 'HYBRID', adapter: 'nonsense@1', ...input },
      new AbortController().signal,
    );

  it('need the rows to be indexed first, and say so', async () => {
    await expect(fit()).rejects.toMatchObject({ code: 'CONFLICT', hint: 'Index them with indexDataset.' });
    await expect(compare({ adapter: null })).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: 'input' });
    expect(await ended(await data.data.labelIndexes.start(workspaceId, datasetVersionId, newId()))).toMatchObject({
      status: 'SUCCEEDED',
      output: { rows: PER_SPLIT },
    });
  });

  it('count alike until somebody fits them, and then as they deserve', async () => {
    const before = await ask({});
    expect(before.configuration.values).toMatchObject({ labelledRows: { weights: { adapter: 1, neighbours: 1 } } });
    const run = await ended(await fit());
    expect(run).toMatchObject({ status: 'SUCCEEDED' });
    const { weights, accuracy } = hybridFit.outputOf(run)!;
    expect(accuracy.neighbours).toBe(1);
    expect(accuracy.adapter).toBeLessThan(0.7);
    expect(accuracy.both).toBe(1);
    expect(weights.neighbours).toBeGreaterThan(weights.adapter);
    const after = await ask({});
    expect(after.configuration.values).toMatchObject({
      labelledRows: { weights: { adapter: weights.adapter, neighbours: weights.neighbours } },
    });
    expect(after).toMatchObject({ text: 'cards', wording: 'MODEL', adapter: { name: 'nonsense' } });
    expect(after.neighbours[0]).toMatchObject({ datasetVersionId, label: 'cards' });
  });

  it('are compared on the same rows, by every strategy, with paired tests and a sentence', async () => {
    const run = await ended(await compare());
    expect(run).toMatchObject({ status: 'SUCCEEDED', errorMessage: null });
    const found = strategyComparison.outputOf(run)!;
    expect(found.strategies.map(({ strategy }) => strategy)).toEqual(['BASE', 'RAG', 'ADAPTER', 'HYBRID']);
    const of = (name: string) => found.strategies.find(({ strategy }) => strategy === name)!;
    expect(of('RAG').value).toBe(1);
    expect(of('ADAPTER').value).toBeLessThan(0.7);
    expect(found.pairs).toHaveLength(6);
    // Which of the two is quicker, on tiny weights, is the machine's to say.
    expect([of('RAG').value, of('HYBRID').value]).toEqual([1, 1]);
    expect(found.recommended).toBe(of('RAG').medianMs <= of('HYBRID').medianMs ? 'RAG' : 'HYBRID');
    expect(found.sentence).toContain('has the best accuracy: 1.000');
    const recorded = await new AnswerStore(kit.models.database).list(workspaceId, {}, { first: 5, after: null });
    expect(recorded.items).toEqual([]);
  });

  it('leave out rows that the adapter was trained on by another version', async () => {
    await data.data.datasets.createDataset(workspaceId, { name: 'seen-before', task: 'CLASSIFICATION' });
    const row = (text: string, i: number) => ({ text, label: LABELS[i % 3], split: 'test' });
    const learned = Array.from({ length: PER_SPLIT }, (_, i) => i + PER_SPLIT).map((i) =>
      row(`Message ${i} is about ${TOPICS[i % 3]} of ${1_000 + 37 * i} and more.`, i),
    );
    const fresh = Array.from({ length: 9 }, (_, i) => row(`Something else, ${i}, about ${TOPICS[i % 3]} of ${i}.`, i));
    const { id } = await data.imported('seen-before', [...learned, ...fresh]);
    const run = await ended(await compare({ datasetVersionId: id, strategies: ['BASE', 'ADAPTER'] }));
    expect([run.errorMessage, strategyComparison.outputOf(run)!.rows]).toEqual([null, fresh.length]);
  });

  it('are asked only about the rows that an interrupted comparison has left', async () => {
    const { registry, runs } = kit.models;
    let asked = 0;
    const counting = {
      tryOut(...args: Parameters<AskService['tryOut']>) {
        // Beside the rows, foreign texts are asked: those are counted anew.
        if (args[1].question.startsWith('Message ')) asked += 1;
        return asking.tryOut(...args);
      },
    };
    const again = new Comparer({
      runs,
      registry,
      adapters: kit.adapters,
      data: data.data,
      worker: kit.worker.client,
      asking: counting,
      retriever: { scope: () => Promise.reject(new Error('nothing is looked up')) },
    });
    const attempt = { statistics: [1, 1], score: 1, abstained: false, ms: 1 };
    const left = 4;
    const found = await again.compare({
      run: { workspaceId },
      signal: new AbortController().signal,
      input: {
        datasetVersionId,
        split: 'TEST',
        rows: PER_SPLIT,
        seed: 1,
        adapter: 'nonsense@1',
        collections: null,
        strategies: ['RAG', 'HYBRID'],
      },
      resumed: { attempts: Array.from({ length: PER_SPLIT - left }, () => [attempt, attempt]) },
      checkpoint: () => Promise.resolve(),
      progress: () => Promise.resolve(),
      takeTurns: () => Promise.resolve(),
    } as unknown as Parameters<Comparer['compare']>[0]);
    expect(asked).toBe(2 * left);
    expect(found.rows).toBe(PER_SPLIT);
  });

  it('are compared by those strategies alone that the caller wants, if they can answer', async () => {
    const run = await ended(await compare({ strategies: ['RAG', 'HYBRID'], rows: 10 }));
    const found = strategyComparison.outputOf(run)!;
    expect(found.strategies.map(({ strategy }) => strategy)).toEqual(['RAG', 'HYBRID']);
    await expect(compare({ strategies: ['RAG', 'ADAPTER'], adapter: null })).rejects.toMatchObject({
      field: 'input.strategies',
    });
    await expect(compare({ strategies: ['RAG'] })).rejects.toMatchObject({ field: 'input' });
    await expect(compare({ collections: ['nowhere'] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('are never compared on the rows that the adapter learned from', async () => {
    await expect(compare({ split: 'TRAIN' as never })).rejects.toMatchObject({ field: 'input.split' });
  });

  it('cite rows by their place, and nothing of what they say is kept with the answer', async () => {
    const answer = await ask({});
    expect(JSON.stringify({ ...answer, question: '' })).not.toContain('is about');
  });

  it('leave no vector with the router when the rows that an adapter learned from are erased', async () => {
    const { database } = kit.models;
    const [adapter] = (await kit.adapters.store.adapters(workspaceId, null, { first: 1, after: null })).items;
    const version = await kit.adapters.store.resolve(adapter!, { version: 1 });
    const sample = { workspaceId, adapterVersionId: version!.id, embedderDigest: 'any', dimensions: 1 };
    await database.prisma.adapterSample.create({
      data: {
        ...sample,
        vectors: new Uint8Array(4),
        classes: 2,
        weights: new Uint8Array(16),
        ordinals: [0],
      },
    });
    const rowGroups = await data.data.store.rowGroups(datasetVersionId);
    const [row] = await data.data.rows.at('CLASSIFICATION', rowGroups, [1]);
    const erasing = await data.data.datasets.deleteRows(workspaceId, {
      dataset: 'routing',
      keys: [row!.key],
      reason: 'Asked for.',
      idempotencyKey: newId(),
    });
    expect(await ended(erasing)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await database.prisma.adapterSample.count()).toBe(0);
  });
});
