import { PreprocessingStep } from '../../../src/sources/data/index.js';
import { FeatureType } from '../../../src/sources/data/features/feature-view.js';
import type { StartCuration } from '../../../src/learn/feedback/index.js';
import { curation } from '../../../src/learn/feedback/curation/curation-run.js';
import { CurationStore } from '../../../src/learn/feedback/curation/curation-store.js';
import { sha256 } from '../../../src/kernel/hashing.js';
import { newId } from '../../../src/kernel/ids.js';
import { LabelStore } from '../../../src/sources/knowledge/index.js';
import { eventually } from '../../support/eventually.js';
import { labelled } from '../../support/recorded-answers.js';
import { ws } from '../data/data-kit.js';
import { BEN, caller, expected, FeedbackKit, JUDGE, judged, TICKETS } from './feedback-kit.js';

// Each version is made in a process of its own, which takes long where the cores are shared.
jest.setTimeout(240_000);

const LABELS = ['card', 'transfer', 'cash'];

describe('a dataset made of feedback', () => {
  let kit: FeedbackKit;
  let store: CurationStore;
  let sets = 0;
  beforeAll(async () => {
    kit = await FeedbackKit.start();
    store = new CurationStore(kit.kit.database);
    await kit.kit.data.datasets.createDataset(ws, { name: 'declared', task: 'CLASSIFICATION', labels: LABELS });
  }, 60_000);
  afterAll(() => kit.stop());
  beforeEach(() => kit.kit.database.prisma.answer.deleteMany());

  const curate = async (dataset: string, wishes: Partial<StartCuration> = {}) => {
    const run = await kit.opened.curator.start(ws, {
      dataset,
      task: 'CLASSIFICATION',
      filter: {},
      extend: true,
      leastProbability: 0.7,
      leastRows: 1,
      steps: null,
      splitRule: { seed: 's', validation: 0, test: 0.3 },
      idempotencyKey: newId(),
      ...wishes,
    });
    const ended = await kit.kit.ended(run);
    if (ended.status !== 'SUCCEEDED') throw new Error(`${ended.errorCode}: ${ended.errorMessage}`);
    return curation.outputOf(ended)!;
  };
  const rowsOf = async (versionId: string) => {
    const { data } = kit.kit;
    const rows: { key: string; label: string; text: string; split: string }[] = [];
    for await (const batch of data.rows.stream('CLASSIFICATION', await data.store.rowGroups(versionId), {}))
      for (const { key, content, split } of batch) {
        const { label, text } = content as unknown as { label: string; text: string };
        rows.push({ key, label, text, split });
      }
    return rows;
  };
  const lessonsOf = async (versionId: string) =>
    (await store.rowsOf([versionId], { first: 100, after: null })).get(versionId)!.items;
  const name = () => `learned-${++sets}`;
  const questions = (count: number, label: string) =>
    Array.from({ length: count }, (_, i) => ({
      question: `About ${label}, case ${i * 7919} of ${i}`,
      ...labelled(label),
    }));

  it('holds no passage of a document that only a group may read', async () => {
    const { prisma } = kit.kit.database;
    const collectionId = newId();
    const common = { workspaceId: ws, collectionId };
    await prisma.collection.create({ data: { id: collectionId, workspaceId: ws, name: `c-${collectionId}` } });
    const passageOf = async (document: string) => {
      const [documentId, id] = [newId(), newId()];
      const text = `${document} is valid for 21 days.`;
      await prisma.document.create({
        data: {
          id: documentId,
          ...common,
          name: document,
          liveName: document,
          mediaType: 'text/plain',
          sha256: sha256(text),
          bytes: 1n,
          title: document,
          text,
          chunkCount: 1,
        },
      });
      await prisma.chunk.create({
        data: { id, ...common, documentId, ordinal: 0, start: 0, end: text.length, text, termCount: 5 },
      });
      return id;
    };
    const [open, secret] = [await passageOf('open.txt'), await passageOf('secret.txt')];
    const wish = { names: ['secret.txt'], access: ['people'], changedBy: 'test' };
    await new LabelStore(kit.kit.database).set(ws, { id: collectionId, name: 'c' }, wish);
    const [first, second] = await kit.record({ question: 'How long is open?' }, { question: 'How long is secret?' });
    await kit.submit(
      expected(first!, { text: '21 days', passageId: open }),
      expected(second!, { text: '21 days', passageId: secret }),
    );
    const { fresh, leftOut } = await curate(name(), { task: 'QUESTION_ANSWERING' });
    expect({ fresh, leftOut }).toEqual({ fresh: 1, leftOut: [{ reason: 'PASSAGE_GONE', answers: 1 }] });
  });

  it('holds what was demonstrated or confirmed under its answer’s id, a part of it for testing, and nothing else', async () => {
    const [confirmed, corrected, wrong, byModel, told, disputed] = await kit.record(...questions(6, 'card'));
    await kit.submit(
      judged(confirmed!, 1),
      expected(corrected!, { label: 'transfer' }),
      judged(wrong!, -1),
      expected(byModel!, { label: 'cash' }, JUDGE),
      expected(told!, { label: 'cash' }, TICKETS),
      expected(disputed!, { label: 'cash' }),
      expected(disputed!, { label: 'transfer' }, BEN),
    );
    const { versionId, ...counts } = await curate(name());
    expect(counts).toEqual({
      answers: 6,
      demonstrated: 2,
      confirmed: 1,
      fresh: 3,
      created: true,
      moved: [],
      undecided: [],
      proposed: [],
      movedItems: [],
      proposedItems: [],
      leftOut: expect.arrayContaining([
        { reason: 'WRONG_ONLY', answers: 1 },
        { reason: 'UNCONFIRMED', answers: 1 },
        { reason: 'CONFLICTING', answers: 1 },
      ]) as unknown,
    });
    const rows = await rowsOf(versionId!);
    expect(rows.map(({ key, label }) => [key, label]).sort()).toEqual(
      [
        [confirmed, 'card'],
        [corrected, 'transfer'],
        [told, 'cash'],
      ].sort(),
    );
    expect((await lessonsOf(versionId!)).map(({ answerId, basis }) => [answerId, basis])).toEqual([
      [told, 'DEMONSTRATED'],
      [corrected, 'DEMONSTRATED'],
      [confirmed, 'CONFIRMED'],
    ]);
    expect(await store.versionsOf([told!, wrong!], 5)).toEqual(
      new Map([
        [told, [versionId]],
        [wrong, []],
      ]),
    );
  });

  it('gives a part to the test split by the splits’ own rule, and the same rows the same part again', async () => {
    const ids = await kit.record(...questions(40, 'card'));
    await kit.submit(...ids.map((id) => judged(id, 1)));
    const [first, second] = [await curate(name()), await curate(name())];
    const splits = async (versionId: string) =>
      new Map((await rowsOf(versionId)).map(({ key, split }) => [key, split]));
    const tested = [...(await splits(first.versionId!)).values()].filter((split) => split === 'TEST').length;
    expect(tested).toBeGreaterThan(2);
    expect(tested).toBeLessThan(25);
    expect(await splits(second.versionId!)).toEqual(await splits(first.versionId!));
  });

  it('grows by what is new, takes back what is taught otherwise now, and makes no version of nothing new', async () => {
    const dataset = name();
    const [a, b, c] = await kit.record(...questions(3, 'card'));
    await kit.submit(judged(a!, 1), judged(b!, 1));
    const first = await curate(dataset);
    expect(await curate(dataset)).toMatchObject({ versionId: null, created: false, fresh: 0 });
    await kit.submit(judged(c!, 1), judged(b!, -1), expected(b!, { label: 'card' }, BEN));
    expect(await curate(dataset, { leastRows: 2 })).toMatchObject({ versionId: null, fresh: 1 });
    const second = await curate(dataset);
    expect(second).toMatchObject({ created: true, fresh: 1 });
    expect((await rowsOf(second.versionId!)).map(({ key }) => key).sort()).toEqual([a, b, c].sort());
    expect((await lessonsOf(second.versionId!)).map(({ answerId }) => answerId)).toEqual([c, b, a]);
    expect(await store.versionsOf([a!], 5)).toEqual(new Map([[a, [second.versionId, first.versionId]]]));
  });

  describe('where labels mean something else', () => {
    /** A version of an adapter that learned from these rows. */
    async function learned(datasetVersionId: string) {
      const { prisma } = kit.kit.database;
      const id = newId();
      const [workspaceId, bytes] = [ws, 1n];
      const model = await prisma.baseModel.create({
        data: { id, workspaceId, name: `m-${id}`, architecture: 'llama', parameters: 1n, source: 'FILE' },
      });
      const variant = await prisma.modelVariant.create({
        data: {
          id,
          workspaceId,
          modelId: model.id,
          quantization: 'F16',
          sha256: sha256(id),
          bytes,
          contextLength: 512,
          vocabulary: 10,
          location: 'nowhere',
        },
      });
      const adapter = await prisma.adapter.create({
        data: { id, workspaceId, name: `a-${id}`, task: 'CLASSIFICATION', modelId: model.id, lastVersion: 1 },
      });
      await prisma.adapterVersion.create({
        data: {
          id,
          workspaceId,
          adapterId: adapter.id,
          version: 1,
          digest: sha256(id),
          datasetVersionId,
          bytes,
          weightsFileId: newId(),
          configFileId: newId(),
          ggufFileId: newId(),
          ggufSha256: sha256(id),
          rank: 1,
          alpha: 1,
          targets: [],
          variantId: variant.id,
          origin: 'IMPORTED',
          usage: {},
        },
      });
      return { versionId: id, name: adapter.name, version: 1, sha256: sha256(id), scale: 1 };
    }
    const about = (label: string, n: number) => `Old ${label} of ${n * 7919}, number ${n}`;
    const countsOf = async (versionId: string) => {
      const counts: Record<string, number> = {};
      for (const { text, label } of (await rowsOf(versionId)).filter(({ text }) => text.startsWith('Old')))
        counts[`${text.split(' ')[1]} is ${label}`] = (counts[`${text.split(' ')[1]} is ${label}`] ?? 0) + 1;
      return counts;
    };

    /** A person says whether the labels that stand in the queue have moved. */
    const answerOf = async (confirmed: boolean) => {
      const { desk } = kit.opened;
      const item = await desk.claim(caller, { reviewer: 'cleo', itemId: null, reason: 'LABEL_MOVED', skip: [] });
      const nothing = { score: null, comment: null, expectation: null, preferred: null };
      await expect(
        desk.submit(caller, { ...nothing, itemId: item!.id, reviewer: 'cleo', score: 1, confirmed }),
      ).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.confirmed' });
      await desk.submit(caller, { ...nothing, itemId: item!.id, reviewer: 'cleo', confirmed });
      return item!.moves;
    };

    it('takes older rows along once a person confirms it, keeps what somebody said, and never moves them twice on the same word', async () => {
      const set = await kit.kit.dataset();
      const rows = LABELS.flatMap((label) =>
        Array.from({ length: 20 }, (_, n) => ({ id: `${label} ${n}`, text: about(label, n), label })),
      );
      const old = await kit.kit.imported(set, rows);
      const adapter = await learned(old.id);
      const answered = (label: string, count: number) =>
        kit.record(...questions(count, label).map((question) => ({ ...question, adapter })));
      const [card, transfer, cash] = [
        await answered('card', 7),
        await answered('transfer', 6),
        await answered('cash', 24),
      ];
      // One person says what an old row says otherwise; one still calls a card a card.
      const [again] = await kit.record({ question: about('cash', 3), ...labelled('cash'), adapter });
      await kit.submit(
        expected(card[0]!, { label: 'card' }),
        ...card.slice(1).map((id) => expected(id, { label: 'transfer' })),
        ...transfer.map((id) => expected(id, { label: 'card' })),
        ...cash.map((id) => judged(id, 1)),
        expected(again!, { label: 'card' }),
      );
      const clear = ['card', 'transfer', 'cash'].map((label) => ({ gold: label, predicted: label, count: 20 }));
      kit.opened.curator.mover.useHeldOut((_, learnedFrom) =>
        Promise.resolve(
          new Map(
            learnedFrom.flatMap((each) => (each.datasetVersionId === old.id ? [[each.adapterVersionId, clear]] : [])),
          ),
        ),
      );
      const wish = { splitRule: null, filter: { adapterVersionId: adapter.versionId } };
      const moves = [
        { from: 'card', to: 'transfer', lessons: 7, contrary: 6 },
        { from: 'transfer', to: 'card', lessons: 6, contrary: 6 },
      ];
      const asked = await curate(set, wish);
      expect(asked).toMatchObject({ fresh: 38, moved: [], proposed: moves });
      const unmoved = { 'card is card': 20, 'transfer is transfer': 20, 'cash is cash': 19, 'cash is card': 1 };
      expect(await countsOf(asked.versionId!)).toEqual(unmoved);
      // Asked once, however often the lessons are looked at.
      expect(await curate(set, wish)).toMatchObject({ versionId: null, moved: [], proposed: moves });
      expect(await kit.opened.desk.left(caller, { reviewer: 'cleo', reason: 'LABEL_MOVED' })).toBe(1);
      expect(await answerOf(true)).toEqual(moves);
      const { versionId, moved, proposed } = await curate(set, wish);
      expect({ moved, proposed }).toEqual({ moved: moves, proposed: [] });
      expect(await countsOf(versionId!)).toEqual({
        'card is transfer': 20,
        'transfer is card': 20,
        'cash is cash': 19,
        'cash is card': 1,
      });
      const labels = new Map((await rowsOf(versionId!)).map(({ key, label }) => [key, label]));
      expect(labels.get(card[0]!)).toBe('card');
      const [made] = await kit.kit.data.store.versionsByIds(ws, [versionId!]);
      expect(made!.manifest.base!.revision!.labels).toHaveLength(2);

      const more = await answered('card', 8);
      await kit.submit(...more.map((id) => expected(id, { label: 'transfer' })));
      const second = await curate(set, wish);
      expect(second).toMatchObject({ fresh: 8, moved: [] });
      expect(await countsOf(second.versionId!)).toEqual(await countsOf(versionId!));
    });

    it('leaves rows as they are where a person says that a label means what it did, and asks no more', async () => {
      const set = await kit.kit.dataset();
      const rows = LABELS.flatMap((label) =>
        Array.from({ length: 20 }, (_, n) => ({ id: `${label} ${n}`, text: about(label, n), label })),
      );
      const adapter = await learned((await kit.kit.imported(set, rows)).id);
      const answered = (label: string, count: number) =>
        kit.record(...questions(count, label).map((question) => ({ ...question, adapter })));
      const [card, cash] = [await answered('card', 8), await answered('cash', 24)];
      await kit.submit(...card.map((id) => expected(id, { label: 'transfer' })), ...cash.map((id) => judged(id, 1)));
      kit.opened.curator.mover.useHeldOut(() =>
        Promise.resolve(
          new Map([[adapter.versionId, LABELS.map((label) => ({ gold: label, predicted: label, count: 20 }))]]),
        ),
      );
      const wish = { splitRule: null, filter: { adapterVersionId: adapter.versionId } };
      expect(await curate(set, wish)).toMatchObject({ moved: [], proposed: [{ from: 'card', to: 'transfer' }] });
      await answerOf(false);
      expect(await curate(set, wish)).toMatchObject({ moved: [], proposed: [], versionId: null });
    });

    it('leaves older rows alone for answers of an adapter that learned from others', async () => {
      const [set, other] = [await kit.kit.dataset(), await kit.kit.dataset()];
      const rows = LABELS.flatMap((label) =>
        Array.from({ length: 4 }, (_, n) => ({ id: `${label} ${n}`, text: about(label, n), label })),
      );
      await kit.kit.imported(set, rows);
      const adapter = await learned((await kit.kit.imported(other, rows)).id);
      const wrong = await kit.record(...questions(8, 'card').map((question) => ({ ...question, adapter })));
      const right = await kit.record(...questions(12, 'cash').map((question) => ({ ...question, adapter })));
      await kit.submit(...wrong.map((id) => expected(id, { label: 'cash' })), ...right.map((id) => judged(id, 1)));
      const { versionId, moved } = await curate(set, { splitRule: null });
      expect(moved).toEqual([]);
      expect((await countsOf(versionId!))['card is card']).toBe(4);
    });
  });

  it('leaves a row for testing as it is until a person reviews the answer that says otherwise', async () => {
    const set = await kit.kit.dataset();
    const text = 'My card was swallowed by a machine';
    await kit.kit.imported(
      set,
      [
        { text, label: 'card' },
        { text: 'Where is my transfer', label: 'transfer' },
        { text: 'Give me cash', label: 'cash' },
      ],
      { splitRule: { seed: 's', validation: 0, test: 0.98 } },
    );
    const [id] = await kit.record({ question: text, ...labelled('card') });
    await kit.submit(expected(id!, { label: 'cash' }, TICKETS));
    const wish = { splitRule: null };
    const left = await curate(set, wish);
    expect(left).toMatchObject({ versionId: null, fresh: 0, leftOut: [{ reason: 'TESTED_OTHERWISE', answers: 1 }] });
    const { desk } = kit.opened;
    await desk.queue(caller, { answers: [id!], pairs: [], filter: null, most: 1, reviewers: 1 });
    const item = await desk.claim(caller, { reviewer: 'cleo', itemId: null, reason: 'CHOSEN', skip: [] });
    const review = { itemId: item!.id, reviewer: 'cleo', score: null, comment: null, preferred: null, confirmed: null };
    await desk.submit(caller, { ...review, expectation: { label: 'cash' } });
    const { versionId } = await curate(set, wish);
    expect((await rowsOf(versionId!)).filter((row) => row.text === text)).toMatchObject([{ key: id, label: 'cash' }]);
  });

  it('takes no label that its dataset lacks', async () => {
    const [known, strange] = await kit.record(...questions(2, 'card'));
    await kit.submit(judged(known!, 1), expected(strange!, { label: 'crypto', newLabel: true }));
    const { leftOut, fresh } = await curate('declared');
    expect({ leftOut, fresh }).toEqual({ leftOut: [{ reason: 'UNKNOWN_LABEL', answers: 1 }], fresh: 1 });
  });

  it('masks personal data where it is asked to', async () => {
    const [id] = await kit.record({ ...questions(1, 'card')[0]!, question: 'Write to anna.lind@example.com about it' });
    await kit.submit(judged(id!, 1));
    const { versionId } = await curate(name(), { steps: [PreprocessingStep.MASK_PII] });
    const [row] = await rowsOf(versionId!);
    expect(row!.text).not.toContain('anna.lind');
  });

  it('masks personal data where the version that it extends does, and keeps its feature views', async () => {
    const { data } = kit.kit;
    const fields = [{ name: 'plan', type: FeatureType.STRING }];
    await data.features.defineView(ws, { name: 'plans', entity: 'customer', fields });
    const set = await kit.kit.dataset();
    const old = [{ text: 'an old text', label: 'card' }];
    await kit.kit.imported(set, old, { steps: [PreprocessingStep.MASK_PII], features: ['plans'] });
    const [id] = await kit.record({ ...questions(1, 'card')[0]!, question: 'Write to anna.lind@example.com about it' });
    await kit.submit(judged(id!, 1));
    const { versionId } = await curate(set, { splitRule: null });
    expect((await rowsOf(versionId!)).map(({ text }) => text).join()).not.toContain('anna.lind');
    const [version] = await data.store.versionsByIds(ws, [versionId!]);
    expect(version!.manifest.features).toEqual([{ view: 'plans', ttlMs: null }]);
  });

  it('loses the rows of erased answers, with every version that held them', async () => {
    const dataset = name();
    const ids = await kit.record(...questions(4, 'card'));
    await kit.submit(...ids.map((id) => judged(id, 1)));
    const { versionId } = await curate(dataset);
    await kit.answers.remove(ws, { ids: [ids[1]!], conversationId: null }, null);
    const { store: datasets } = kit.kit.data;
    await eventually('the version without', async () => {
      const version = (await datasets.versionsByIds(ws, [versionId!]))[0]!;
      return version.withdrawnAt !== null;
    });
    const set = await datasets.require(ws, dataset, 'name');
    const latest = (await datasets.latest(set.id))!;
    expect((await rowsOf(latest.id)).map(({ key }) => key)).toEqual(ids.filter((_, i) => i !== 1));
    expect((await datasets.versionsByIds(ws, [versionId!]))[0]!.withdrawnReason).toContain('erased');
    expect((await lessonsOf(latest.id)).map(({ answerId }) => answerId)).not.toContain(ids[1]);
    expect(await kit.kit.database.prisma.feedback.count({ where: { answerId: ids[1]! } })).toBe(0);
  });

  it('keeps its lineage when feedback is deleted by age', async () => {
    const [id] = await kit.record(...questions(1, 'card'));
    const [feedbackId] = await kit.submit({ ...judged(id!, 1), comment: 'well said' });
    const [other] = await kit.record({});
    await kit.submit({ ...judged(other!, -1), comment: 'badly said' });
    const { versionId } = await curate(name());
    await kit.kit.database.prisma.feedback.updateMany({ data: { createdAt: new Date('2020-01-01') } });
    await kit.submit(judged(other!, 1, BEN));
    await kit.opened.retention.set(ws, 30);
    await kit.opened.retention.expireAll();
    await kit.opened.retention.set(ws, null);
    expect(await lessonsOf(versionId!)).toEqual([{ answerId: id, basis: 'CONFIRMED', feedbackIds: [feedbackId] }]);
    expect(await kit.opened.feedback.byIds({ workspaceId: ws }, [feedbackId!])).toMatchObject([
      { comment: null, score: 1, erasedAt: expect.any(Date) as unknown },
    ]);
    const left = await kit.kit.database.prisma.feedback.findMany({ where: { answerId: other! } });
    expect(left.map(({ sourceName }) => sourceName)).toEqual(['ben']);
    expect(await kit.kit.database.prisma.answer.findFirst({ where: { id: other! } })).toMatchObject({
      feedbackCount: 1,
      feedbackWrong: 0,
    });
  });

  it.each<[string, Partial<StartCuration>, string]>([
    ['a dataset for another task', { dataset: 'declared', task: 'EXTRACTION' }, 'BAD_USER_INPUT'],
    ['no dataset and no task', { dataset: 'nothing', task: null }, 'NOT_FOUND'],
    ['a probability of 2', { leastProbability: 2 }, 'BAD_USER_INPUT'],
    ['fewer than one row', { leastRows: 0 }, 'BAD_USER_INPUT'],
    ['shares that leave nothing', { splitRule: { seed: 's', validation: 0.5, test: 0.5 } }, 'BAD_USER_INPUT'],
    ['a sample of nothing', { filter: { sample: { rate: 0, seed: 1 } } }, 'BAD_USER_INPUT'],
  ])('is refused for %s', async (_, wishes, code) => {
    await expect(curate(wishes.dataset ?? 'declared', wishes)).rejects.toMatchObject({
      code,
    });
  });
});
