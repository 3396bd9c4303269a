import { graphql } from 'graphql';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RouterKeeper, type RouterFitter } from '../../../src/prove/index.js';
import { toRouter } from '../../../src/prove/router/router-graphql.js';
import type { BaseAnswers } from '../../../src/answer/ask/route/base-answers.js';
import { basisOf } from '../../../src/answer/ask/answer.js';
import { localCaller } from '../../../src/kernel/caller.js';
import { newId } from '../../../src/kernel/ids.js';
import { createGraphContext } from '../../../src/kit/graphql/index.js';
import { packageRoot } from '../../../src/platform/package-root.js';
import { startAnswering, type Answering } from './answering.js';

jest.setTimeout(480_000);

/** Large enough that questions can be made of it: a few sentences calibrate nothing. */
const HANDBOOK = ['sensors.md', 'controls.md', 'support-hours.txt', 'faq-and-glossary.md'].map((name) => ({
  name,
  text: readFileSync(join(packageRoot(), 'examples', 'handbook', name), 'utf8'),
}));

const DELIVERIES = ['service-level-agreement.md', 'troubleshooting.md'].map((name) => ({
  name,
  text: readFileSync(join(packageRoot(), 'examples', 'handbook', name), 'utf8'),
}));

interface Previewed {
  router: { version: number; mode: string } | null;
  routes: {
    destination: string;
    candidates: { strategy: string; order: number | null; passage: { chunk: { text: string } | null } | null }[];
  }[];
  accuracy: { value: number; low: number; high: number; questions: number } | null;
  confusions: { expected: string; destination: string; count: number }[];
}

