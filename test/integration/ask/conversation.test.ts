/** A follow-up is answered behind what the same caller asked before in its conversation; all else as if there were none. */
import { AnswerStore, AskService, type AskInput } from '../../../src/answer/ask/index.js';
import { newId } from '../../../src/kernel/ids.js';
import type { CallerKey } from '../../../src/kernel/caller.js';
import { freshWorkspace } from '../../support/chroma.js';
import { eventually } from '../../support/eventually.js';
import { instead } from '../../support/instead.js';
import { finishedAnswer, recordAnswers } from '../../support/recorded-answers.js';
import { forever, RMA, startReading, type Answering } from './answering.js';
import { waitingForLocks } from '../../support/lock-waits.js';

const FOLLOW_UP = 'And where do I write it?';
const STANDING = 'When are the roof vents forced shut?';

describe('a conversation', () => {
  let answering: Answering;

  beforeAll(async () => void (answering = await startReading()), 240_000);
  afterAll(() => answering.stop());

  const asked = (
    question: string,
    conversationId: string | null,
    who: object = {},
    wishes: Partial<AskInput> = {},
    service = answering.service,
  ) =>
    service.ask(
      { ...answering.caller, groups: null, ...who },
      { question, conversationId, strategy: 'RAG', ...wishes },
      forever,
    );
  const kept = async (id: string) =>
    (await answering.service.answersById({ ...answering.caller, groups: null }, [id]))[0];
  /** Waits until so many connections wait for a row that another one holds. */
  const waitForRows = (many: number) =>
    eventually(
      `${many} wait for rows`,
      async () => (await waitingForLocks(answering.database.pool)).length >= many,
      15_000,
    );
  const keyed = (): { key: CallerKey } => ({ key: { id: newId(), lineId: newId(), prefix: 'graft_x', name: 'x' } });

  it('lets a follow-up be answered behind what it follows, and the answer says so', async () => {
    const talk = newId();
    const first = await asked(RMA, talk);
    expect(first.askedAs).toBeUndefined();
    const second = await asked(FOLLOW_UP, talk);
    expect(second).toMatchObject({ question: FOLLOW_UP, askedAs: `${RMA} ${FOLLOW_UP}` });
    expect(second.evidence[0]!.documentName).toBe('returns.md');
    expect((await kept(second.id))!.askedAs).toBe(second.askedAs);
    // What the last question follows itself is what this one is about, too.
    expect((await asked('Why?', talk)).askedAs).toBe(`${RMA} ${FOLLOW_UP} Why?`);
  }, 120_000);

  it('is the caller’s own, in its workspace, under its name', async () => {
    const talk = newId();
    const [one, other] = [keyed(), keyed()];
    await asked(RMA, talk, one);
    expect((await asked(FOLLOW_UP, talk, one)).askedAs).toBe(`${RMA} ${FOLLOW_UP}`);
    const { workspaceId } = answering;
    const remembered = { workspaceId, conversationId: talk, askedBy: one.key.lineId, groups: null };
    const before = await answering.parts.answers.askedBefore(remembered, 10);
    expect(before.map(({ question }) => question)).toEqual([RMA, FOLLOW_UP]);
    expect(await answering.parts.answers.askedBefore({ ...remembered, workspaceId: freshWorkspace() }, 10)).toEqual([]);
    for (const who of [other, {}]) expect((await asked(FOLLOW_UP, talk, who)).askedAs).toBeUndefined();
    expect((await asked(FOLLOW_UP, newId(), one)).askedAs).toBeUndefined();
    expect((await asked(FOLLOW_UP, null, one)).askedAs).toBeUndefined();
  }, 120_000);

  it('changes no bit of what depends on no history', async () => {
    const talk = newId();
    await asked(RMA, talk);
    const alone = await asked(STANDING, null);
    const within = await asked(STANDING, talk);
    const { text, evidence, citations, configuration, route } = alone;
    expect(within).toMatchObject({ text, evidence, citations, configuration, route: { strategy: route.strategy } });
    expect(within.askedAs).toBeUndefined();
    // A model that words it is told the very same.
    const told = async (conversation: string | null) => {
      const before = answering.generations.length;
      await asked(STANDING, conversation, {}, { wording: 'MODEL' });
      return answering.generations.slice(before).map(({ request }) => request);
    };
    const prompts = await told(null);
    expect(prompts).not.toEqual([]);
    expect(await told(talk)).toEqual(prompts);
  }, 120_000);

  it('is seen by those alone who may see what was read for its first question', async () => {
    const { domains, stores, workspaceId, service, caller } = answering;
    const { name } = await answering.collection();
    await answering.ingest(name, [{ name: 'notice.md', text: '# Notice\n\nThe notice period is 47 days.\n' }]);
    const collection = await stores.collections.require(workspaceId, name, 'collection');
    const wish = { names: ['notice.md'], access: ['people'], changedBy: 'test' };
    await domains.knowledge.labels.set(workspaceId, collection, wish);
    const [talk, own] = [newId(), { ...keyed(), groups: ['people'] }];
    const secret = 'How long is the notice period?';
    const first = await asked(secret, talk, own, { collections: [name] });
    expect(first.evidence[0]!.documentName).toBe('notice.md');
    for (const requestId of [null, newId()]) {
      const base = { strategy: 'BASE', requestId, generation: { maxTokens: 4 } } as const;
      const followUp = await asked('And how do I phrase it?', talk, own, base);
      expect(followUp.askedAs).toContain(secret);
      expect(followUp.evidence).toEqual([]);
      const seen = (groups: string[]) => service.answersById({ ...caller, groups }, [followUp.id]);
      expect(await seen(['people'])).toEqual([expect.objectContaining({ askedAs: followUp.askedAs })]);
      expect(await seen(['others'])).toEqual([null]);
    }
    const listed = await service.answers(
      { ...caller, groups: [] },
      { conversationId: talk },
      { first: 10, after: null },
    );
    expect(listed.items).toEqual([]);
  }, 120_000);

  it('gives a follow-up under a request id to no other caller, whose conversation is another', async () => {
    const [talk, requestId] = [newId(), newId()];
    const [one, other] = [keyed(), keyed()];
    await asked(RMA, talk, one);
    const [answer, again] = await Promise.all([
      asked(FOLLOW_UP, talk, one, { requestId }),
      asked(FOLLOW_UP, talk, one, { requestId }),
      expect(asked(FOLLOW_UP, talk, other, { requestId })).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' }),
    ]);
    expect(answer.askedAs).toBe(`${RMA} ${FOLLOW_UP}`);
    expect(again.id).toBe(answer.id);
    expect((await asked(FOLLOW_UP, talk, one, { requestId })).id).toBe(answer.id);
    for (const service of [answering.service, answering.otherGateway()])
      await expect(asked(FOLLOW_UP, talk, other, { requestId }, service)).rejects.toMatchObject({
        code: 'IDEMPOTENCY_CONFLICT',
      });
  }, 120_000);

  it('leaves texts alone that an adapter of another task works on, and those for labelled rows', async () => {
    const { followed } = await import('../../../src/answer/ask/conversation.js');
    const { checkedQuestion } = await import('../../../src/answer/ask/question.js');
    const work = {
      workspaceId: answering.workspaceId,
      groups: null,
      askedBy: null,
      answers: { askedBefore: () => Promise.resolve([{ id: newId(), question: RMA, readFrom: [] }]) },
      adapters: { resolve: () => Promise.resolve({ task: 'CLASSIFICATION' }) as never },
    };
    const input = { question: FOLLOW_UP, conversationId: 'c' };
    for (const more of [
      { strategy: 'ADAPTER', adapter: 'router' },
      { strategy: 'HYBRID', adapter: 'router' },
      { strategy: 'RAG', dataset: 'messages' },
      { task: 'TRANSLATION' },
    ] as const) {
      const question = checkedQuestion({ ...input, ...more });
      expect((await followed(work, question)).question).toBe(question);
    }
    expect((await followed(work, checkedQuestion(input))).question.text).toBe(`${RMA} ${FOLLOW_UP}`);
  });

  it('is erased with its answers, also from the follow-ups that stay', async () => {
    const talk = newId();
    const first = await asked(RMA, talk);
    const second = await asked(FOLLOW_UP, talk);
    await answering.service.deleteAnswers({ ...answering.caller, groups: null }, { ids: [first.id] });
    const left = await kept(second.id);
    expect(left).toMatchObject({ question: FOLLOW_UP });
    expect(left!.askedAs).toBeUndefined();
    const { rows } = await answering.database.pool.query<{ row: string }>(
      'SELECT answer::text AS row FROM answer WHERE conversation_id = $1',
      [talk],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]!.row).not.toContain(RMA);
    // Nothing of it is looked back on.
    expect((await asked('Why?', talk)).askedAs).toBe(`${FOLLOW_UP} Why?`);
  }, 120_000);

  it('is erased from a follow-up, too, that a model is still answering', async () => {
    const { parts, service, caller } = answering;
    for (const requestId of [null, newId()]) {
      const talk = newId();
      const first = await asked(RMA, talk);
      const worker = instead(parts.worker, {
        async *generate(...args) {
          await service.deleteAnswers({ ...caller, groups: null }, { ids: [first.id] });
          yield* parts.worker.generate(...args);
        },
      });
      const base = { strategy: 'BASE', requestId, generation: { maxTokens: 4 } } as const;
      const answer = await asked(FOLLOW_UP, talk, {}, base, new AskService({ ...parts, worker }));
      expect(answer.askedAs).toBe(`${RMA} ${FOLLOW_UP}`);
      const left = await kept(answer.id);
      expect(left).toMatchObject({ question: FOLLOW_UP, text: answer.text });
      expect(left!.askedAs).toBeUndefined();
    }
  }, 120_000);

  it('is erased from a follow-up that is settled in the very moment of the erasure', async () => {
    const { database, workspaceId } = answering;
    const talk = newId();
    const [first] = await recordAnswers(database, workspaceId, [{ question: RMA, conversationId: talk }]);
    const answers = new AnswerStore(database);
    const asker = { workspaceId, conversationId: talk, askedBy: null, groups: null };
    const behind = await answers.askedBefore(asker, 10);
    expect(behind).toEqual([{ id: first, question: RMA, readFrom: [] }]);
    const id = newId();
    const record = { workspaceId, question: FOLLOW_UP, conversationId: talk, askedBy: null, createdAt: new Date() };
    const finished = finishedAnswer({ askedAs: `${RMA} ${FOLLOW_UP}` });
    let settled = Promise.resolve();
    answers.onErasure(async () => {
      const unclaimed = { ...record, id, requestId: id, inputDigest: id };
      settled = answers.add(unclaimed, { finished, behind }, { assignment: null, latencyMs: 1 });
      await waitForRows(1);
    });
    expect(await answers.remove(workspaceId, { ids: [first!], conversationId: null }, null)).toBe(1);
    await settled;
    const left = await kept(id);
    expect(left).toMatchObject({ question: FOLLOW_UP });
    expect(left!.askedAs).toBeUndefined();
  }, 60_000);

  it('is erased with a follow-up that is made again after it, and settled meanwhile', async () => {
    const { database, workspaceId } = answering;
    const answers = new AnswerStore(database);
    const talk = newId();
    const record = { workspaceId, question: FOLLOW_UP, conversationId: talk, askedBy: null };
    const lease = await answers.claim({ ...record, requestId: newId(), inputDigest: 'd' });
    // Its first try failed, and others were asked since.
    const [between, first] = await recordAnswers(database, workspaceId, [
      { question: 'And now?', conversationId: talk },
      { question: RMA, conversationId: talk },
    ]);
    expect([lease!.id, between!, first!]).toEqual([lease!.id, between!, first!].sort());
    const behind = [{ id: first!, question: RMA, readFrom: [] }];
    const third = await database.pool.connect();
    try {
      await third.query('BEGIN');
      await third.query('SELECT 1 FROM answer WHERE id = $1 FOR UPDATE', [between]);
      const deleting = answers.remove(workspaceId, { ids: [], conversationId: talk }, null);
      deleting.catch(() => undefined);
      await waitForRows(1);
      const finished = finishedAnswer({ askedAs: `${RMA} ${FOLLOW_UP}` });
      const settling = answers.complete(lease!, finished, { assignment: null, latencyMs: 1 }, behind);
      settling.catch(() => undefined);
      await waitForRows(2);
      await third.query('COMMIT');
      expect(await Promise.all([deleting, settling])).toEqual([3, false]);
    } finally {
      third.release(true);
    }
  }, 60_000);

  it('loses two of its answers at once to two who delete one each', async () => {
    const { database, workspaceId, parts } = answering;
    const talk = newId();
    const followUp = { question: FOLLOW_UP, conversationId: talk, askedAs: `${RMA} ${FOLLOW_UP}` };
    const [stays, ...deleted] = await recordAnswers(database, workspaceId, [followUp, followUp, followUp]);
    // Both have begun and wait for the answer that stays, as the third who works on it lets it go.
    const third = await database.pool.connect();
    try {
      await third.query('BEGIN');
      await third.query('SELECT 1 FROM answer WHERE id = $1 FOR UPDATE', [stays]);
      const deleting = Promise.all(
        deleted.map((id) => parts.answers.remove(workspaceId, { ids: [id], conversationId: null }, null)),
      );
      // What fails is told by the expectation below; until then nobody listens.
      deleting.catch(() => undefined);
      await waitForRows(2);
      await third.query('COMMIT');
      expect(await deleting).toEqual([1, 1]);
    } finally {
      third.release(true);
    }
    const [left, ...gone] = await Promise.all([stays!, ...deleted].map(kept));
    expect(left).toMatchObject({ question: FOLLOW_UP });
    expect(left!.askedAs).toBeUndefined();
    expect(gone).toEqual([null, null]);
  }, 60_000);
});
