import { graphql, parse, subscribe, type ExecutionResult } from 'graphql';
import { openDomains } from '../../../src/server/domains.js';
import { createGraphContext } from '../../../src/kit/graphql/index.js';
import { localCaller } from '../../../src/kernel/caller.js';
import { newId } from '../../../src/kernel/ids.js';
import type { GenerateRequest } from '../../../src/worker-protocol/index.js';
import { freshWorkspace } from '../../support/chroma.js';
import { eventually } from '../../support/eventually.js';
import { instead } from '../../support/instead.js';
import { schemaOf } from '../../support/schema-of.js';
import { startSurroundings } from '../knowledge/harness.js';

jest.setTimeout(240_000);

const USAGE = { promptTokens: 1, reusedTokens: 0, generatedTokens: 1, prefillMs: 1, decodeMs: 1 };
const SHOWN = `id status verdict winner phase
  arms { name weight } results { arm answers units figures { metric n mean low high } }
  conclusion { verdict arm sentence final suggestion comparisons { arm metric value low high finding } }
  progress { counted daysLeft plan { size leastEffect sentence } } health { name healthy message }
  history { answers comparisons { arm low high } } decisions(first: 20) { edges { node { action reasons decidedBy } } } run { status }`;

interface Shown {
  id: string;
  status: string;
  results: { arm: string; answers: number; figures: { n: number; mean: number | null }[] }[];
  conclusion: { verdict: string; arm: string | null; sentence: string };
  history: object[];
  decisions: { edges: { node: { action: string } }[] };
}

/** The whole product, whose model says at once whether it was warm: the arms differ by temperature, and by nothing that takes time. */
async function start() {
  const surroundings = await startSurroundings({}, (worker) =>
    instead(worker, {
      async *generate(request: GenerateRequest) {
        await Promise.resolve();
        const text = request.temperature > 0.4 ? 'warm' : 'cold';
        yield { type: 'delta', text };
        yield { type: 'done', text, reason: 'eos', ...USAGE } as const;
      },
    }),
  );
  const domains = await openDomains(surroundings.test.platform);
  await domains.registry.registry.ensureDefaults(surroundings.workspaceId);
  // There are no documents: the model answers.
  const { prisma } = surroundings.test.platform.database;
  await prisma.workspace.update({ where: { id: surroundings.workspaceId }, data: { baseAnswers: true } });
  surroundings.test.work(domains);
  await domains.delivery.tests.start();
  return { ...surroundings, ...schemaOf(surroundings.test, domains) };
}

