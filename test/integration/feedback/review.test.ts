import { toGlobalId } from '../../../src/kit/graphql/index.js';
import { HOUR_MS } from '../../../src/kernel/duration.js';
import { newId, type WorkspaceId } from '../../../src/kernel/ids.js';
import { encodeCursor } from '../../../src/kernel/pagination.js';
import { qualityOf } from '../../../src/learn/feedback/quality/quality.js';
import { QualityStore } from '../../../src/learn/feedback/quality/quality-store.js';
import type { QueueReviews, SubmitReview } from '../../../src/learn/feedback/review/review-desk.js';
import { LOCK_MINUTES, orderFor } from '../../../src/learn/feedback/review/review.js';
import { labelled } from '../../support/recorded-answers.js';
import { ws } from '../data/data-kit.js';
import { caller, FeedbackKit, judged } from './feedback-kit.js';

describe('the review queue', () => {
  let kit: FeedbackKit;
  beforeAll(async () => {
    kit = await FeedbackKit.start();
    await kit.kit.data.datasets.createDataset(ws, { name: 'set', task: 'CLASSIFICATION', labels: ['card', 'cash'] });
  }, 60_000);
  afterAll(() => kit.stop());
  beforeEach(() => kit.kit.database.prisma.answer.deleteMany());

  const queue = (wishes: Partial<QueueReviews>, who = caller) =>
    kit.opened.desk.queue(who, { answers: [], pairs: [], filter: null, most: 100, reviewers: 1, ...wishes });
  const claim = (reviewer: string, more: { itemId?: string; skip?: string[] } = {}) =>
    kit.opened.desk.claim(caller, { reviewer, itemId: null, reason: null, skip: [], ...more });
  const submit = (itemId: string, reviewer: string, said: Partial<SubmitReview>) =>
    kit.opened.desk.submit(caller, {
      itemId,
      reviewer,
      score: null,
      comment: null,
      expectation: null,
      preferred: null,
      confirmed: null,
      ...said,
    });
  const expire = () => kit.kit.database.prisma.review.updateMany({ data: { lockedUntil: new Date(0) } });

  it('takes what filters find, each answer once, and says why', async () => {
    const [unsure, wrong, other] = await kit.record(labelled('card', 0.2), labelled('card'), labelled('card'));
    await kit.submit(judged(wrong!, -1));
    expect(await queue({ filter: { confidenceBelow: 0.5 } })).toEqual({ queued: 1, known: 0 });
    expect(await queue({ filter: { disagrees: true }, answers: [other!] })).toEqual({ queued: 2, known: 0 });
    expect(await queue({ filter: { hasFeedback: false } })).toEqual({ queued: 0, known: 2 });
    const { items } = await kit.opened.desk.open(
      caller,
      { reviewer: 'anna', reason: null },
      { first: 10, after: null },
    );
    expect(items.map(({ answerId, reason }) => [answerId, reason])).toEqual(
      expect.arrayContaining([
        [unsure, 'UNCERTAIN'],
        [wrong, 'DISAGREES'],
        [other, 'CHOSEN'],
      ]),
    );
  });

  it('draws answers at random, what waits for another reason too, and tells from their reviews how many are right', async () => {
    const ids = await kit.record(...Array.from({ length: 40 }, () => labelled('card', 0.7)));
    const quality = new QualityStore(kit.kit.database);
    const scope = { from: new Date(Date.now() - HOUR_MS), to: new Date(Date.now() + HOUR_MS), adapterVersionId: null };
    const read = async () => qualityOf(await quality.classes(ws, scope));
    await queue({ answers: ids });
    expect(await queue({ draw: { scope, most: 20 } })).toEqual({ queued: 0, known: 20 });
    expect(await read()).toMatchObject({ share: null, wanted: 10, waiting: 20, others: 40 });
    for (let i = 0; i < 20; i++) {
      const item = await kit.opened.desk.claim(caller, { reviewer: 'anna', itemId: null, reason: 'SAMPLED', skip: [] });
      // Right, though she would have put it otherwise: a review counts once, by its score.
      const better = i === 1 && { expectation: { label: 'refund', newLabel: true } };
      await submit(item!.id, 'anna', { score: i % 4 === 0 ? -1 : 1, ...better });
    }
    const { share, low, high, ...counts } = await read();
    expect(share).toBeCloseTo(0.75, 9);
    expect(low! < 0.75 && high! > 0.75).toBe(true);
    expect(counts).toEqual({ reviewed: 20, waiting: 0, wanted: 0, answers: 40, others: 0 });

    // Those of another version, and those that came later, are not part of it until some of them are drawn and reviewed.
    expect(await queue({ draw: { scope: { ...scope, adapterVersionId: newId() }, most: 5 } })).toEqual({
      queued: 0,
      known: 0,
    });
    await kit.record(...Array.from({ length: 10 }, () => labelled('card')));
    await queue({ draw: { scope, most: 5 } });
    expect(await read()).toMatchObject({ share, reviewed: 20, waiting: 5, answers: 40, others: 10 });
  });

  it('takes the probability of a refusal for that of its being wrong', async () => {
    const abstention = { reason: 'LOW_RELEVANCE', sentence: 'Not there.', probability: 0.2, threshold: 0.26 } as const;
    await kit.record({ wording: 'ABSTENTION', abstention, answerability: 0.2 });
    const scope = { from: new Date(Date.now() - HOUR_MS), to: new Date(Date.now() + HOUR_MS), adapterVersionId: null };
    const [refused] = await new QualityStore(kit.kit.database).classes(ws, scope);
    expect(refused!.sum).toBeCloseTo(0.8, 6);
  });

  it('has no feedback of an item that a reviewer has only begun to look at', async () => {
    const ids = await kit.record(labelled('card'));
    await queue({ answers: ids });
    const item = (await claim('anna'))!;
    expect(await kit.opened.desk.reviewsOf([item.id])).toMatchObject([[{ reviewer: 'anna', feedbackIds: [] }]]);
  });

  it('calls an answer that it can’t queue as the API does', async () => {
    const id = newId();
    await expect(queue({ answers: [id] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `The answer "${toGlobalId('Answer', id)}" does not exist.`,
    });
  });

  it('gives each reviewer another item, the same one again to its own, and a lapsed one to the next', async () => {
    const ids = await kit.record(labelled('card'), labelled('card'));
    await queue({ answers: ids });
    const first = (await claim('anna'))!;
    const second = (await claim('ben'))!;
    expect(new Set([first.id, second.id]).size).toBe(2);
    expect(await claim('cleo')).toBeNull();
    expect((await claim('anna'))!.id).toBe(first.id);
    await expect(claim('cleo', { itemId: first.id })).rejects.toMatchObject({ code: 'CONFLICT' });
    await expire();
    expect((await claim('cleo', { itemId: first.id }))!.id).toBe(first.id);
    // Too late: another took the only place.
    await expect(submit(first.id, 'anna', { score: 1 })).rejects.toMatchObject({
      code: 'CONFLICT',
      field: 'input.item',
    });
    // Late, but nobody took it.
    expect((await submit(second.id, 'ben', { score: 1 })).item.done).toBe(1);
  });

  it('locks by the database’s clock for some minutes', async () => {
    const ids = await kit.record({});
    await queue({ answers: ids });
    const { id } = (await claim('anna'))!;
    const [row] = await kit.kit.database.prisma.$queryRaw<{ minutes: number }[]>`
      SELECT round(extract(epoch FROM locked_until - now()) / 60)::int AS minutes FROM review WHERE item_id = ${id}::uuid`;
    expect(row!.minutes).toBe(LOCK_MINUTES);
  });

  it('never gives one place to two, however many ask at once', async () => {
    const ids = await kit.record(...Array.from({ length: 4 }, () => labelled('card')));
    await queue({ answers: ids, reviewers: 2 });
    const claimed = await Promise.all(Array.from({ length: 12 }, (_, i) => claim(`reviewer ${i}`)));
    const perItem = new Map<string, number>();
    for (const item of claimed) if (item) perItem.set(item.id, (perItem.get(item.id) ?? 0) + 1);
    expect([...perItem.values()].sort()).toEqual([2, 2, 2, 2]);
  });

  it('makes feedback of a person of what is said, and is done when as many have said it as should', async () => {
    const [id] = await kit.record(labelled('card'));
    await queue({ answers: [id!], reviewers: 2 });
    const { id: item } = (await claim('anna'))!;
    const { feedbackIds } = await submit(item, 'anna', { score: -1, expectation: { label: 'cash' } });
    expect(await kit.opened.feedback.byIds(caller, feedbackIds)).toMatchObject([
      { kind: 'FEEDBACK', sourceKind: 'HUMAN', sourceName: 'anna', score: -1 },
      { kind: 'EXPECTATION', sourceName: 'anna', expectation: { label: 'cash' }, agrees: false },
    ]);
    await expect(submit(item, 'anna', { score: 1 })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await claim('anna')).toBeNull();
    expect((await claim('ben'))!.id).toBe(item);
    await submit(item, 'ben', { score: 1 });
    expect(await claim('cleo')).toBeNull();
    const [reviews] = await kit.opened.desk.reviewsOf([item]);
    expect(reviews!.map(({ reviewer }) => reviewer)).toEqual(['anna', 'ben']);
  });

  it('lets go of an item, and leaves out what is skipped', async () => {
    const ids = await kit.record({}, {});
    await queue({ answers: ids });
    const first = (await claim('anna'))!;
    expect(await kit.opened.desk.release(caller, first.id, 'anna')).toBe(true);
    expect(await kit.opened.desk.release(caller, first.id, 'anna')).toBe(false);
    expect((await claim('anna', { skip: [first.id] }))!.id).not.toBe(first.id);
    expect((await claim('ben'))!.id).toBe(first.id);
  });

  it('shows pairs blind, in an order that is drawn for each reviewer, and keeps what they prefer', async () => {
    const [a, b] = await kit.record({ text: 'one' }, { text: 'two' });
    expect(await queue({ pairs: [{ first: a!, second: b! }], reviewers: 2 })).toEqual({ queued: 1, known: 0 });
    expect(await queue({ pairs: [{ first: b!, second: a! }] })).toEqual({ queued: 0, known: 1 });
    const item = (await claim('anna'))!;
    expect(item).toMatchObject({ reason: 'PAIR' });
    const [first, second] = orderFor(item, 'anna');
    await submit(item.id, 'anna', { preferred: 'SECOND' });
    await claim('ben');
    await submit(item.id, 'ben', { preferred: 'TIE' });
    const { items } = await kit.opened.desk.preferences(caller, { first: 10, after: null });
    expect(items.map(({ reviewer, preferredId }) => [reviewer, preferredId])).toEqual([
      ['ben', null],
      ['anna', second],
    ]);
    expect(first).not.toBe(second);
    const orders = Array.from({ length: 40 }, (_, i) => orderFor(item, `reviewer ${i}`)[0]);
    expect(new Set(orders).size).toBe(2);
    const rest = await kit.opened.desk.preferences(caller, { first: 10, after: encodeCursor([item.id, 'ben']) });
    expect(rest.items.map(({ reviewer }) => reviewer)).toEqual(['anna']);
    await expect(
      kit.opened.desk.preferences(caller, { first: 10, after: encodeCursor(['x', 'ben']) }),
    ).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: 'after' });
  });

  it('loses what is erased, also while somebody looks at it', async () => {
    const ids = await kit.record({}, {});
    await queue({ answers: ids });
    const item = (await claim('anna'))!;
    await kit.answers.remove(ws, { ids: [item.answerId], conversationId: null }, null);
    await expect(submit(item.id, 'anna', { score: 1 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await kit.opened.desk.left(caller, { reviewer: 'anna', reason: null })).toBe(1);
  });

  it.each<[string, Partial<QueueReviews>]>([
    ['nothing', {}],
    ['ten reviewers', { answers: ['x'], reviewers: 10 }],
    ['none', { filter: {}, most: 0 }],
    ['101 answers', { answers: Array.from({ length: 101 }, () => newId()) }],
    ['a confidence that none has', { filter: { confidenceBelow: 7 } }],
  ])('refuses to queue %s', async (_, wishes) => {
    await expect(queue(wishes)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('refuses answers of others, pairs of different questions, and reviews of the wrong kind', async () => {
    const [a, b, c] = await kit.record({ question: 'One?' }, { question: 'Two?' }, { question: 'Two?' });
    const other = { workspaceId: newId() as string as WorkspaceId, key: null };
    await expect(queue({ answers: [a!] }, other)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(queue({ pairs: [{ first: a!, second: b! }] })).rejects.toMatchObject({ field: 'input.pairs.0' });
    await expect(queue({ pairs: [{ first: b!, second: b! }] })).rejects.toMatchObject({ field: 'input.pairs.0' });
    await queue({ pairs: [{ first: b!, second: c! }] });
    const pair = (await claim('anna'))!;
    await expect(submit(pair.id, 'anna', { score: 1 })).rejects.toMatchObject({ field: 'input.preferred' });
    await expect(submit(newId(), 'anna', { score: 1 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await queue({ answers: [a!] });
    const single = (await claim('ben'))!;
    await expect(submit(single.id, 'ben', {})).rejects.toMatchObject({ field: 'input' });
    await expect(submit(single.id, 'ben', { preferred: 'TIE' })).rejects.toMatchObject({ field: 'input.preferred' });
    await expect(submit(single.id, 'ben', { score: 1, comment: 'x'.repeat(10_000) })).rejects.toMatchObject({
      field: 'input.comment',
    });
    await expect(claim(' ')).rejects.toMatchObject({ field: 'input.reviewer' });
  });
});
