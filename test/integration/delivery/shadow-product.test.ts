import { graphql, parse, subscribe, type ExecutionResult, type GraphQLSchema } from 'graphql';
import { createGraphContext, toGlobalId } from '../../../src/kit/graphql/index.js';
import { localCaller } from '../../../src/kernel/caller.js';
import { DEFAULT_WORKSPACE_ID as WORKSPACE, newId } from '../../../src/kernel/ids.js';
import { PROOF } from '../../support/attestation.js';
import { eventually } from '../../support/eventually.js';
import { schemaOf } from '../../support/schema-of.js';
import { AdapterKit } from '../evaluation/adapter-kit.js';

jest.setTimeout(300_000);

const SHADOW = `query ($id: ID!) { shadow(id: $id) {
  status candidate { version } against { version } run { kind status }
  report { sentence compared failed agreement { value } computeMs { pairs served candidate } }
  pairs(first: 10) { edges { node { same served { id question } } } } } }`;

describe('a shadow of versions with weights', () => {
  let kit: AdapterKit;
  let schema: GraphQLSchema;
  const priorities: (string | undefined)[] = [];

  beforeAll(async () => {
    const watched = (client: ReturnType<typeof watch>) => watch(client, priorities);
    kit = await AdapterKit.start({ realModels: true, watched: watched as never });
    ({ schema } = schemaOf(kit.models.test, kit.domains));
  });
  afterAll(() => kit.dispose());

  const call = async <Data>(source: string, variableValues = {}): Promise<Data> => {
    const contextValue = createGraphContext(localCaller(WORKSPACE), 'request', new AbortController());
    const { data, errors } = await graphql({ schema, source, variableValues, contextValue });
    if (errors) throw errors[0]!.originalError ?? errors[0]!;
    return JSON.parse(JSON.stringify(data)) as Data;
  };

  it('asks them behind users, records nothing, and tells over GraphQL what it found', async () => {
    const { adapters, domains } = kit;
    const made = [];
    for (const seed of [1, 2]) made.push(await kit.add({ name: 'teller', seed }));
    for (const version of made) await adapters.attest(version, PROOF);
    const adapter = await adapters.require(WORKSPACE, 'teller');
    const move = { by: 'op', reason: 'first', evidence: {}, alias: 'production' as const, toVersionId: made[0]!.id };
    await adapters.store.moveAlias(adapter, move, null);
    const input = {
      adapter: 'teller',
      candidate: 2,
      share: 1,
      leastAnswers: 3,
      reason: 'look',
      idempotencyKey: newId(),
    };
    const { startShadow } = await call<{ startShadow: { shadow: { id: string } } }>(
      'mutation ($input: StartShadowInput!) { startShadow(input: $input) { shadow { id } } }',
      { input },
    );
    const { id } = startShadow.shadow;
    const ask = (question: string) => {
      const asked = { question, strategy: 'ADAPTER' as const, adapter: 'teller', generation: { maxTokens: 8 } };
      return domains.ask.asking.ask({ workspaceId: WORKSPACE }, asked, new AbortController().signal);
    };
    const questions = ['aa bb', 'bb cc', 'cc dd'];
    const served = [];
    for (const question of questions) served.push(await ask(question));
    expect(served[0]!.askedWith).toEqual({ generation: { maxTokens: 8, temperature: 0, seed: null } });
    priorities.length = 0;
    type Seen = { shadow: { status: string; report: { compared: number; failed: number } } };
    const seen = await eventually('it is complete', async () => {
      const found = await call<Seen>(SHADOW, { id });
      return found.shadow.status === 'COMPLETE' && found;
    });
    expect(priorities.length).toBeGreaterThan(0);
    expect(new Set(priorities)).toEqual(new Set(['bulk']));
    expect(seen).toMatchObject({
      shadow: {
        candidate: { version: 2 },
        against: { version: 1 },
        run: { kind: 'SHADOW_WATCH' },
        report: { compared: 3, failed: 0, computeMs: { pairs: 3 } },
        pairs: { edges: [...questions].reverse().map((question) => ({ node: { served: { question } } })) },
      },
    });
    const answers = await kit.models.database.prisma.answer.findMany();
    expect(answers.map((row) => row.adapterVersionId)).toEqual(Array(3).fill(made[0]!.id));

    const events: string[] = [];
    const stream = (await subscribe({
      schema,
      document: parse('subscription ($id: ID!) { shadowEvents(shadowId: $id) { id kind answerId } }'),
      variableValues: { id },
      contextValue: createGraphContext(localCaller(WORKSPACE), 'request', new AbortController()),
    })) as AsyncIterable<ExecutionResult<{ shadowEvents: { kind: string } }>>;
    for await (const { data } of stream) events.push(data!.shadowEvents.kind);
    expect(events).toEqual(['STARTED', 'COMPARED', 'COMPARED', 'COMPARED', 'ENDED']);

    const stop = 'mutation ($input: StopShadowInput!) { stopShadow(input: $input) { shadow { id } } }';
    await expect(call(stop, { input: { shadow: id, reason: 'late' } })).rejects.toMatchObject({ code: 'CONFLICT' });
    const nobody = { input: { shadow: toGlobalId('Shadow', newId()), reason: 'none' } };
    await expect(call(stop, nobody)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const { shadows } = await call<{ shadows: { edges: { node: { id: string } }[] } }>(
      '{ shadows(adapter: "teller") { edges { node { id } } } }',
    );
    expect(shadows.edges).toEqual([{ node: { id } }]);
  });
});

/** Notes in which lane each call of the worker goes. */
function watch<Worker extends object>(worker: Worker, seen: (string | undefined)[]): Worker {
  return new Proxy(worker, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const method = (value as (...args: unknown[]) => unknown).bind(target);
      if (name !== 'generate' && name !== 'scoreNext') return method;
      return (request: unknown, options?: { priority?: string }) => {
        seen.push(options?.priority);
        return method(request, options);
      };
    },
  });
}
