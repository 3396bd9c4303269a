/** A follow-up is answered behind what the same caller asked before in its conversation; all else as if there were none. */
import { newId } from '../../../src/kernel/ids.js';
import type { CallerKey } from '../../../src/kernel/caller.js';
import { freshWorkspace } from '../../support/chroma.js';
import { forever, RMA, startReading, type Answering } from './answering.js';

const FOLLOW_UP = 'And where do I write it?';
const STANDING = 'When are the roof vents forced shut?';

describe('a conversation', () => {
  let answering: Answering;

  beforeAll(async () => void (answering = await startReading()), 120_000);
  afterAll(() => answering.stop());

  const asked = (question: string, conversationId: string | null, who: object = {}) =>
    answering.service.ask(
      { ...answering.caller, groups: null, ...who },
      { question, conversationId, strategy: 'RAG' },
      forever,
    );
  const keyed = (): { key: CallerKey } => ({ key: { id: newId(), lineId: newId(), prefix: 'graft_x', name: 'x' } });

  it('lets a follow-up be answered behind what it follows, and the answer says so', async () => {
    const talk = newId();
    const first = await asked(RMA, talk);
    expect(first.askedAs).toBeUndefined();
    const second = await asked(FOLLOW_UP, talk);
    expect(second).toMatchObject({ question: FOLLOW_UP, askedAs: `${RMA} ${FOLLOW_UP}` });
    expect(second.evidence[0]!.documentName).toBe('returns.md');
    const [kept] = await answering.service.answersById({ ...answering.caller, groups: null }, [second.id]);
    expect(kept!.askedAs).toBe(second.askedAs);
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
    expect(await answering.parts.answers.askedBefore(remembered, 10)).toEqual([RMA, FOLLOW_UP]);
    expect(await answering.parts.answers.askedBefore({ ...remembered, workspaceId: freshWorkspace() }, 10)).toEqual([]);
    for (const who of [other, {}])
      expect((await asked(FOLLOW_UP, talk, who)).askedAs).toBeUndefined();
    expect((await asked(FOLLOW_UP, newId(), one)).askedAs).toBeUndefined();
    expect((await asked(FOLLOW_UP, null, one)).askedAs).toBeUndefined();
  }, 120_000);

  it('changes no bit of what depends on no history', async () => {
    const talk = newId();
    await asked(RMA, talk);
    const alone = await asked(STANDING, null);
    const prompt = answering.generations.at(-1)!.request;
    const within = await asked(STANDING, talk);
    expect(answering.generations.at(-1)!.request).toEqual(prompt);
    const { text, evidence, citations, configuration, route } = alone;
    expect(within).toMatchObject({ text, evidence, citations, configuration, route: { strategy: route.strategy } });
    expect(within.askedAs).toBeUndefined();
  }, 120_000);

  it('leaves texts alone that an adapter of another task works on, and those for labelled rows', async () => {
    const { followed } = await import('../../../src/ask/conversation.js');
    const { checkedQuestion } = await import('../../../src/ask/question.js');
    const work = {
      ...{ workspaceId: answering.workspaceId, groups: null, askedBy: null },
      answers: { askedBefore: () => Promise.resolve([RMA]) },
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
      expect(await followed(work, question)).toBe(question);
    }
    expect((await followed(work, checkedQuestion(input))).text).toBe(`${RMA} ${FOLLOW_UP}`);
  });

  it('is erased with its answers, also from the follow-ups that stay', async () => {
    const talk = newId();
    const first = await asked(RMA, talk);
    const second = await asked(FOLLOW_UP, talk);
    await answering.service.deleteAnswers(answering.caller, { ids: [first.id] });
    const [kept] = await answering.service.answersById({ ...answering.caller, groups: null }, [second.id]);
    expect(kept).toMatchObject({ question: FOLLOW_UP });
    expect(kept!.askedAs).toBeUndefined();
    const { rows } = await answering.database.pool.query<{ row: string }>(
      'SELECT answer::text AS row FROM answer WHERE conversation_id = $1',
      [talk],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]!.row).not.toContain(RMA);
    // Nothing of it is looked back on.
    expect((await asked('Why?', talk)).askedAs).toBe(`${FOLLOW_UP} Why?`);
  }, 120_000);
});