describe('experiments over GraphQL', () => {
  let product: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => void (product = await start()));
  afterAll(() => product.stop());

  const context = (workspaceId = product.workspaceId) =>
    createGraphContext(localCaller(workspaceId), 'test', { signal: new AbortController().signal });
  const send = async <Data>(
    source: string,
    variableValues = {},
    workspaceId?: typeof product.workspaceId,
  ): Promise<Data> => {
    const { schema } = product;
    const result = await graphql({ schema, source, variableValues, contextValue: context(workspaceId) });
    if (result.errors) throw result.errors[0]!.originalError ?? result.errors[0]!;
    return JSON.parse(JSON.stringify(result.data)) as Data;
  };
  const ask = (input: object) =>
    send<{
      ask: {
        id: string;
        text: string;
        experiment: { arm: string; forced: boolean; experiment: { id: string } } | null;
      };
    }>(
      `query ($input: AskInput!) { ask(input: $input) { id text experiment { arm forced stage probability experiment { id } rollout { id } } } }`,
      { input },
    ).then((data) => data.ask);
  const judge = (answer: string, score: number) =>
    send(`mutation ($input: SubmitFeedbackInput!) { submitFeedback(input: $input) { feedback { id } } }`, {
      input: { kind: 'FEEDBACK', answer, source: { kind: 'HUMAN', name: 'reader' }, score },
    });
  const create = (over: object) =>
    send<{ createExperiment: { experiment: Shown } }>(
      `mutation ($input: CreateExperimentInput!) { createExperiment(input: $input) { experiment { ${SHOWN} } } }`,
      {
        input: {
          name: 'warmer',
          reason: 'to know',
          idempotencyKey: newId(),
          plannedSize: 120,
          arms: [{ name: 'cold' }, { name: 'warm', generation: { temperature: 0.9, seed: 1 } }],
          metrics: [{ metric: 'FEEDBACK', primary: true }, { metric: 'COST' }, { metric: 'LATENCY' }],
          ...over,
        },
      },
    ).then((data) => data.createExperiment.experiment);
  const order = (name: string, experiment: string, over = {}) =>
    send<Record<string, { experiment: Shown }>>(
      `mutation ($input: ExperimentOrderInput!) { ${name}(input: $input) { experiment { ${SHOWN} } } }`,
      { input: { experiment, reason: 'because', ...over } },
    ).then((data) => data[name]!.experiment);
  const shown = (id: string, workspaceId?: typeof product.workspaceId) =>
    send<{ experiment: Shown | null }>(
      `query ($id: ID!) { experiment(id: $id) { ${SHOWN} } }`,
      { id },
      workspaceId,
    ).then((data) => data.experiment);

  it('finds the arm that readers like better by late feedback, and ships nothing', async () => {
    const { id } = await create({});
    expect((await ask({ question: 'Before it starts?' })).experiment).toBeNull();
    await order('startExperiment', id);
    const answers = [];
    for (let n = 0; n < 130; n++) answers.push(await ask({ question: 'How is it?', unit: `reader ${n}` }));
    for (const answer of answers) {
      expect(answer.experiment!.experiment.id).toBe(id);
      expect(answer.text).toBe(answer.experiment!.arm);
    }
    // The same reader has the same arm, a tester may have any, and neither counts again.
    expect((await ask({ question: 'Again?', unit: 'reader 0' })).experiment!.arm).toBe(answers[0]!.experiment!.arm);
    const forced = await ask({ question: 'And so?', unit: 'tester', forceArm: 'warm' });
    expect(forced).toMatchObject({ text: 'warm', experiment: { forced: true } });
    await judge(forced.id, -1);
    expect((await shown(id))!.status).toBe('RUNNING');
    for (const { id: answer, text } of answers) await judge(answer, text === 'warm' ? 1 : -1);
    const ended = await eventually('it ends', async () => {
      const now = (await shown(id))!;
      if (now.status === 'ENDED') return now;
      throw new Error(JSON.stringify(now.results));
    });
    expect(ended.conclusion).toMatchObject({ verdict: 'WINNER', arm: 'warm', final: true });
    expect(ended.conclusion.sentence).toMatch(/^warm is better than cold, at the planned end: FEEDBACK: 100 %/);
    expect(ended.results.flatMap(({ figures }) => figures[0]!.n).reduce((a, b) => a + b)).toBeGreaterThanOrEqual(120);
    expect(ended.history.length).toBeGreaterThan(0);
    expect((await ask({ question: 'And now?', unit: 'reader 0' })).experiment).toBeNull();
    expect((await ask({ question: 'And now?', unit: 'reader 0' })).text).toBe('cold');
    const document = parse(
      `subscription ($id: ID!) { experimentEvents(experimentId: $id) { id decision { action answers reasons } } }`,
    );
    const stream = await subscribe({
      schema: product.schema,
      document,
      contextValue: context(),
      variableValues: { id },
    });
    const told: string[] = [];
    for await (const { data } of stream as AsyncIterable<ExecutionResult>)
      told.push((data!['experimentEvents'] as { decision: { action: string } }).decision.action);
    expect(told.slice(0, 2)).toEqual(['CREATE', 'START']);
    expect(told.at(-1)).toBe('END');
    expect(told).toEqual(ended.decisions.edges.map(({ node }) => node.action));
  });

  it('shows nothing of it to another workspace, and refuses a unit of 10,000 characters', async () => {
    const { id } = await create({ name: 'mine' });
    const other = freshWorkspace();
    expect(await shown(id, other)).toBeNull();
    await expect(
      send(
        `mutation ($input: ExperimentOrderInput!) { startExperiment(input: $input) { experiment { id } } }`,
        {
          input: { experiment: id, reason: 'theirs' },
        },
        other,
      ),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(ask({ question: 'Who?', unit: 'u'.repeat(10_000) })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      field: 'input.unit',
    });
    await expect(ask({ question: 'Who?', forceArm: 'warm' })).rejects.toMatchObject({ field: 'input.forceArm' });
    expect((await order('stopExperiment', id)).status).toBe('STOPPED');
  });

  it('answers whoever is not in it as production', async () => {
    const { id } = await create({ name: 'few', coverage: 0.3 });
    const question = { question: 'Whoever?', strategy: 'BASE' };
    const plain = await ask(question);
    await order('startExperiment', id);
    // A strategy that the caller names is not Graft’s to change.
    expect(await ask(question)).toMatchObject({ text: plain.text, experiment: null });
    const all = [];
    for (let n = 0; n < 40; n++) all.push(await ask({ question: 'Whoever?', unit: `who ${n}` }));
    const outside = all.filter(({ experiment }) => experiment === null);
    expect(outside.length).toBeGreaterThan(15);
    expect(outside.every(({ text }) => text === 'cold')).toBe(true);
    expect((await order('endExperiment', id)).status).toBe('ENDED');
  });
});
