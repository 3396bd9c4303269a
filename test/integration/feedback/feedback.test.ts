import { AnswerStore } from '../../../src/answer/ask/index.js';
import { DatasetStore } from '../../../src/sources/data/datasets/dataset-store.js';
import { AS_ANSWERED } from '../../../src/learn/feedback/expectation.js';
import { FeedbackService, FeedbackStore, type FeedbackInput } from '../../../src/learn/feedback/index.js';
import type { CallerKey } from '../../../src/kernel/caller.js';
import { DEFAULT_WORKSPACE_ID as workspaceId, newId, type WorkspaceId } from '../../../src/kernel/ids.js';
import { encodeCursor } from '../../../src/kernel/pagination.js';
import { DocumentStore } from '../../../src/sources/knowledge/index.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { labelled, recordAnswers, type WishedAnswer } from '../../support/recorded-answers.js';
import { waitingForLocks } from '../../support/lock-waits.js';

const ANNA = { kind: 'HUMAN', name: 'anna' } as const;
const BEN = { kind: 'HUMAN', name: 'ben' } as const;

describe('feedback', () => {
  let database: TestDatabase;
  let answers: AnswerStore;
  let service: FeedbackService;
  const caller = { workspaceId, key: null };

  beforeAll(async () => {
    database = await testDatabase();
    answers = new AnswerStore(database);
    const datasets = new DatasetStore(database);
    service = new FeedbackService({
      store: new FeedbackStore(database, answers),
      answers,
      datasets,
      documents: new DocumentStore(database),
    });
    await datasets.create({
      workspaceId,
      name: 'routing',
      description: '',
      task: 'CLASSIFICATION',
      language: null,
      labels: ['card', 'transfer'],
    });
    await datasets.create({
      workspaceId,
      name: 'names',
      description: '',
      task: 'EXTRACTION',
      language: null,
      labels: ['person'],
    });
  });
  afterAll(() => database.dispose());
  beforeEach(async () => {
    await database.prisma.feedback.deleteMany();
    await database.prisma.answer.deleteMany();
  });

  const record = (...wished: WishedAnswer[]) => recordAnswers(database, workspaceId, wished);
  const one = async (wish: WishedAnswer = {}) => (await record(wish))[0]!;
  const submit = (...inputs: FeedbackInput[]) => service.submit(caller, inputs);
  const judged = (answerId: string, score: number, source: FeedbackInput['source'] = ANNA): FeedbackInput => ({
    answerId,
    kind: 'FEEDBACK',
    source,
    score,
  });
  const expected = (
    answerId: string,
    expectation: FeedbackInput['expectation'],
    source: FeedbackInput['source'] = ANNA,
  ): FeedbackInput => ({ answerId, kind: 'EXPECTATION', source, expectation });
  const counted = async (id: string) => {
    const { feedbackCount, feedbackWrong, disputed } = await database.prisma.answer.findFirstOrThrow({
      where: { id },
    });
    return { feedbackCount, feedbackWrong, disputed };
  };

  it('is kept with who gave it, what it says and whether it calls the answer right', async () => {
    const id = await one(labelled('card'));
    const { feedback } = await submit(judged(id, 0.5), expected(id, { label: 'card' }, BEN), {
      ...judged(id, 0, { kind: 'CODE', name: 'ticketing' }),
      comment: 'was moved',
    });
    expect(feedback).toMatchObject([
      { sourceKind: 'HUMAN', sourceName: 'anna', score: 0.5, agrees: true, late: false, supersededAt: null },
      { sourceName: 'ben', expectation: { kind: 'LABEL', label: 'card', isNew: false }, agrees: true },
      { sourceKind: 'CODE', score: 0, comment: 'was moved', agrees: null },
    ]);
    expect(await counted(id)).toEqual({ feedbackCount: 3, feedbackWrong: 0, disputed: false });
  });

  it('sent twice is one, by its key or by what it says', async () => {
    const id = await one();
    const first = await submit(judged(id, 1));
    expect(await submit(judged(id, 1))).toEqual({ feedback: first.feedback, created: 0 });
    const keyed = { ...judged(id, -1, BEN), key: 'click 1' };
    const second = await submit(keyed);
    expect(await submit(keyed, keyed)).toMatchObject({
      feedback: [{ id: second.feedback[0]!.id }, { id: second.feedback[0]!.id }],
      created: 0,
    });
    await expect(submit({ ...keyed, score: 1 })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
      field: 'input.feedback.0.key',
    });
    expect(await counted(id)).toMatchObject({ feedbackCount: 2, feedbackWrong: 1 });
  });

  it('sent twice at the same moment is one', async () => {
    const id = await one();
    const all = await Promise.all(Array.from({ length: 8 }, () => submit(judged(id, 1))));
    expect(new Set(all.flatMap(({ feedback }) => feedback.map((each) => each.id))).size).toBe(1);
    expect(all.reduce((sum, { created }) => sum + created, 0)).toBe(1);
  });

  it('given anew replaces what its source said, and what it said is kept', async () => {
    const id = await one();
    const ids: string[] = [];
    for (const score of [1, -1, 1]) ids.push((await submit(judged(id, score))).feedback[0]!.id);
    expect(new Set(ids).size).toBe(3);
    const [first, second, third] = await service.byIds(caller, ids);
    expect([first!.overridesId, second!.overridesId, third!.overridesId]).toEqual([null, ids[0], ids[1]]);
    expect([first!.supersededAt, second!.supersededAt]).not.toContain(null);
    expect(await service.ofAnswers(caller, [id])).toMatchObject([[{ id: ids[2] }]]);
    expect(await counted(id)).toEqual({ feedbackCount: 1, feedbackWrong: 0, disputed: false });
    // The same in one call.
    const { feedback } = await submit(judged(id, -1, BEN), judged(id, 1, BEN));
    expect(feedback[1]!.overridesId).toBe(feedback[0]!.id);
    expect(await counted(id)).toMatchObject({ feedbackCount: 2, feedbackWrong: 0 });
  });

  it('speaks for its own caller alone: under another key the same name replaces nothing, and lowers nobody’s weight', async () => {
    const keyed = (name: string): CallerKey => ({ id: newId(), lineId: newId(), prefix: 'graft_x', name });
    const [support, desk, liar] = [keyed('support'), keyed('desk'), keyed('liar')];
    const ids = await record(...Array.from({ length: 20 }, () => labelled('card')));
    const told = (key: CallerKey, label: string, source: FeedbackInput['source']) =>
      service.submit(
        { workspaceId, key },
        ids.map((id) => ({ ...expected(id, { label }, source), key: id })),
      );
    await told(support, 'card', ANNA);
    await told(support, 'card', BEN);
    await told(desk, 'card', BEN);
    const { created, feedback } = await told(liar, 'transfer', ANNA);
    expect(created).toBe(ids.length);
    expect(feedback[0]).toMatchObject({ sourceName: 'anna', givenByName: 'liar', overridesId: null });
    const sources = await service.sources(caller);
    const weightOf = (by: string, name: string) =>
      sources.find((source) => source.givenByName === by && source.name === name)!.weight;
    expect(weightOf('support', 'anna')).toBeCloseTo(weightOf('support', 'ben'), 6);
    expect(weightOf('support', 'anna')).toBeGreaterThan(0.7);
    expect(weightOf('liar', 'anna')).toBe(0);
    // However many names it sends, a key has one vote.
    for (const name of ['x', 'y', 'z']) await told(liar, 'transfer', { kind: 'HUMAN', name });
    expect((await service.estimate(workspaceId)).truth.get(ids[0]!)!.get(AS_ANSWERED)).toBeGreaterThan(0.95);
    // A key that follows another by rotation speaks for the same sources.
    const rotated = { ...support, id: newId(), name: 'support 2' };
    const again = await service.submit({ workspaceId, key: rotated }, [expected(ids[0]!, { label: 'transfer' }, ANNA)]);
    expect(again.feedback[0]!.overridesId).not.toBeNull();
  });

  it('of a person is erased while somebody says something of the same answer', async () => {
    const id = await one();
    await submit(judged(id, 1));
    const third = await database.pool.connect();
    try {
      // As whoever gives feedback: the answer, then what was said of it.
      await third.query('BEGIN');
      await third.query('SELECT 1 FROM answer WHERE id = $1 FOR NO KEY UPDATE', [id]);
      const store = new FeedbackStore(database, answers);
      const erasing = store.within((tx) => store.removeOf(tx, workspaceId, 'anna'));
      erasing.catch(() => undefined);
      await eventually('it waits for the answer', async () => (await waitingForLocks(database.pool)).length > 0);
      await third.query('UPDATE feedback SET superseded_at = now() WHERE answer_id = $1', [id]);
      await third.query('COMMIT');
      expect(await erasing).toBe(1);
    } finally {
      third.release(true);
    }
    expect(await counted(id)).toMatchObject({ feedbackCount: 0 });
  });

  it('that comes late or contradicts other feedback is kept and counted', async () => {
    const old = await one({ createdAt: new Date(Date.now() - 8 * 24 * 60 * 60 * 1000) });
    const disputed = await one(labelled('card'));
    await submit(judged(old, 1), judged(disputed, 1), expected(disputed, { label: 'transfer' }, BEN));
    expect(await counted(disputed)).toEqual({ feedbackCount: 2, feedbackWrong: 1, disputed: true });
    expect(await service.report(caller)).toMatchObject({
      total: 3,
      standing: 3,
      late: 1,
      right: 2,
      wrong: 1,
      expectations: 1,
      answers: 2,
      disagreeing: 1,
      compared: 1,
      alpha: 0,
    });
  });

  it('on a conversation stands beside that on its answers', async () => {
    const id = await one({ conversationId: 'talk' });
    await submit({ conversationId: 'talk', kind: 'FEEDBACK', source: ANNA, score: -1 });
    expect(await counted(id)).toMatchObject({ feedbackCount: 0 });
    const { items } = await service.list(caller, { conversationId: 'talk' }, { first: 5, after: null });
    expect(items).toMatchObject([{ answerId: null, conversationId: 'talk', agrees: null }]);
    await expect(
      submit({ conversationId: 'nobody’s', kind: 'FEEDBACK', source: ANNA, score: 1 }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND', field: 'input.feedback.0.conversationId' });
  });

  it('is refused on another workspace’s answer, and on an erased one', async () => {
    const id = await one();
    const other = { workspaceId: newId() as string as WorkspaceId, key: null };
    await expect(service.submit(other, [judged(id, 1)])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await submit(judged(id, 1));
    expect(await answers.remove(workspaceId, { ids: [id], conversationId: null }, null)).toBe(1);
    expect(await database.prisma.feedback.count()).toBe(0);
    await expect(submit(judged(id, 1))).rejects.toMatchObject({
      code: 'NOT_FOUND',
      field: 'input.feedback.0.answer',
      hint: expect.stringContaining('erased') as string,
    });
  });

  it('takes all of a call or none of it', async () => {
    const id = await one();
    await expect(submit(judged(id, 1), judged(newId(), 1))).rejects.toMatchObject({ field: 'input.feedback.1.answer' });
    expect(await database.prisma.feedback.count()).toBe(0);
  });

  it('takes 10,000 in ten calls, and no call of more than 1,000', async () => {
    const ids = await record(...Array.from({ length: 200 }, () => labelled('card')));
    const all = Array.from({ length: 10_000 }, (_, i) =>
      i % 2 === 0
        ? judged(ids[i % 200]!, i % 3 === 0 ? -1 : 1, { kind: 'CODE', name: `rule ${Math.floor(i / 200)}` })
        : expected(
            ids[i % 200]!,
            { label: i % 3 === 0 ? 'transfer' : 'card' },
            { kind: 'HUMAN', name: `p ${Math.floor(i / 200)}` },
          ),
    );
    await expect(submit(...all)).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.feedback' });
    let created = 0;
    for (let from = 0; from < all.length; from += 1_000)
      created += (await submit(...all.slice(from, from + 1_000))).created;
    expect(created).toBe(10_000);
    expect(await service.report(caller)).toMatchObject({ total: 10_000, standing: 10_000, answers: 200 });
  }, 60_000);

  it('of a source that lies counts less than that of the others', async () => {
    const ids = await record(...Array.from({ length: 40 }, (_, i) => labelled(i % 2 ? 'card' : 'transfer')));
    const liar = { kind: 'HUMAN', name: 'liar' } as const;
    await submit(
      ...ids.flatMap((id, i) => [
        judged(id, i % 4 ? 1 : -1),
        judged(id, i % 4 ? 1 : -1, BEN),
        judged(id, i % 4 ? -1 : 1, liar),
      ]),
    );
    const sources = await service.sources(caller);
    const weightOf = (name: string) => sources.find((source) => source.name === name)!;
    expect(weightOf('liar')).toMatchObject({ weight: 0, compared: 40, given: 40 });
    expect(weightOf('anna').weight).toBeGreaterThan(0.8);
  });

  it('names labels and types that a dataset has, or says that a label is new', async () => {
    const id = await one(labelled('card'));
    await expect(submit(expected(id, { label: 'cart' }))).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'input.feedback.0.expectation.label',
      hint: expect.stringContaining('newLabel') as string,
    });
    const { feedback } = await submit(expected(id, { label: 'cart', newLabel: true }));
    expect(feedback).toMatchObject([{ expectation: { label: 'cart', isNew: true }, agrees: false }]);
    const question = 'Ask Anna about it';
    const text = await one({ question, task: 'EXTRACTION', output: { kind: 'ENTITIES', entities: [] } });
    await expect(submit(expected(text, { entities: [{ type: 'planet', start: 4, end: 8 }] }))).rejects.toMatchObject({
      field: 'input.feedback.0.expectation.entities',
    });
    const found = await submit(expected(text, { entities: [{ type: 'person', start: 4, end: 8 }] }));
    expect(found.feedback[0]!.expectation).toEqual({
      kind: 'ENTITIES',
      entities: [{ type: 'person', start: 4, end: 8, text: 'Anna' }],
    });
  });

  it.each<[string, (id: string) => FeedbackInput, string]>([
    ['a comment of 10,000 characters', (id) => ({ ...judged(id, 1), comment: 'x'.repeat(10_000) }), '.comment'],
    ['NUL in a comment', (id) => ({ ...judged(id, 1), comment: 'a\0' }), '.comment'],
    ['a score of 2', (id) => judged(id, 2), '.score'],
    ['a score that is no number', (id) => judged(id, Number.NaN), '.score'],
    ['neither score nor comment', (id) => ({ answerId: id, kind: 'FEEDBACK', source: ANNA }), ''],
    ['a nameless source', (id) => judged(id, 1, { kind: 'HUMAN', name: ' ' }), '.source.name'],
    ['both an answer and a conversation', (id) => ({ ...judged(id, 1), conversationId: 'talk' }), ''],
    ['neither of both', () => ({ kind: 'FEEDBACK', source: ANNA, score: 1 }), ''],
    ['an expectation of nothing', (id) => expected(id, null), '.expectation'],
    ['an expectation of two forms', (id) => expected(id, { label: 'card', text: 'card' }), '.expectation'],
    ['a score of an expectation', (id) => ({ ...expected(id, { label: 'card' }), score: 1 }), '.score'],
    ['entities of what was to be classified', (id) => expected(id, { entities: [] }), '.expectation'],
    ['a text of what was to be classified', (id) => expected(id, { text: 'card' }), '.expectation'],
    ['a passage that is not there', (id) => expected(id, { passageId: newId() }), '.expectation.passage'],
  ])('refuses %s', async (_, input, field) => {
    const id = await one(labelled('card'));
    await expect(submit(input(id))).rejects.toMatchObject({ field: `input.feedback.0${field}` });
  });

  it.each([
    ['outside of the question', [{ type: 'person', start: 3, end: 400 }]],
    ['that are empty', [{ type: 'person', start: 3, end: 3 }]],
    ['before its beginning', [{ type: 'person', start: -1, end: 2 }]],
    [
      'that overlap',
      [
        { type: 'person', start: 0, end: 4 },
        { type: 'person', start: 2, end: 5 },
      ],
    ],
  ])('refuses entities %s', async (_, entities) => {
    const id = await one({ task: 'EXTRACTION', output: { kind: 'ENTITIES', entities: [] } });
    await expect(submit(expected(id, { entities }))).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('is listed from page to page, and by a cursor of its own alone', async () => {
    const ids = await record({}, {}, {});
    await submit(...ids.flatMap((id) => [judged(id, 1), judged(id, -1, BEN)]));
    const seen: string[] = [];
    for (let after: string | null = null; ;) {
      const page = await service.list(caller, { sourceName: 'ben' }, { first: 2, after });
      seen.push(...page.items.map(({ id }) => id));
      if (!page.hasNextPage) break;
      after = encodeCursor([seen.at(-1)!]);
    }
    expect([seen.length, new Set(seen).size]).toEqual([3, 3]);
    for (const after of [encodeCursor([1, 2]), encodeCursor(["' OR true --"]), 'x', ''])
      await expect(service.list(caller, {}, { first: 2, after })).rejects.toMatchObject({ field: 'after' });
  });
});
