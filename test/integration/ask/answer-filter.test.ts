import { AnswerStore, AskService } from '../../../src/answer/ask/index.js';
import { DEFAULT_WORKSPACE_ID as workspaceId, newId } from '../../../src/kernel/ids.js';
import { encodeCursor } from '../../../src/kernel/pagination.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { labelled, recordAnswers } from '../../support/recorded-answers.js';

describe('the list of answers', () => {
  let database: TestDatabase;
  let store: AnswerStore;
  let service: AskService;
  beforeAll(async () => {
    database = await testDatabase();
    store = new AnswerStore(database);
    service = new AskService({ answers: store } as never);
  });
  afterAll(() => database.dispose());
  beforeEach(() => database.prisma.answer.deleteMany());

  const listed = async (filter: Parameters<AskService['answers']>[1], first = 100) =>
    (await service.answers({ workspaceId }, filter, { first, after: null })).items.map(({ id }) => id).sort();

  it('finds answers by task, adapter version and time', async () => {
    const versionId = newId();
    const adapter = { versionId, name: 'routing', version: 1, sha256: '1'.repeat(64), scale: 1 };
    const [inWords, old, adapted] = await recordAnswers(database, workspaceId, [
      {},
      { createdAt: new Date('2026-01-02') },
      { ...labelled('card'), adapter },
    ]);
    expect(await listed({ task: 'CLASSIFICATION' })).toEqual([adapted]);
    expect(await listed({ adapterVersionId: versionId })).toEqual([adapted]);
    expect(await listed({ to: new Date('2026-02-01') })).toEqual([old]);
    expect(await listed({ from: new Date('2026-02-01'), task: 'QUESTION_ANSWERING' })).toEqual([inWords]);
  });

  it('finds what is uncertain: a label by its probability, a text by whether what was read holds it', async () => {
    const [, unsure, doubtful] = await recordAnswers(database, workspaceId, [
      labelled('card', 0.9),
      labelled('card', 0.3),
      { answerability: 0.2 },
      {},
    ]);
    expect(await listed({ confidenceBelow: 0.5 })).toEqual([unsure, doubtful].sort());
  });

  it('finds answers without feedback, and those that feedback disputes', async () => {
    const [none, right, wrong, disputed] = await recordAnswers(database, workspaceId, [{}, {}, {}, {}]);
    await database.prisma.$transaction((tx) =>
      store.noteFeedback(tx, [
        { id: right!, count: 1, wrong: 0, disputed: false },
        { id: wrong!, count: 1, wrong: 1, disputed: false },
        { id: disputed!, count: 2, wrong: 0, disputed: true },
      ]),
    );
    expect(await listed({ hasFeedback: false })).toEqual([none]);
    expect(await listed({ hasFeedback: true })).toEqual([right, wrong, disputed]);
    expect(await listed({ disagrees: true })).toEqual([wrong, disputed]);
    expect(await listed({ disagrees: false })).toEqual([none, right]);
  });

  it('draws the same sample again, another with another seed, and about as many as were asked for', async () => {
    await recordAnswers(
      database,
      workspaceId,
      Array.from({ length: 100 }, () => ({})),
    );
    const first = await listed({ sample: { rate: 0.4, seed: 1 } });
    expect(await listed({ sample: { rate: 0.4, seed: 1 } })).toEqual(first);
    expect(await listed({ sample: { rate: 0.4, seed: 2 } })).not.toEqual(first);
    // Five standard deviations of a binomial of 100 at 0.4.
    expect(first.length).toBeGreaterThan(15);
    expect(first.length).toBeLessThan(65);
    expect(await listed({ sample: { rate: 1, seed: 1 } })).toHaveLength(100);
  });

  it('goes from page to page under a filter without losing or repeating any', async () => {
    const ids = await recordAnswers(
      database,
      workspaceId,
      Array.from({ length: 7 }, (_, i) => (i % 2 === 0 ? labelled('card') : {})),
    );
    const seen: string[] = [];
    for (let after: string | null = null; ;) {
      const page = await service.answers({ workspaceId }, { task: 'CLASSIFICATION' }, { first: 2, after });
      seen.push(...page.items.map(({ id }) => id));
      if (!page.hasNextPage) break;
      after = encodeCursor([seen.at(-1)!]);
    }
    expect(seen).toEqual(ids.filter((_, i) => i % 2 === 0).reverse());
  });

  it.each([
    ['a cursor of another list', {}, encodeCursor(['routing', 3]), 'after'],
    ['a cursor with SQL in it', {}, encodeCursor(["' OR true --"]), 'after'],
    ['a confidence above 1', { confidenceBelow: 1.5 }, null, 'filter.confidenceBelow'],
    ['a confidence below any that is stored', { confidenceBelow: 5e-324 }, null, 'filter.confidenceBelow'],
    ['a sample of nothing', { sample: { rate: 0, seed: 1 } }, null, 'filter.sample.rate'],
    ['a seed that is no whole number', { sample: { rate: 0.5, seed: 0.5 } }, null, 'filter.sample.seed'],
    ['an end before the beginning', { from: new Date(2), to: new Date(1) }, null, 'filter.to'],
  ])('refuses %s', async (_, filter, after, field) => {
    await expect(service.answers({ workspaceId }, filter, { first: 1, after })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      field,
    });
  });

  it('tells whoever has something on answers before they go, in the same transaction', async () => {
    const [id, other] = await recordAnswers(database, workspaceId, [{ conversationId: 'talk' }, {}]);
    const told: unknown[] = [];
    const hooked = new AnswerStore(database);
    hooked.onErasure(async (tx, erased) => {
      told.push(erased);
      expect(await tx.answer.count({ where: { id: { in: [...erased.ids] } } })).toBe(erased.ids.length);
    });
    expect(await hooked.remove(workspaceId, { ids: [], conversationId: 'talk' }, null)).toBe(1);
    expect(told).toEqual([{ workspaceId, ids: [id], kept: false }]);
    hooked.onErasure(() => Promise.reject(new Error('not now')));
    await expect(hooked.remove(workspaceId, { ids: [other!], conversationId: null }, null)).rejects.toThrow('not now');
    expect(await listed({})).toEqual([other]);
  });
});
