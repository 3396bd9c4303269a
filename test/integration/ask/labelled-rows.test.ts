import { Readable } from 'node:stream';
import { LabelIndexes } from '../../../src/sources/data/index.js';
import { newId } from '../../../src/kernel/ids.js';
import { startAnswering, type Answering } from './answering.js';

jest.setTimeout(240_000);

const TOPICS = {
  cards: ['My card was swallowed by the machine', 'I lost my debit card', 'Please send me a new card'],
  travel: ['Which exchange rate do I get abroad', 'Can I pay in euros on my holiday', 'Does it work in Spain'],
  billing: ['You charged me twice', 'There is a fee on my invoice', 'I want my payment back'],
};

describe('labelled rows', () => {
  let answering: Answering;
  let versionId: string;

  beforeAll(async () => {
    answering = await startAnswering();
    versionId = await dataset('routing');
  });
  afterAll(() => answering.stop());

  async function imported(name: string, rows: readonly object[]): Promise<string> {
    const { data, files, workspaceId, finished } = answering;
    const file = await files.store(workspaceId, {
      name: `${name}.jsonl`,
      mediaType: 'application/jsonl',
      maxBytes: 1e6,
      source: Readable.from([Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))]),
    });
    const run = await data.datasets.addVersion(workspaceId, {
      dataset: name,
      files: [{ fileId: file.id }],
      extend: false,
      steps: [],
      features: [],
      maxTokens: 512,
      minRowsPerLabel: 1,
      idempotencyKey: newId(),
    });
    expect(await finished(run)).toMatchObject({ status: 'SUCCEEDED' });
    return (await data.store.latest((await data.store.byName(workspaceId, name))!.id))!.id;
  }

  async function dataset(name: string): Promise<string> {
    const { data, workspaceId } = answering;
    await data.datasets.createDataset(workspaceId, { name, task: 'CLASSIFICATION' });
    const rows = Object.entries(TOPICS).flatMap(([label, texts]) =>
      texts.map((text, i) => ({ id: `${label}-${i}`, text, label, split: 'train', subject: i === 0 ? 'ann' : null })),
    );
    return imported(name, rows);
  }

  async function index(id = versionId) {
    const { data, workspaceId, finished } = answering;
    return finished(await data.labelIndexes.start(workspaceId, id, newId()));
  }
  async function indexVector(text: string): Promise<Float32Array> {
    const { worker, workspaceId, registry } = answering;
    const { vectors } = await worker.embed({ workspaceId, embedder: registry.embedder(), texts: [text] });
    return vectors[0]!;
  }
  const ask = (question: string, more: object = {}) =>
    answering.service.ask(
      answering.caller,
      { question, strategy: 'RAG', dataset: 'routing', ...more },
      new AbortController().signal,
    );

  it('are said to be missing where nobody indexed them', async () => {
    await expect(ask('Where is my card?')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      field: 'input.dataset',
      hint: 'Index one with indexDataset.',
    });
  });

  it('answer by those nearest to the question, without the model, and are cited', async () => {
    expect(await index()).toMatchObject({ status: 'SUCCEEDED', output: { rows: 9 } });
    const answer = await ask('My debit card is lost');
    expect(answer).toMatchObject({
      text: 'cards',
      wording: 'EVIDENCE',
      abstention: null,
      usage: { generatedTokens: 0 },
    });
    expect(answer.neighbours).toHaveLength(9);
    expect(answer.neighbours[0]).toMatchObject({ datasetVersionId: versionId, label: 'cards' });
    const { output } = answer;
    const sum =
      output.kind === 'LABEL' ? output.probabilities.reduce((all, { probability }) => all + probability, 0) : 0;
    expect(sum).toBeCloseTo(1, 6);
    const { data, workspaceId } = answering;
    const [version] = await data.store.versionsByIds(workspaceId, [versionId]);
    const [row] = await data.rows.at('CLASSIFICATION', await data.store.rowGroups(version!.id), [
      answer.neighbours[0]!.ordinal,
    ]);
    expect(row!.content).toMatchObject({ text: 'I lost my debit card', label: 'cards' });
  });

  it('give no label that is less probable than the caller wants', async () => {
    const answer = await ask('My debit card is lost', { minConfidence: 1 });
    expect(answer.abstention).toMatchObject({ reason: 'LOW_CONFIDENCE', threshold: 1 });
  });

  it('are not read together with documents, nor by a strategy that reads nothing', async () => {
    await expect(ask('?', { collections: ['handbook'] })).rejects.toMatchObject({ field: 'input.dataset' });
    await expect(ask('?', { strategy: 'BASE' })).rejects.toMatchObject({ field: 'input.dataset' });
    await expect(ask('?', { task: 'TRANSLATION' })).rejects.toMatchObject({ field: 'input.task' });
  });

  it('are refused of rows that have no labels', async () => {
    const { data, workspaceId } = answering;
    await data.datasets.createDataset(workspaceId, { name: 'sentences', task: 'TRANSLATION' });
    const id = await imported('sentences', [
      { source: 'Good morning, how are you?', target: 'Buenos días', source_language: 'en', target_language: 'es' },
    ]);
    await expect(index(id)).rejects.toMatchObject({ code: 'DATASET_UNUSABLE' });
  });

  it('are not embedded twice where a run that indexes them was interrupted', async () => {
    const { data, workspaceId, database, worker } = answering;
    await data.datasets.createDataset(workspaceId, { name: 'many', task: 'CLASSIFICATION' });
    const rows = Array.from({ length: 300 }, (_, i) => ({
      id: `${i}`,
      text: `Note ${i} tells of the number ${i * 17}`,
      label: i % 2 ? 'odd' : 'even',
      split: 'train',
    }));
    const datasetVersionId = await imported('many', rows);
    const texts: number[] = [];
    const indexes = new LabelIndexes({
      runs: answering.runs,
      datasets: data.datasets,
      datasetStore: data.store,
      rows: data.rows,
      store: data.labelIndexes.store,
      vectors: answering.vectors,
      embedder: () => answering.registry.embedder(),
      worker: {
        embed(request, options) {
          texts.push(request.texts.length);
          return worker.embed(request, options);
        },
      },
    });
    type Context = Parameters<LabelIndexes['index']>[0];
    let resumed: Context['resumed'] = null;
    const context = (takeTurns: () => Promise<void>): Context =>
      ({
        run: { workspaceId },
        input: { datasetVersionId },
        signal: new AbortController().signal,
        resumed,
        takeTurns,
        checkpoint: (place: NonNullable<Context['resumed']>) => Promise.resolve(void (resumed = place)),
        progress: () => Promise.resolve(),
        fenced: (work: Parameters<Context['fenced']>[0]) => database.prisma.$transaction(work),
      }) as unknown as Context;
    await expect(indexes.index(context(() => Promise.reject(new Error('stopped'))))).rejects.toThrow('stopped');
    expect(texts).toEqual([256]);
    expect(await indexes.index(context(() => Promise.resolve()))).toMatchObject({ rows: 300 });
    // The rest, and those that are judged by the others.
    expect(texts).toEqual([256, 44, 300]);
    expect(
      await indexes.nearest(workspaceId, resumed!.indexId, await indexVector('Note 7 tells of the number 119'), 1),
    ).toEqual([expect.objectContaining({ label: 'odd', similarity: expect.closeTo(1, 3) })]);
  });

  it('leave neither vector nor text behind when a person’s rows are erased', async () => {
    const { data, workspaceId, finished, vectors } = answering;
    const before = (await data.labelIndexes.find(workspaceId, { datasetVersionId: versionId }))!;
    // What a run leaves that was cut off: vectors of an index that never answered.
    const begun = { ...before, id: newId() };
    await data.labelIndexes.store.begin({
      id: begun.id,
      workspaceId,
      datasetVersionId: versionId,
      embedderDigest: before.embedderDigest,
    });
    await vectors.ensure(workspaceId, begun.id, 384);
    const run = await data.datasets.deleteRows(workspaceId, {
      dataset: 'routing',
      subject: 'ann',
      reason: 'She asked.',
      idempotencyKey: newId(),
    });
    expect(await finished(run)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await data.labelIndexes.find(workspaceId, { datasetVersionId: versionId })).toBeNull();
    for (const { id } of [before, begun])
      await expect(vectors.query(workspaceId, id, new Float32Array(384).fill(0.1), 1)).rejects.toMatchObject({
        code: 'VECTOR_STORE_UNAVAILABLE',
      });
    await expect(ask('Where is my card?')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