describe('a fitted router', () => {
  let answering: Answering;
  let fitter: RouterFitter;
  let keeper: RouterKeeper;
  let baseAnswers: BaseAnswers;

  beforeAll(async () => {
    answering = await startAnswering();
    baseAnswers = answering.parts.baseAnswers as BaseAnswers;
    fitter = answering.domains.evaluation.routerFitter;
    keeper = new RouterKeeper({ fitter });
  });
  afterAll(() => answering.stop());

  const fit = async (mode: 'OBSERVE' | 'APPLY') =>
    answering.finished(await fitter.start(answering.workspaceId, { mode, seed: 1, idempotencyKey: newId() }), 200_000);
  const ask = (question: string, strategy: 'AUTO' | 'RAG' = 'AUTO') =>
    answering.service.tryOut(answering.caller, { question, strategy }, new AbortController().signal);

  it('says that there is nothing to choose between', async () => {
    expect(await fit('OBSERVE')).toMatchObject({ status: 'FAILED', errorCode: 'CONFLICT' });
    expect((await ask('How are you?')).route.router).toBeUndefined();
  });

  it('learns a collection from its own texts, and where it is told to only says what it would have chosen', async () => {
    await answering.collection('handbook');
    await answering.ingest('handbook', HANDBOOK, newId(), 200_000);
    expect(await fit('OBSERVE')).toMatchObject({ status: 'SUCCEEDED', output: { version: 1 } });
    const { route } = await ask('Write a short poem about autumn.');
    expect(route).toMatchObject({ strategy: 'RAG', chosenBy: 'ROUTER', router: { version: 1, mode: 'OBSERVE' } });
    const sum = route.candidates.reduce((all, { probability }) => all + (probability ?? 0), 0);
    expect(sum).toBeCloseTo(1, 6);
    expect(route.reasons.map(({ sentence }) => sentence)).toContainEqual(
      expect.stringMatching(/^Router 1, which only observes, would have chosen RAG\.$/),
    );
  });

  it('decides when it is told to: documents are asked, and what nobody knows is refused', async () => {
    await fitter.routers.setMode(answering.workspaceId, 1, 'APPLY');
    const own = await ask('At what wind speed are the roof vents forced shut?');
    expect(own.route).toMatchObject({ strategy: 'RAG', router: { mode: 'APPLY' } });
    expect(own.route.candidates).toContainEqual(expect.objectContaining({ strategy: 'RAG', order: 1 }));
    expect(own.evidence.length).toBeGreaterThan(0);
    expect(await ask('Write a short poem about autumn.')).toMatchObject({
      abstention: { reason: 'OUT_OF_SCOPE', sentence: 'None of your documents or adapters knows this.' },
      wording: 'ABSTENTION',
    });
  });

  const PREVIEW = `query ($input: PreviewRoutesInput!) { previewRoutes(input: $input) {
    router { version mode } accuracy { value low high questions } confusions { expected destination count }
    routes { destination probability pValue candidates { strategy order passage { similarity chunk { text } } } } } }`;
  const preview = async (questions: { text: string; expected?: string }[]) => {
    const contextValue = createGraphContext(localCaller(answering.workspaceId), 'test', {
      signal: new AbortController().signal,
    });
    const { schema } = answering;
    const { data, errors } = await graphql({
      schema,
      source: PREVIEW,
      variableValues: { input: { questions } },
      contextValue,
    });
    if (errors) throw errors[0]!.originalError ?? errors[0]!;
    return (data as { previewRoutes: Previewed }).previewRoutes;
  };

  it('tells where a list of questions would go, and of how many that is where they should, and asks nobody', async () => {
    const asked = answering.generations.length;
    const recorded = () => answering.database.prisma.answer.count({ where: { workspaceId: answering.workspaceId } });
    const before = await recorded();
    const list = [
      { text: 'At what wind speed are the roof vents forced shut?', expected: 'DOCUMENTS' },
      { text: 'Write a short poem about autumn.', expected: 'DOCUMENTS' },
      { text: 'How are you?' },
    ];
    const { router, routes, accuracy, confusions } = await preview(list);
    expect(router).toEqual({ version: 1, mode: 'APPLY' });
    expect(routes.map(({ destination }) => destination)).toEqual(['DOCUMENTS', 'NOBODY', 'NOBODY']);
    const documents = routes[0]!.candidates.find(({ strategy }) => strategy === 'RAG')!;
    expect(documents).toMatchObject({
      order: 1,
      passage: { chunk: { text: expect.stringContaining('vents') as string } },
    });
    expect(accuracy).toMatchObject({ value: 0.5, questions: 2 });
    expect([accuracy!.low < 0.1, accuracy!.high > 0.9]).toEqual([true, true]);
    expect(confusions).toContainEqual({ expected: 'DOCUMENTS', destination: 'NOBODY', count: 1 });
    // What an earlier preview said, as what is expected: nothing moved.
    const again = await preview(list.map(({ text }, i) => ({ text, expected: routes[i]!.destination })));
    expect(again.accuracy).toMatchObject({ value: 1, high: 1, questions: 3 });
    expect([answering.generations.length, await recorded()]).toEqual([asked, before]);
  });

  it('takes no list that is too long, and no question of one that is', async () => {
    const refused = (questions: { text: string }[], field: string) =>
      expect(preview(questions)).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field });
    await refused([], 'input.questions');
    await refused(
      Array.from({ length: 501 }, () => ({ text: 'x' })),
      'input.questions',
    );
    await refused([{ text: 'x' }, { text: 'x'.repeat(2_001) }], 'input.questions.1.text');
    await refused(
      Array.from({ length: 51 }, () => ({ text: 'x'.repeat(1_990) })),
      'input.questions',
    );
  });

  it('isn’t asked where no adapter may be: documents answer alone', async () => {
    const { route, evidence } = await ask('At what wind speed are the roof vents forced shut?', 'RAG');
    expect(route).toMatchObject({ strategy: 'RAG', chosenBy: 'CALLER' });
    expect(route.router).toBeUndefined();
    expect(evidence.length).toBeGreaterThan(0);
  });

  it('lets the base model answer what nobody knows only where the workspace allows it, and says whose words these are', async () => {
    await baseAnswers.set(answering.workspaceId, true);
    const chat = await ask('Write a short poem about autumn.');
    await baseAnswers.set(answering.workspaceId, false);
    expect(chat).toMatchObject({ route: { strategy: 'BASE' }, abstention: null });
    expect(basisOf(chat)).toBe('BASE_MODEL');
    const sentences = chat.route.reasons.map(({ sentence }) => sentence);
    expect(sentences).toContainEqual(expect.stringMatching(/was asked before and refused/));
    expect(sentences).toContainEqual(expect.stringMatching(/its own words, without evidence/));
  });

  const changes = async () => {
    const { workspaceId } = answering;
    return (await fitter.changes(workspaceId, await fitter.routers.newest(workspaceId))).changes;
  };
  const looked = async () =>
    [await keeper.lookAt(answering.workspaceId), await keeper.lookAt(answering.workspaceId)] as const;

  it('is left as it is while nothing changes, or no more than a little', async () => {
    expect(await looked()).toEqual([null, null]);
    await answering.ingest('handbook', [{ name: 'note.txt', text: 'The Vane was painted green in May.' }]);
    expect(await changes()).toEqual([]);
    expect(await looked()).toEqual([null, null]);
  });

  it('is fitted anew, once, when a collection has come, as soon as that stands still and nothing else works', async () => {
    const { database, workspaceId } = answering;
    await answering.collection('deliveries');
    await answering.ingest('deliveries', DELIVERIES, newId(), 200_000);
    expect(await changes()).toEqual([{ name: 'deliveries', adapts: false, change: 'ADDED' }]);
    const work = { id: newId(), workspaceId, kind: 'INGESTION', inputDigest: '', leaseUntil: new Date('2100-01-01') };
    await database.prisma.run.create({ data: { ...work, status: 'RUNNING', input: {}, leaseOwner: newId() } });
    expect(await looked()).toEqual([null, null]);
    await database.prisma.run.update({ where: { id: work.id }, data: { status: 'CANCELLED', finishedAt: new Date() } });

    const run = await keeper.lookAt(workspaceId);
    expect(run).toMatchObject({ kind: 'ROUTER_FIT', input: { automatic: true } });
    expect(await looked()).toEqual([null, null]);
    await fitter.routers.setMode(workspaceId, 1, 'OBSERVE');
    expect(await answering.finished(run!, 200_000)).toMatchObject({ status: 'SUCCEEDED', output: { version: 2 } });
    const router = (await fitter.routers.newest(workspaceId))!;
    expect(router.mode).toBe('OBSERVE');
    expect(router.learned.collections.map(({ name }) => name).sort()).toEqual(['deliveries', 'handbook']);
    expect(await changes()).toEqual([]);
    expect(await looked()).toEqual([null, null]);
  });

  it('misses no fit that begins, or waits again, at the moment when somebody asks for it', async () => {
    const { database, workspaceId } = answering;
    const far = new Date('2100-01-01');
    const id = newId();
    const row = { id, workspaceId, kind: 'ROUTER_FIT', inputDigest: '', input: {}, notBefore: far, leaseUntil: far };
    await database.prisma.run.create({ data: { ...row, status: 'QUEUED' } });
    let asking = true;
    const flipping = (async () => {
      for (let n = 0; asking; n++)
        await database.prisma.run.update({ where: { id }, data: { status: n % 2 === 0 ? 'RUNNING' : 'QUEUED' } });
    })();
    const found = new Set<string | undefined>();
    try {
      for (let n = 0; n < 200; n++) found.add((await fitter.fitting(workspaceId))?.id);
    } finally {
      asking = false;
      await flipping;
      await database.prisma.run.delete({ where: { id } });
    }
    expect([...found]).toEqual([id]);
  });

  it('is asked where the caller narrowed what may be read, too', async () => {
    await fitter.routers.setMode(answering.workspaceId, 2, 'APPLY');
    const { route } = await answering.service.tryOut(
      answering.caller,
      { question: 'At what wind speed are the roof vents forced shut?', collections: ['handbook'] },
      new AbortController().signal,
    );
    expect(route).toMatchObject({ strategy: 'RAG', router: { version: 2, mode: 'APPLY' } });
  });

  it('says which collection is so small that it doesn’t know it', async () => {
    const newest = async () => toRouter((await fitter.routers.newest(answering.workspaceId))!);
    expect((await newest()).leftOut).toEqual([]);
    await answering.collection('shed');
    await answering.ingest('shed', [{ name: 'shed.txt', text: 'The key to the shed hangs behind the door.' }]);
    expect(await fit('APPLY')).toMatchObject({ status: 'SUCCEEDED' });
    const { places, leftOut } = await newest();
    expect(places.map(({ name }) => name).sort()).toEqual(['deliveries', 'handbook']);
    expect(leftOut).toEqual(['shed']);
  });
});
