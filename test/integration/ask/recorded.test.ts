import { setTimeout as sleep } from 'node:timers/promises';
import { AnswerStore, AskService } from '../../../src/answer/ask/index.js';
import { newId, type WorkspaceId } from '../../../src/kernel/ids.js';
import { freshWorkspace } from '../../support/chroma.js';
import { eventually } from '../../support/eventually.js';
import { forever, RMA, startReading, STORY, type Answering } from './answering.js';

describe('the record of an answer', () => {
  let answering: Answering;

  beforeAll(async () => void (answering = await startReading()), 240_000);
  afterAll(() => answering.stop());

  describe('with a request id', () => {
    it('computes an answer once, for whoever asks meanwhile and later', async () => {
      const input = { question: RMA, wording: 'MODEL' as const, requestId: newId() };
      const before = answering.generations.length;
      const [one, two] = await Promise.all([answering.ask(input), answering.ask(input)]);
      const events = await answering.events(answering.service.stream(answering.caller, input, forever));
      const elsewhere = await answering.otherGateway().ask(answering.caller, input, forever);
      expect([two, elsewhere]).toEqual([one, one]);
      expect(events.map(({ type }) => type)).toEqual(['route', 'delta', 'answer']);
      expect(events.at(-1)).toEqual({ type: 'answer', answer: one });
      expect(answering.generations.length - before).toBe(1);
    });

    it('refuses the id for other input, while it runs and after', async () => {
      const requestId = newId();
      const running = answering.ask({ question: RMA, requestId });
      const conflict = { code: 'IDEMPOTENCY_CONFLICT', field: 'input.requestId' };
      await expect(answering.ask({ question: 'Other?', requestId })).rejects.toMatchObject(conflict);
      await running;
      await expect(answering.ask({ question: RMA, requestId, strategy: 'BASE' })).rejects.toMatchObject(conflict);
      await expect(
        answering.otherGateway().ask(answering.caller, { question: 'Other?', requestId }, forever),
      ).rejects.toMatchObject(conflict);
    });

    it('waits for the gateway that makes the answer', async () => {
      const input = { question: RMA, wording: 'MODEL' as const, requestId: newId() };
      const first = answering.ask(input);
      await eventually('the claim', async () => (await answering.row(input.requestId)) !== null);
      const before = answering.generations.length;
      const second = await answering.otherGateway().ask(answering.caller, input, forever);
      expect(second).toEqual(await first);
      expect(answering.generations.length - before).toBeLessThanOrEqual(1);
    });

    it('takes over what a dead gateway left, once its lease is over', async () => {
      const input = { question: RMA, wording: 'MODEL' as const, requestId: newId() };
      const stopping = new AbortController();
      const first = answering.ask(input, stopping.signal);
      await eventually('the claim', async () => (await answering.row(input.requestId)) !== null);
      stopping.abort();
      await expect(first).rejects.toMatchObject({ code: 'CANCELLED' });
      // What is left of a gateway that was killed: a running answer that nobody renews.
      await eventually('the record', async () => (await answering.row(input.requestId))?.status === 'CANCELLED');
      const { id } = await answering.database.prisma.answer.update({
        where: { workspaceId_requestId: { workspaceId: answering.workspaceId, requestId: input.requestId } },
        data: { status: 'RUNNING', leaseOwner: newId(), leaseUntil: new Date(Date.now() + 700) },
      });
      const started = Date.now();
      const answer = await answering.otherGateway().ask(answering.caller, input, forever);
      expect(answer.id).toBe(id);
      expect(Date.now() - started).toBeGreaterThan(500);
    });

    it('makes an answer again that failed', async () => {
      const input = { question: RMA, wording: 'MODEL' as const, requestId: newId() };
      const failing = new AskService({
        ...answering.parts,
        registry: {
          ...answering.parts.registry,
          embedder: () => answering.parts.registry.embedder(),
          resolve: () => Promise.reject(new Error('a secret')),
        },
      });
      await expect(failing.ask(answering.caller, input, forever)).rejects.toThrow('a secret');
      expect(await answering.row(input.requestId)).toMatchObject({
        status: 'FAILED',
        errorCode: 'INTERNAL_ERROR',
        errorMessage: 'Something unexpected happened.',
      });
      expect((await answering.ask(input)).text).toContain('21 days');
      expect(await answering.row(input.requestId)).toMatchObject({ status: 'COMPLETE', errorCode: null });
    });
  });

  describe('cancelled', () => {
    const input = () => ({
      question: STORY,
      strategy: 'BASE' as const,
      requestId: newId(),
      generation: { maxTokens: 512, temperature: 0.8, seed: 7 },
    });
    const idle = () => eventually('an idle worker', () => answering.worker.status.load?.active === 0);

    it('stops the model when the reader leaves, and records it', async () => {
      const asked = input();
      for await (const event of answering.service.stream(answering.caller, asked, forever))
        if (event.type === 'delta') break;
      await eventually('the record', async () => (await answering.row(asked.requestId))?.status === 'CANCELLED');
      expect(answering.generations.at(-1)!.ended).toBe(true);
      await idle();
    });

    it('stops the model when the caller’s signal aborts', async () => {
      const asked = { ...input(), requestId: null };
      const stopping = new AbortController();
      const answer = answering.ask(asked, stopping.signal);
      const before = answering.generations.length;
      await eventually('the model’s start', () => answering.generations.length > before);
      stopping.abort();
      await expect(answer).rejects.toMatchObject({ code: 'CANCELLED' });
      await eventually('the end', () => answering.generations.at(-1)!.ended);
      await idle();
    });

    it('is recorded too when nobody gave it a request id', async () => {
      const recorded = () => answering.database.prisma.answer.findMany({ where: { question: 'Tell me of the sea.' } });
      const asked = { question: 'Tell me of the sea.', strategy: 'BASE' as const };
      for await (const event of answering.service.stream(answering.caller, asked, forever))
        if (event.type === 'delta') break;
      await eventually('the record', async () => (await recorded()).length > 0);
      expect(await recorded()).toMatchObject([{ status: 'CANCELLED', errorCode: 'CANCELLED' }]);
    });

    it('goes on for who still waits', async () => {
      const asked = { ...input(), generation: { maxTokens: 24 } };
      const stopping = new AbortController();
      const leaving = answering.ask(asked, stopping.signal);
      const staying = answering.ask(asked);
      await eventually('the claim', async () => (await answering.row(asked.requestId)) !== null);
      stopping.abort();
      await expect(leaving).rejects.toMatchObject({ code: 'CANCELLED' });
      expect((await staying).usage.generatedTokens).toBeGreaterThan(0);
    });
  });

  it('refuses a question longer than the context, with the limit in tokens, and records the failure', async () => {
    const requestId = newId();
    const service = answering.withVariant({ contextLength: 512 });
    const question = 'Why do vents close? '.repeat(120);
    await expect(service.ask(answering.caller, { question, requestId }, forever)).rejects.toMatchObject({
      code: 'QUESTION_TOO_LONG',
      field: 'input.question',
      message: expect.stringMatching(/^The question has \d{3} tokens; at most \d+ fit beside an answer of 96\.$/),
    });
    expect(await answering.row(requestId)).toMatchObject({ status: 'FAILED', errorCode: 'QUESTION_TOO_LONG' });
  });

  it('shows no answer and no document of another workspace', async () => {
    const { id } = await answering.ask({ question: RMA });
    const other = { workspaceId: freshWorkspace() };
    expect(await answering.service.answersById(other, [id])).toEqual([null]);
    expect((await answering.service.answers(other, {}, { first: 10, after: null })).items).toEqual([]);
    const stranger = freshWorkspace();
    await answering.database.prisma.workspace.create({ data: { id: stranger, name: stranger } });
    await answering.registry.ensureDefaults(stranger);
    await expect(
      answering.service.ask({ workspaceId: stranger }, { question: RMA, collections: ['manual'] }, forever),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('writes an answer once that nobody can join, with whatever characters it has', async () => {
    let writes = 0;
    class Counted extends AnswerStore {
      override add(...args: Parameters<AnswerStore['add']>) {
        writes += 1;
        return super.add(...args);
      }
    }
    const answers = new Counted(answering.database);
    const answer = await new AskService({ ...answering.parts, answers }).ask(
      answering.caller,
      { question: RMA },
      forever,
    );
    await sleep(100);
    expect(writes).toBe(1);
    // The escape for NUL, spelled out, is text like any other; NUL itself is what PostgreSQL can't hold.
    const spelled = `a ${'\\'}u0000 b`;
    const unclaimed = {
      ...answer,
      id: newId(),
      requestId: newId(),
      inputDigest: 'x',
      askedBy: null,
      workspaceId: answering.workspaceId,
    };
    const evidence = [{ ...answer.evidence[0]!, quote: spelled }];
    const finished = { ...answer, evidence, text: 'c\0d' };
    await answers.add(unclaimed, { finished }, { assignment: null, latencyMs: 5 });
    const [read] = await answering.service.answersById(answering.caller, [unclaimed.id]);
    expect(read).toMatchObject({ text: 'cd', evidence: [{ quote: spelled }] });
  });

  it('lists answers newest first, by strategy, abstention and conversation', async () => {
    const conversationId = newId();
    const ids: string[] = [];
    for (const strategy of ['BASE', 'RAG', 'RAG'] as const)
      ids.unshift((await answering.ask({ question: RMA, strategy, conversationId, generation: { maxTokens: 4 } })).id);
    const page = (filter: object, first = 10, after: string | null = null) =>
      answering.service.answers(answering.caller, { conversationId, ...filter }, { first, after });
    expect((await page({})).items.map(({ id }) => id)).toEqual(ids);
    expect((await page({ strategy: 'BASE' })).items.map(({ id }) => id)).toEqual(ids.slice(2));
    expect((await page({ abstained: true })).items).toEqual([]);
    const first = await page({}, 2);
    expect([first.items.length, first.hasNextPage]).toEqual([2, true]);
    const cursor = Buffer.from(JSON.stringify([ids[1]])).toString('base64url');
    expect((await page({}, 2, cursor)).items.map(({ id }) => id)).toEqual([ids[2]]);
    await expect(page({}, 2, 'nonsense')).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('keeps a workspace’s id apart from another’s under the same request id', async () => {
    const requestId = newId();
    const one = await answering.ask({ question: RMA, requestId });
    const workspaceId: WorkspaceId = freshWorkspace();
    await answering.database.prisma.workspace.create({ data: { id: workspaceId, name: workspaceId } });
    await answering.registry.ensureDefaults(workspaceId);
    const two = await answering.service.ask({ workspaceId }, { question: 'Say hello.', requestId }, forever);
    expect(two.id).not.toBe(one.id);
  });
});
