import { openDomains } from '../../../src/server/domains.js';
import type { Evaluator, ScaleChooser, StartEvaluation } from '../../../src/prove/index.js';
import { storedFigures } from '../../../src/prove/evaluations/figures.js';
import { DEFAULT_WORKSPACE_ID as workspaceId, newId } from '../../../src/kernel/ids.js';
import { encodeCursor } from '../../../src/kernel/pagination.js';
import { runStream, type RunQueue, type RunRow } from '../../../src/platform/runs/index.js';
import { DataKit } from '../data/data-kit.js';
import { eventually } from '../../support/eventually.js';
import { instead } from '../../support/instead.js';
import { AdapterKit } from './adapter-kit.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(240_000);

const LABELS = ['billing', 'cards', 'travel'];
const TOPICS = ['an invoice', 'a lost card', 'a trip'];
const TEST_ROWS = 60;

describe('evaluation', () => {
  let kit: AdapterKit;
  let data: DataKit;
  let runs: RunQueue;
  let evaluator: Evaluator;
  let scales: ScaleChooser;
  let datasetVersionId: string;
  let asked = 0;
  type ScoreNext = AdapterKit['worker']['client']['scoreNext'];
  /** Answers in the worker's place. */
  let scoring: ScoreNext | null = null;

  /** Another gateway on the same servers, which does what the one before has left. */
  const startNext = async (): Promise<void> => {
    const { test } = kit.models;
    const platform = test.other({ owner: newId() });
    const next = await openDomains(platform);
    await next.registry.registry.ensureEmbedder();
    test.handle(next);
    platform.runs.start();
    ({ runs } = platform);
    ({ evaluator, scales } = next.evaluation);
  };

  beforeAll(async () => {
    kit = await AdapterKit.start({
      realModels: true,
      watched: (client) =>
        instead(client, {
          scoreNext(...args) {
            asked += 1;
            return scoring ? scoring(...args) : client.scoreNext(...args);
          },
        }),
    });
    data = new DataKit(kit.models.test, kit.domains);
    await data.data.datasets.createDataset(workspaceId, { name: 'routing', task: 'CLASSIFICATION' });
    const rows = Array.from({ length: 3 * TEST_ROWS }, (_, i) => ({
      text: `Message ${i} is about ${TOPICS[i % 3]} of ${1_000 + 37 * i} and more.`,
      label: LABELS[i % 3],
      split: ['test', 'train', 'validation'][Math.floor(i / 3) % 3],
    }));
    datasetVersionId = (await data.imported('routing', rows)).id;
    for (const [name, seed] of [
      ['first', 1],
      ['second', 2],
    ] as const)
      await kit.add({
        name,
        seed,
        task: 'CLASSIFICATION',
        usage: {
          labels: LABELS,
          answer: { form: 'label-token', labels: LABELS.map((label, i) => ({ label, token: 40 + i })) },
        },
      });
    ({ runs } = kit.models);
    ({ evaluator, scales } = kit.domains.evaluation);
  });
  afterAll(() => kit.dispose());

  const otherTask = async () => {
    await data.data.datasets.createDataset(workspaceId, { name: 'moods', task: 'CLASSIFICATION' });
    const rows = Array.from({ length: 8 }, (_, i) => ({
      text: `The ${i}th film was ${i % 2 ? 'dull and long' : 'bright and short'}.`,
      label: i % 2 ? 'bad' : 'good',
      split: i < 4 ? 'test' : 'train',
    }));
    return data.imported('moods', rows);
  };
  const start = (more: Partial<StartEvaluation>): Promise<RunRow> =>
    evaluator.start(workspaceId, {
      adapter: 'first@1',
      model: null,
      against: 'second@1',
      datasetVersionId,
      split: 'TEST',
      rows: 100,
      seed: 1,
      force: false,
      retention: false,
      others: [],
      regression: false,
      foreign: false,
      idempotencyKey: newId(),
      ...more,
    });
  const ended = (run: RunRow) => kit.models.ended(run, 200_000);
  const recorded = async (id: string) => (await evaluator.store.byIds(workspaceId, [id]))[0]!;

  const FOREIGN = 'How tall is the Eiffel Tower, and who built it?';
  const askKnowing = (question: string, more: object = {}) =>
    kit.domains.ask.asking.tryOut(
      { workspaceId },
      { question, strategy: 'ADAPTER', adapter: 'knowing@1', ...more },
      new AbortController().signal,
    );

  it('learns which messages are its own, refuses others wherever it is asked, and says how many it takes', async () => {
    const usage = {
      labels: LABELS,
      answer: { form: 'label-token' as const, labels: LABELS.map((label, i) => ({ label, token: 40 + i })) },
    };
    await kit.add({ name: 'knowing', seed: 8, task: 'CLASSIFICATION', usage, datasetVersionId });
    expect((await askKnowing(FOREIGN)).abstention).toBeNull();
    const run = await ended(await start({ adapter: 'knowing@1', against: null, foreign: true }));
    expect(run).toMatchObject({ status: 'SUCCEEDED', errorMessage: null });
    const { foreign: figures } = storedFigures.decode((await recorded(run.id)).figures);
    expect(figures!.level).toBe(0.05);
    expect(figures!.sets.map(({ name }) => name)).toContain('small talk and general questions');
    expect(figures!.texts).toBeGreaterThan(60);
    expect(figures!.foreignAccepted.value).toBeLessThan(0.1);
    expect(figures!.ownRefused.value).toBeLessThan(0.25);
    const refused = await eventually('what was learned is known', async () => {
      const answer = await askKnowing(FOREIGN);
      return answer.abstention ? answer : null;
    });
    expect(refused).toMatchObject({
      wording: 'ABSTENTION',
      output: { kind: 'TEXT' },
      abstention: { reason: 'FOREIGN', threshold: 0.05, pValue: expect.any(Number) as number },
      usage: { promptTokens: 0, generatedTokens: 0 },
    });
    expect(refused.abstention!.pValue).toBeLessThan(0.05);
    expect(refused.route.reasons.map(({ feature }) => feature)).toContain('answer.foreign');
    // Whoever wants a label at any price gets one.
    expect((await askKnowing(FOREIGN, { maxOwnRefused: 0 })).output.kind).toBe('LABEL');
    const own = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        askKnowing(`Message ${500 + i} is about ${TOPICS[i % 3]} of ${9_000 + i} and more.`),
      ),
    );
    expect(own.filter(({ abstention }) => abstention === null).length).toBeGreaterThanOrEqual(9);
  });

  it('says what it is at, and never that it is less far than before', async () => {
    const all = { rows: 3, against: null, foreign: true, retention: true, regression: true };
    const run = await ended(await start({ adapter: 'knowing@1', ...all }));
    const events = await kit.models.database.prisma.event.findMany({
      where: { stream: runStream(run.id), type: 'progress' },
      orderBy: { sequence: 'asc' },
    });
    const said = events.map(({ payload }) => payload as { progress: number; message: string });
    const shares = said.map(({ progress }) => progress);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect([...new Set(said.map(({ message }) => message))]).toEqual([
      '3 of 3 rows are answered.',
      'Learning which messages are its own.',
      'Measuring what the adapter has forgotten.',
      'Asking a regression on the embedder’s vectors, and the nearest labelled rows.',
    ]);
  });

  it('measures on a version of rows for testing alone, which can be neither trained on nor indexed', async () => {
    const { datasets } = data.data;
    await datasets.createDataset(workspaceId, { name: 'held-out', task: 'CLASSIFICATION' });
    const rows = Array.from({ length: 30 }, (_, i) => ({
      text: `Another message, ${i}, about ${TOPICS[i % 3]} of ${2_000 + 41 * i}.`,
      label: LABELS[i % 3],
      split: 'test',
    }));
    const { id } = await data.imported('held-out', rows);
    const [ofAdapter, ofBase] = [
      await ended(await start({ datasetVersionId: id, against: null, regression: true })),
      await ended(await start({ datasetVersionId: id, against: null, adapter: null })),
    ];
    expect([ofAdapter.errorMessage, ofBase.errorMessage]).toEqual([null, null]);
    expect(await recorded(ofAdapter.id)).toMatchObject({ rows: 30 });
    // Nothing is there that a regression could have learned from.
    expect(storedFigures.decode((await recorded(ofAdapter.id)).figures).regression).toBeNull();
    const refused = { code: 'DATASET_UNUSABLE', message: 'Version 1 has no row for training.' };
    await expect(datasets.trainableVersion(workspaceId, id, 'input.datasetVersion')).rejects.toMatchObject(refused);
    await expect(data.data.labelIndexes.start(workspaceId, id, newId())).rejects.toMatchObject(refused);
  });

  it('asks nobody about rows for testing that another version let it learn from', async () => {
    await data.data.datasets.createDataset(workspaceId, { name: 'taken-apart', task: 'CLASSIFICATION' });
    const row = (i: number, split: string) => ({
      text: `A third message, ${i}, about ${TOPICS[i % 3]} of ${3_000 + 43 * i}.`,
      label: LABELS[i % 3],
      split,
    });
    const learned = Array.from({ length: 24 }, (_, i) => row(i, 'train'));
    const { id: datasetVersionId } = await data.imported('taken-apart', learned);
    const usage = {
      labels: LABELS,
      answer: { form: 'label-token' as const, labels: LABELS.map((label, i) => ({ label, token: 40 + i })) },
    };
    await kit.add({ name: 'learned-some', seed: 5, task: 'CLASSIFICATION', usage, datasetVersionId });
    const inheritedFrom = [datasetVersionId];
    await kit.add({ name: 'of-a-parent-that-did', seed: 6, task: 'CLASSIFICATION', usage, inheritedFrom });
    const asTest = async (name: string, from: number, to: number) => {
      await data.data.datasets.createDataset(workspaceId, { name, task: 'CLASSIFICATION' });
      return data.imported(
        name,
        Array.from({ length: to - from }, (_, i) => row(from + i, 'test')),
      );
    };
    const [some, all] = [await asTest('some-learned', 12, 36), await asTest('all-learned', 0, 24)];
    const of = async (version: { id: string }, adapter: string, against: string | null) =>
      ended(await start({ adapter, against, datasetVersionId: version.id }));
    const own = await of(some, 'learned-some@1', null);
    expect(await recorded(own.id)).toMatchObject({ rows: 12 });
    expect(await recorded((await of(some, 'of-a-parent-that-did@1', null)).id)).toMatchObject({ rows: 12 });
    const beside = await of(some, 'first@1', 'learned-some@1');
    expect(await recorded(beside.id)).toMatchObject({ rows: 12 });
    expect(await recorded((await of(some, 'first@1', null)).id)).toMatchObject({ rows: 24 });
    expect(await of(all, 'learned-some@1', null)).toMatchObject({
      status: 'FAILED',
      errorCode: 'DATASET_UNUSABLE',
      errorMessage: 'All TEST rows of version 1 are among those that the adapter was trained on.',
    });
  });

  it('measures an adapter and another on the same rows, with intervals, and shows what broke first', async () => {
    const run = await ended(await start({}));
    expect(run).toMatchObject({ status: 'SUCCEEDED', output: { rows: TEST_ROWS } });
    const found = storedFigures.decode((await recorded(run.id)).figures);
    expect(found.metrics.map(({ name }) => name)).toEqual(['accuracy', 'macro-F1', 'worst-class F1', 'ECE']);
    const { gained, lost } = found.metrics[0]!.pairs!;
    expect((gained - lost) / TEST_ROWS).toBeCloseTo(found.metrics[0]!.difference!.value, 9);
    const [accuracy] = found.metrics;
    expect(accuracy!.low).toBeLessThanOrEqual(accuracy!.value);
    expect(accuracy!.high).toBeGreaterThanOrEqual(accuracy!.value);
    const first = await evaluator.store.rows(run.id, { first: 50, after: null });
    const last = first.items.at(-1)!;
    const after = encodeCursor([last.difference, last.position]);
    const rest = await evaluator.store.rows(run.id, { first: 50, after });
    const rows = [...first.items, ...rest.items];
    expect(new Set(rows.map(({ position }) => position)).size).toBe(TEST_ROWS);
    const differences = rows.map(({ difference }) => difference);
    expect(differences).toEqual([...differences].sort((a, b) => a - b));
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / TEST_ROWS;
    expect(mean(rows.map(({ score }) => score))).toBeCloseTo(accuracy!.value, 9);
    expect(mean(differences)).toBeCloseTo(accuracy!.difference!.value, 9);
    expect(found.confusions.reduce((sum, { count }) => sum + count, 0)).toBe(TEST_ROWS);
  });

  it('goes on behind the rows that are stored when it was interrupted', async () => {
    asked = 0;
    const run = await start({});
    await eventually('the first rows', async () => (await evaluator.store.answers(run.id)).answers.length > 0, 120_000);
    await runs.stop();
    const before = (await evaluator.store.answers(run.id)).answers.length;
    expect(before).toBeLessThan(TEST_ROWS);
    asked = 0;
    await startNext();
    expect(await ended(run)).toMatchObject({ status: 'SUCCEEDED' });
    expect(asked).toBe(2 * (TEST_ROWS - before));
    expect((await recorded(run.id)).rows).toBe(TEST_ROWS);
  });

  it('keeps the scale of both, and ends where one of them was given another while it was interrupted', async () => {
    const { version } = await kit.adapters.requireVersionById(
      workspaceId,
      (await kit.adapters.resolve(workspaceId, 'second@1')).versionId,
    );
    const run = await start({});
    await eventually('the first rows', async () => (await evaluator.store.answers(run.id)).answers.length > 0, 120_000);
    await runs.stop();
    expect(await recorded(run.id)).toMatchObject({ scale: 1, againstScale: 1 });
    await kit.adapters.rescale(version, 0.5, {});
    await startNext();
    expect(await ended(run)).toMatchObject({ status: 'FAILED', errorCode: 'CONFLICT' });
    const again = await ended(await start({ rows: 5 }));
    expect(await recorded(again.id)).toMatchObject({ scale: 1, againstScale: 0.5 });
    await kit.adapters.rescale(version, 1, {});
    const ofBase = await ended(await start({ rows: 5, against: null }));
    expect(await recorded(ofBase.id)).toMatchObject({ scale: 1, againstScale: null });
  });

  it('begins no further row once it is stopped, though one that was under way still ends well', async () => {
    let first = true;
    scoring = async ({ candidates }, { signal } = {}) => {
      const fails = first;
      first = false;
      await new Promise((resolve) => signal!.addEventListener('abort', resolve));
      if (fails) throw signal!.reason;
      return { logits: candidates.map(() => 0) } as Awaited<ReturnType<ScoreNext>>;
    };
    asked = 0;
    const run = await start({});
    await eventually('four rows at once', () => Promise.resolve(asked === 4), 120_000);
    await runs.stop();
    scoring = null;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(asked).toBe(4);
    await startNext();
    expect(await ended(run)).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('draws the same sample for the same seed', async () => {
    const draw = async (seed: number): Promise<number[]> => {
      const run = await ended(await start({ rows: 10, seed }));
      return (await evaluator.store.rows(run.id, { first: 20, after: null })).items
        .map(({ ordinal }) => ordinal)
        .sort();
    };
    const [once, again, other] = [await draw(3), await draw(3), await draw(4)];
    expect(once).toHaveLength(10);
    expect(again).toEqual(once);
    expect(other).not.toEqual(once);
  });

  it('counts a label that the adapter never learned as wrong, and names it', async () => {
    await data.data.datasets.createDataset(workspaceId, { name: 'more-labels', task: 'CLASSIFICATION' });
    const rows = Array.from({ length: 12 }, (_, i) => ({
      text: `Note ${i} is about ${i % 2 ? 'an invoice' : 'a mortgage'} of ${2_000 + 41 * i}.`,
      label: i % 2 ? 'billing' : 'loans',
      split: i < 6 ? 'test' : 'train',
    }));
    const { id } = await data.imported('more-labels', rows);
    const run = await ended(await start({ datasetVersionId: id, against: null }));
    expect(run).toMatchObject({ status: 'SUCCEEDED', output: { rows: 6 } });
    const { classes, confusions } = storedFigures.decode((await recorded(run.id)).figures);
    expect(classes.find(({ label }) => label === 'loans')).toMatchObject({ support: 3, recall: 0 });
    const loans = confusions.filter(({ gold }) => gold === 'loans');
    expect(loans.reduce((sum, { count }) => sum + count, 0)).toBe(3);
    expect(loans.map(({ predicted }) => predicted)).not.toContain('loans');
  });

  it('refuses rows for training unless it is forced to, another task, and more rows than it takes', async () => {
    const train = { split: 'TRAIN' as never, rows: 5 };
    await expect(start(train)).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.split' });
    const forced = await ended(await start({ ...train, force: true }));
    expect(await recorded(forced.id)).toMatchObject({ split: 'TRAIN', rows: 5 });
    await expect(start({ rows: 5_001 })).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.rows' });
    await kit.add({ name: 'other-task', seed: 5 });
    await expect(start({ adapter: 'other-task@1' })).rejects.toMatchObject({ field: 'input.adapter' });
  });

  it('measures where it is served what an adapter has forgotten of general text, general answers and another task', async () => {
    const others = [(await otherTask()).id];
    const run = await ended(await start({ rows: 5, retention: true, others }));
    expect(run).toMatchObject({ status: 'SUCCEEDED' });
    const evaluated = await recorded(run.id);
    expect(evaluated.scale).toBe(1);
    const { retention } = storedFigures.decode(evaluated.figures);
    const { perplexity, texts, prompts, topAgreement, divergence, misrouted, others: flips } = retention!;
    expect(texts.map(({ name }) => name)).toEqual(['everyday', 'narrative', 'reference']);
    expect(texts.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(perplexity.tokens);
    expect(perplexity.ratio.value).toBeCloseTo(perplexity.adapted / perplexity.base, 6);
    expect(perplexity.ratio.low).toBeLessThan(perplexity.ratio.value);
    expect(perplexity.ratio.high).toBeGreaterThan(perplexity.ratio.value);
    expect(perplexity.ratio.value).not.toBe(1);
    expect(prompts).toBe(32);
    for (const share of [topAgreement, misrouted]) {
      expect(share.value).toBeGreaterThanOrEqual(0);
      expect(share.value).toBeLessThan(1);
    }
    expect(divergence.value).toBeGreaterThan(0);
    expect(flips).toMatchObject([{ datasetVersionId: others[0], rows: 4 }]);
  });

  it('finds nothing forgotten by an adapter that changes nothing', async () => {
    await kit.add({ name: 'nothing', seed: 6, strength: 0, task: 'CLASSIFICATION', usage: { labels: LABELS } });
    const run = await ended(await start({ adapter: 'nothing@1', against: null, rows: 3, retention: true }));
    expect(storedFigures.decode((await recorded(run.id)).figures).retention).toMatchObject({
      perplexity: { ratio: { value: 1, low: 1, high: 1 } },
      topAgreement: { value: 1 },
      divergence: { value: 0 },
      misrouted: { value: 1 },
    });
  });

  it('looks for forgetting on other tasks only, a few of them, and only beside retention', async () => {
    const own = { retention: true, others: [datasetVersionId] };
    await expect(start(own)).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.otherTasks' });
    const unmeasured = { retention: false, others: [newId()] };
    await expect(start(unmeasured)).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.otherTasks' });
    await expect(start({ retention: true, others: [newId()] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('holds labels against a regression on the embedder’s vectors, and the nearest rows, on the same rows', async () => {
    const run = await ended(await start({ regression: true }));
    expect(run).toMatchObject({ status: 'SUCCEEDED' });
    const { regression, nearestRows, metrics } = storedFigures.decode((await recorded(run.id)).figures);
    expect(regression).toMatchObject({ embedder: kit.models.registry.embedder().name, trainedOn: TEST_ROWS });
    // The topics are easy to tell for whoever reads English, which the tiny model does not.
    expect(regression!.accuracy.value).toBeGreaterThan(0.95);
    expect(regression!.difference.value).toBeCloseTo(metrics[0]!.value - regression!.accuracy.value, 9);
    expect(regression!.difference.high).toBeLessThan(0);
    expect(regression!.difference.p).toBeLessThan(0.01);
    expect(regression!.onlyRegression - regression!.onlyAnswers).toBe(
      Math.round(-regression!.difference.value * TEST_ROWS),
    );
    expect(nearestRows).toMatchObject({ trainedOn: TEST_ROWS });
    expect(nearestRows!.accuracy.value).toBeGreaterThan(0.95);
    expect(nearestRows!.difference.value).toBeCloseTo(metrics[0]!.value - nearestRows!.accuracy.value, 9);
  });

  it('refuses nothing where rows for testing show that it would lose more of its own than promised', async () => {
    await data.data.datasets.createDataset(workspaceId, { name: 'phrased-otherwise', task: 'CLASSIFICATION' });
    const rows = Array.from({ length: 30 }, (_, i) => ({
      text: `My aunt in ${['Lyon', 'Oslo', 'Kyoto'][i % 3]} wonders how ${TOPICS[i % 3]} came to cost her ${20 + i} euros.`,
      label: LABELS[i % 3],
      split: 'test',
    }));
    const { id } = await data.imported('phrased-otherwise', rows);
    const run = await ended(
      await start({ adapter: 'knowing@1', against: null, foreign: true, force: true, datasetVersionId: id }),
    );
    expect(run).toMatchObject({ status: 'SUCCEEDED', errorMessage: null });
    const { foreign: figures } = storedFigures.decode((await recorded(run.id)).figures);
    expect(figures!.ownRefused.low).toBeGreaterThan(0.05);
    expect((await askKnowing(FOREIGN)).abstention).toBeNull();
  });

  it('gives a version the scale that answers its rows for validation best, and drops its attestation at another', async () => {
    const version = await kit.add({
      name: 'scaled',
      seed: 1,
      task: 'CLASSIFICATION',
      usage: {
        labels: LABELS,
        answer: { form: 'label-token', labels: LABELS.map((label, i) => ({ label, token: 40 + i })) },
      },
    });
    const proof = { v: 1, digest: version.ggufSha256, variantSha256: kit.variant.sha256, probes: 8 } as const;
    const measured = { cosine: 1, normRatio: 1, effect: 1, offIsBase: true, attestedAt: new Date().toISOString() };
    await kit.adapters.attest(version, { ...proof, ...measured, modules: { matched: 6, expected: 6 } });
    const choose = async (): Promise<RunRow> =>
      ended(
        await scales.start(workspaceId, {
          adapter: 'scaled',
          version: 1,
          datasetVersionId,
          rows: 30,
          seed: 1,
          idempotencyKey: newId(),
        }),
      );
    const run = await choose();
    expect(run).toMatchObject({ status: 'SUCCEEDED', output: { metric: 'accuracy' } });
    const { scale, tried } = run.output as unknown as { scale: number; tried: { scale: number; value: number }[] };
    expect(tried.map((each) => each.scale)).toEqual([0.5, 0.625, 0.75, 0.875, 1]);
    const best = Math.max(...tried.map(({ value }) => value));
    expect(scale).toBe(tried.find(({ value }) => value === best)!.scale);
    const [row] = await kit.adapters.store.versionsById(workspaceId, [version.id]);
    expect(row).toMatchObject({ scale, metrics: { scales: tried, scaleMetric: 'accuracy' } });
    expect(row!.attestation === null).toBe(scale !== 1);
    expect((await kit.adapters.resolve(workspaceId, 'scaled@1')).file.scale).toBe(scale);

    // What an alias names keeps its scale.
    await kit.adapters.attest(row!, { ...proof, ...measured, modules: { matched: 6, expected: 6 } });
    await kit.adapters.promote(workspaceId, {
      adapter: 'scaled',
      version: 1,
      alias: 'production',
      by: 'op',
      reason: 'test',
      evidence: {},
    });
    expect(await choose()).toMatchObject({ status: 'FAILED', errorCode: 'CONFLICT' });
  });

  it('forgets the texts of its rows when those of the dataset version are erased', async () => {
    const run = await ended(await start({ rows: 5 }));
    await kit.models.database.prisma.datasetVersion.update({
      where: { id: datasetVersionId },
      data: { withdrawnAt: new Date(), withdrawnReason: 'erased' },
    });
    expect((await evaluator.store.rows(run.id, { first: 5, after: null })).items).toEqual([]);
    expect((await recorded(run.id)).figures).not.toBeNull();
    // An evaluation that is still at it writes no more of them.
    await expect(
      kit.models.database.prisma.$transaction((tx) => evaluator.store.hold(run.id, tx)),
    ).rejects.toMatchObject({ code: 'DATASET_UNUSABLE' });
  });
});
