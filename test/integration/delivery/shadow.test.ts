import { setTimeout as sleep } from 'node:timers/promises';
import { AnswerStore, type AskInput } from '../../../src/answer/ask/index.js';
import { localCaller } from '../../../src/kernel/caller.js';
import { GraftError } from '../../../src/kernel/errors.js';
import { FeedbackStore } from '../../../src/learn/feedback/index.js';
import { FeedbackService } from '../../../src/learn/feedback/feedback-service.js';
import { eventually } from '../../support/eventually.js';
import { labelled, type WishedAnswer } from '../../support/recorded-answers.js';
import { DeliveryKit, WORKSPACE, type TestGateway } from './delivery-kit.js';
import { FakeCandidate, reaches, serve, servedBy, shadowRow, shadowWish } from './shadow-kit.js';

jest.setTimeout(120_000);

describe('a shadow', () => {
  let kit: DeliveryKit;
  let gateway: TestGateway;
  const interactive = { busy: false };
  const candidate = new FakeCandidate(() => labelled('refund'));

  beforeAll(async () => {
    kit = await DeliveryKit.start();
    gateway = await kit.gateway({ askingInBulk: candidate, interactive });
  });
  beforeEach(() => {
    candidate.asked.length = 0;
    candidate.behaves = () => labelled('refund');
    interactive.busy = false;
  });
  afterAll(() => kit.dispose());

  const start = (name: string, over = {}) => gateway.shadowService.start(WORKSPACE, shadowWish(name, over));
  const figures = async (id: string) => {
    const [found] = await gateway.shadowService.figures(WORKSPACE, [await shadowRow(kit, id)]);
    return found!;
  };
  const prepared = async (name: string) => {
    const { versions } = await kit.adapter(name);
    const answers = (count: number, said: (n: number) => WishedAnswer = () => labelled('refund')) =>
      serve(
        kit,
        Array.from({ length: count }, (_, n) =>
          servedBy(versions[0]!, name, { question: `question ${n}`, latencyMs: 100, ...said(n) }),
        ),
      );
    return { versions, answers };
  };

  it('puts what production answered to the candidate, and compares both in pairs', async () => {
    const { answers } = await prepared('compared');
    candidate.behaves = ({ question }) => ({
      ...labelled(question === 'question 3' ? 'delivery' : 'refund', 0.8),
      cost: { computeMs: 3, computedTokens: 2 },
    });
    const { id } = await start('compared', { leastAnswers: 4 });
    await answers(4);
    await reaches(kit, id, 'it is complete', ({ status }) => status === 'COMPLETE');
    expect(candidate.asked.map(({ question }) => question)).toEqual([0, 1, 2, 3].map((n) => `question ${n}`));
    expect(candidate.asked[0]).toMatchObject({ strategy: 'ADAPTER', adapter: 'compared@2' });
    const found = await figures(id);
    expect(found).toMatchObject({
      answered: 4,
      compared: 4,
      failed: 0,
      same: 3,
      skipped: [],
      changes: [{ from: 'refund', to: 'delivery', count: 1 }],
      computeMs: { pairs: 4, served: 1, candidate: 3 },
      latencyMs: { served: 100 },
    });
    expect(found.confidence.served).toBeCloseTo(0.9);
    expect(found.confidence.candidate).toBeCloseTo(0.8);
    // Nothing that the candidate said is an answer of the workspace.
    expect(await kit.database.prisma.answer.count({ where: { adapterVersionId: { not: null } } })).toBe(4);
    const { runId } = await shadowRow(kit, id);
    await eventually('its run ends', async () => (await gateway.runs.get(WORKSPACE, runId))?.status === 'SUCCEEDED');
    const events = await kit.database.prisma.event.findMany({
      where: { stream: `shadow:${id}` },
      orderBy: { sequence: 'asc' },
    });
    expect(events.map(({ type }) => type)).toEqual(['STARTED', ...Array(4).fill('COMPARED'), 'ENDED']);
  });

  it('asks as the caller had asked', async () => {
    const { answers } = await prepared('asked');
    const { id } = await start('asked', { leastAnswers: 1 });
    const generation = { maxTokens: 7, temperature: 0, seed: null };
    const askedWith = {
      collections: ['manuals'],
      minConfidence: 0.4,
      entity: 'customer:1',
      features: ['orders'],
      generation,
    };
    const route = { strategy: 'HYBRID' as const, chosenBy: 'CALLER' as const, candidates: [], reasons: [] };
    await answers(1, () => ({ text: 'Ten days.', route, askedWith }));
    await reaches(kit, id, 'it is complete', ({ status }) => status === 'COMPLETE');
    const [{ strategy, ...asked }] = candidate.asked as [AskInput];
    expect(strategy).toBe('HYBRID');
    expect(asked).toMatchObject(askedWith);
  });

  it('reads a judgement of what was served as none of another answer: it could only ever speak against the candidate', async () => {
    const { answers } = await prepared('thumbs');
    candidate.behaves = () => labelled('delivery');
    const { id } = await start('thumbs', { leastAnswers: 4 });
    const ids = await answers(4);
    await reaches(kit, id, 'it is complete', ({ status }) => status === 'COMPLETE');
    const store = new FeedbackStore(kit.database, new AnswerStore(kit.database));
    const feedback = new FeedbackService({ store, answers: new AnswerStore(kit.database) } as never);
    const source = { kind: 'HUMAN' as const, name: 'ann' };
    await feedback.submit(
      localCaller(WORKSPACE),
      ids.map((answerId, n) => ({ answerId, kind: 'FEEDBACK', source, score: n < 2 ? 1 : -1 })),
    );
    expect((await figures(id)).truth).toMatchObject({ known: 0, onlyServed: 0, onlyCandidate: 0 });
  });

  it('counts late feedback for and against both, and tests what only one has right', async () => {
    const { answers } = await prepared('truth');
    candidate.behaves = ({ question }) => labelled(Number(question.slice(9)) < 3 ? 'delivery' : 'refund');
    const { id } = await start('truth', { leastAnswers: 5 });
    const ids = await answers(5);
    await reaches(kit, id, 'it is complete', ({ status }) => status === 'COMPLETE');
    expect((await figures(id)).truth).toMatchObject({ known: 0 });
    const store = new FeedbackStore(kit.database, new AnswerStore(kit.database));
    const feedback = new FeedbackService({ store, answers: new AnswerStore(kit.database) } as never);
    const source = { kind: 'HUMAN' as const, name: 'ann' };
    const expected = (answerId: string, label: string) =>
      ({ answerId, kind: 'EXPECTATION', source, expectation: { label, newLabel: true } }) as const;
    await feedback.submit(localCaller(WORKSPACE), [
      expected(ids[0]!, 'delivery'),
      expected(ids[1]!, 'refund'),
      expected(ids[2]!, 'delivery'),
      { answerId: ids[3]!, kind: 'FEEDBACK', source, score: 1 },
      { answerId: ids[4]!, kind: 'FEEDBACK', source, score: -1 },
    ]);
    expect((await figures(id)).truth).toEqual({
      known: 5,
      differing: 3,
      servedRight: 2,
      candidateRight: 3,
      onlyServed: 1,
      onlyCandidate: 2,
      p: 1,
    });
  });

  it('asks nothing while users wait, and skips and counts what it can’t get to', async () => {
    const { answers } = await prepared('busy');
    interactive.busy = true;
    const { id } = await start('busy');
    await answers(50);
    await reaches(kit, id, 'the rest is skipped', ({ skipped }) => (skipped as { BUSY?: number }).BUSY === 30);
    expect(candidate.asked).toHaveLength(0);
    expect(await figures(id)).toMatchObject({ waiting: 20, answered: 0, skipped: [{ reason: 'BUSY', count: 30 }] });
    interactive.busy = false;
    await reaches(kit, id, 'those that waited are asked', ({ answered }) => answered === 20);
  });

  it('keeps no asker waiting for a slow candidate', async () => {
    const { answers } = await prepared('slow');
    let asked = 0;
    candidate.behaves = async (_, signal) => {
      asked += 1;
      await sleep(600_000, undefined, { signal });
      return labelled('refund');
    };
    const { id } = await start('slow');
    await answers(1);
    await eventually('the candidate is asked', () => asked === 1);
    // While it works on one, all others are settled: the last of them would never be if they waited.
    await answers(40);
    expect(await kit.database.prisma.answer.count({ where: { question: 'question 39' } })).toBeGreaterThan(0);
    const stopped = await gateway.shadowService.stop(WORKSPACE, id, { by: 'ann', reason: 'too slow' });
    expect(stopped).toMatchObject({ status: 'STOPPED', endedBy: 'ann', answered: 0 });
    expect(await figures(id)).toMatchObject({ waiting: 0, compared: 0 });
    const { runId } = await shadowRow(kit, id);
    await gateway.runs.cancel(WORKSPACE, runId);
  });

  it('samples its share of the answers, and puts no more than its bound to the candidate within an hour', async () => {
    const { answers } = await prepared('bounded');
    const { id } = await start('bounded', { share: 0.3, mostPerHour: 5 });
    for (let n = 0; n < 20; n++) await answers(10);
    const seen = async () => {
      const { answered, waiting, skipped } = await figures(id);
      return { answered, waiting, skipped: skipped.reduce((sum, { count }) => sum + count, 0) };
    };
    await eventually('all are settled', async () => (await seen()).waiting === 0);
    const { answered, skipped } = await seen();
    expect(answered).toBe(5);
    expect(candidate.asked).toHaveLength(5);
    // 200 at .3: four standard deviations to each side.
    expect(answered + skipped).toBeGreaterThan(60 - 26);
    expect(answered + skipped).toBeLessThan(60 + 26);
    expect((await figures(id)).skipped.map(({ reason }) => reason)).toContain('HOURLY_BOUND');
  });

  it('counts a candidate that throws as failed, and goes on', async () => {
    const { answers } = await prepared('throws');
    candidate.behaves = ({ question }) => {
      if (question === 'question 1') throw new GraftError('ADAPTER_NOT_FINITE', 'NaN');
      if (question === 'question 2') throw new Error('unforeseen');
      return labelled('refund');
    };
    const { id } = await start('throws', { leastAnswers: 4 });
    await answers(4);
    await reaches(kit, id, 'it is complete', ({ status }) => status === 'COMPLETE');
    expect(await figures(id)).toMatchObject({
      answered: 4,
      compared: 2,
      failed: 2,
      failures: [
        { code: 'ADAPTER_NOT_FINITE', count: 1 },
        { code: 'INTERNAL_ERROR', count: 1 },
      ],
    });
  });

  it('counts what was away as skipped, not as a failure of the candidate', async () => {
    const { answers } = await prepared('away');
    candidate.behaves = ({ question }) => {
      if (question === 'question 0') throw new GraftError('WORKER_UNAVAILABLE', 'broken');
      return labelled('refund');
    };
    const { id } = await start('away', { leastAnswers: 1 });
    await answers(2);
    await reaches(kit, id, 'it is complete', ({ status }) => status === 'COMPLETE');
    expect(await figures(id)).toMatchObject({ failed: 0, skipped: [{ reason: 'UNAVAILABLE', count: 1 }] });
  });

  it.each([
    [true, 'ADAPTER_UNAVAILABLE'],
    [false, 'ADAPTER_UNPROVEN'],
  ] as const)('ends with a clear code when its candidate is withdrawn (deleted: %s)', async (deleted, code) => {
    const name = `withdrawn-${deleted}`;
    const { versions, answers } = await prepared(name);
    const { id, runId } = await start(name);
    await answers(1);
    await reaches(kit, id, 'one is compared', ({ answered }) => answered === 1);
    if (deleted) await kit.database.prisma.adapterVersion.delete({ where: { id: versions[1]!.id } });
    else
      await kit.database.pool.query('UPDATE adapter_version SET attestation = NULL WHERE id = $1', [versions[1]!.id]);
    const ended = await reaches(kit, id, 'it ends', ({ status }) => status === 'FAILED');
    expect(ended).toMatchObject({ errorCode: code, answered: 1 });
    await eventually('its run fails', async () => {
      const run = await gateway.runs.get(WORKSPACE, runId);
      return run?.status === 'FAILED' && run.errorCode === code;
    });
    await answers(2);
    expect(await figures(id)).toMatchObject({ compared: 1, waiting: 0 });
  });

  it('ends when production names another version: it would compare with what nobody is answered by', async () => {
    const { versions } = await prepared('moved');
    const { id } = await start('moved');
    const adapter = (await gateway.adapters.store.byName(WORKSPACE, 'moved'))!;
    const move = { by: 'op', reason: 'now', evidence: {}, alias: 'production' as const, toVersionId: versions[1]!.id };
    await gateway.adapters.store.moveAlias(adapter, move, versions[0]!.id);
    expect(await reaches(kit, id, 'it ends', ({ status }) => status === 'FAILED')).toMatchObject({
      errorCode: 'CONFLICT',
    });
  });

  it('keeps nothing of an erased answer', async () => {
    const { answers } = await prepared('erased');
    const { id } = await start('erased', { leastAnswers: 3 });
    const [first] = await answers(3);
    await reaches(kit, id, 'it is complete', ({ status }) => status === 'COMPLETE');
    await new AnswerStore(kit.database).remove(WORKSPACE, { ids: [first!], conversationId: null }, null);
    expect(await kit.database.prisma.shadowPair.count({ where: { shadowId: id } })).toBe(2);
    expect(await figures(id)).toMatchObject({ answered: 3, compared: 2, erased: 1 });
  });

  it('samples neither what a tester forced nor what another version answered', async () => {
    const { versions } = await prepared('others');
    const { id } = await start('others');
    const assignment = {
      kind: 'EXPERIMENT' as const,
      subjectId: id,
      arm: 'a',
      stage: 0,
      bucket: 0,
      probability: 1,
      forced: true,
      unitHash: null,
    };
    await serve(kit, [
      servedBy(versions[1]!, 'others', labelled('refund')),
      servedBy(versions[0]!, 'others', { ...labelled('refund'), assignment }),
      servedBy(versions[0]!, 'others', { failure: 'WORKER_CRASHED' }),
      labelled('refund'),
    ]);
    expect(await kit.database.prisma.shadowPair.count({ where: { shadowId: id } })).toBe(0);
  });

  it('is one with its key, and the only one of its adapter', async () => {
    await prepared('once');
    const wish = shadowWish('once');
    const begin = () => gateway.shadowService.start(WORKSPACE, wish);
    const [a, b] = await Promise.all([begin(), begin()]);
    expect(a.id).toBe(b.id);
    await expect(gateway.shadowService.start(WORKSPACE, { ...wish, share: 0.5 })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    await expect(start('once')).rejects.toMatchObject({ code: 'CONFLICT', field: 'input.adapter' });
  });

  it('may begin again when its run was cancelled', async () => {
    await prepared('cancelled');
    const { id, runId } = await start('cancelled');
    await gateway.runs.cancel(WORKSPACE, runId);
    await eventually('the run has ended', async () => (await gateway.runs.get(WORKSPACE, runId))?.finishedAt !== null);
    expect((await start('cancelled')).id).not.toBe(id);
    expect(await shadowRow(kit, id)).toMatchObject({ status: 'STOPPED' });
  });

  it.each([
    ['share', { share: 0 }],
    ['share', { share: 1.1 }],
    ['mostPerHour', { mostPerHour: 0 }],
    ['mostPerHour', { mostPerHour: 1_000_000 }],
    ['leastAnswers', { leastAnswers: 2.5 }],
    ['reason', { reason: ' ' }],
  ])('refuses a wrong %s', async (field, over) => {
    await expect(start('compared', over)).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field: `input.${field}` });
  });

  it('refuses a version that never acted, one that isn’t there, and an adapter without production', async () => {
    const { versions } = await kit.adapter('unproven');
    await kit.database.pool.query('UPDATE adapter_version SET attestation = NULL WHERE id = $1', [versions[1]!.id]);
    await expect(start('unproven')).rejects.toMatchObject({ code: 'ADAPTER_UNPROVEN' });
    await expect(start('unproven', { candidate: 9 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await kit.adapter('first', { production: false });
    await expect(start('first')).rejects.toMatchObject({ code: 'CONFLICT', field: 'input.adapter' });
  });
});
