/** The product with engines: everything over GraphQL, with a stand-in that computes with the tiny model and is held to the contract of a real one. */
import { graphql, parse, subscribe, type ExecutionResult } from 'graphql';
import { createGraphContext } from '../../../src/kit/graphql/index.js';
import { localCaller } from '../../../src/kernel/caller.js';
import { DEFAULT_WORKSPACE_ID as workspaceId, newId, type WorkspaceId } from '../../../src/kernel/ids.js';
import { inWorkspace } from '../../../src/platform/database/index.js';
import { modelFileOf } from '../../../src/sources/registry/index.js';
import type { Replica } from '../../../src/ship/fleet/replicas/replica.js';
import type { AdapterFile } from '../../../src/worker-protocol/index.js';
import { TinyBrain, type Brain } from '../../support/engine/brain.js';
import { EngineServer } from '../../support/engine/engine-server.js';
import { eventually } from '../../support/eventually.js';
import { schemaOf } from '../../support/schema-of.js';
import { AdapterKit, type NewTinyAdapter } from '../evaluation/adapter-kit.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(240_000);

const ASK = `query ($input: AskInput!) { ask(input: $input) {
  text route { strategy } usage { promptTokens generatedTokens } } }`;
const ENGINES = `{ engines { url state reason dialect version base contextTokens labelScoring answered
  adapters { name adapter version state reason cosine } } }`;
const PROMOTE = 'mutation ($input: PromoteAdapterInput!) { promoteAdapter(input: $input) { adapter { name } } }';

interface Engines {
  engines: {
    url: string;
    state: string;
    reason: string | null;
    answered: number;
    adapters: { name: string; adapter: string; version: number; state: string; cosine: number | null }[];
  }[];
}
interface Asked {
  ask: { text: string; route: { strategy: string }; usage: { promptTokens: number; generatedTokens: number } };
}

describe('a gateway with engines', () => {
  let kit: AdapterKit;
  let server: EngineServer;
  let schema: ReturnType<typeof schemaOf>['schema'];
  /** The model is there once it is registered, and adapters come one by one. */
  let brain: Brain;
  const known = new Map<string, AdapterFile>();

  beforeAll(async () => {
    server = await EngineServer.start({
      brain: {
        end: 0,
        next: (...args) => brain.next(...args),
        bytesOf: (token) => brain.bytesOf(token),
      },
    });
    // A name with an address for each engine, as a headless service has.
    const engines = `dns+${server.url.replace('127.0.0.1', 'localhost')}`;
    kit = await AdapterKit.start({ realModels: true, env: { GRAFT_ENGINES: engines } });
    brain = new TinyBrain(kit.worker.client, kit.variant, known);
    ({ schema } = schemaOf(kit.models.test, kit.domains));
  });
  afterAll(async () => {
    await kit?.dispose();
    await server.kill();
  });
  afterEach(() => void (server.faults = {}));

  const context = (signal = new AbortController().signal) =>
    createGraphContext(localCaller(workspaceId), 'test', { signal });
  async function send<Data>(source: string, variableValues = {}): Promise<Data> {
    const { data, errors } = await graphql({ schema, source, variableValues, contextValue: context() });
    if (errors) throw errors[0]!.originalError ?? errors[0]!;
    return JSON.parse(JSON.stringify(data)) as Data;
  }
  const ask = async (question: string, adapter?: string): Promise<Asked['ask']> => {
    const input = {
      // The model says bytes that are no text, which its stand-in can't be told as a prompt: the first of them is all that both can say alike.
      question,
      strategy: adapter ? 'ADAPTER' : 'BASE',
      generation: { maxTokens: 1 },
      ...(adapter && { adapter }),
    };
    return (await send<Asked>(ASK, { input })).ask;
  };
  /** The engine at the address that there is something at; the name may have another one. */
  const engine = (): Replica => kit.domains.fleet.fleet.replicas.find(({ url }) => url === server.url)!;
  const reported = async () => (await send<Engines>(ENGINES)).engines.find(({ url }) => url === server.url)!;
  const answers = () => server.asked.filter(({ path }) => path === '/v1/completions').length;

  /** A version that was shown to act beside the gateway. */
  async function proven(options: NewTinyAdapter): Promise<void> {
    const version = await kit.add(options);
    const { file } = await kit.adapters.resolve(workspaceId, `${options.name}@${version.version}`);
    known.set(version.digest, file);
    await kit.adapters.attest(version, {
      v: 1,
      digest: version.ggufSha256,
      variantSha256: kit.variant.sha256,
      modules: { matched: 6, expected: 6 },
      probes: 8,
      cosine: 1,
      normRatio: 1,
      effect: 1,
      offIsBase: true,
      attestedAt: new Date().toISOString(),
    });
  }
  const promote = async (adapter: string) => {
    for (const alias of ['CANDIDATE', 'PRODUCTION'])
      await send(PROMOTE, { input: { adapter, version: 1, alias, reason: 'It is needed.', force: true } });
  };

  it('answers by itself until an engine was shown to serve its model, and the same through it from then on', async () => {
    const alone = await ask('Where does the river end?');
    expect(answers()).toBe(0);
    await kit.domains.fleet.offer.start();
    await eventually('the engine is ready', () => engine()?.state === 'READY');
    const before = answers();
    expect(await ask('Where does the river end?')).toEqual(alone);
    expect(answers()).toBe(before + 1);
    expect(await reported()).toMatchObject({
      state: 'READY',
      reason: null,
      dialect: 'VLLM',
      version: '0.32.0',
      base: 'base',
      contextTokens: 2_048,
      labelScoring: 'LOGPROB_TOKEN_IDS',
      answered: 1,
    });
  });

  it('knows what engines serve, whichever workspace asks', async () => {
    const stranger = newId() as string as WorkspaceId;
    const before = answers();
    const request = {
      workspaceId: stranger,
      model: modelFileOf(kit.variant),
      prompt: [{ text: 'River', special: false }],
      maxTokens: 1,
      temperature: 0,
      stop: [],
    };
    await inWorkspace(stranger, async () => {
      const events = kit.domains.fleet.worker.generate(request);
      for await (const event of events) expect(event).toBeDefined();
    });
    expect(answers()).toBe(before + 1);
  });

  it('answers as the adapter that production names, on the engine as beside it', async () => {
    await proven({ name: 'acts', seed: 1 });
    const alone = await ask('What is due on Tuesday?', 'acts@1');
    await promote('acts');
    const { adapters } = await reported();
    expect(adapters).toMatchObject([{ adapter: 'acts', version: 1, state: 'PROVEN', reason: null }]);
    expect(adapters[0]!.cosine).toBeGreaterThan(0.99);
    const before = answers();
    expect(await ask('What is due on Tuesday?', 'acts')).toEqual(alone);
    expect(answers()).toBe(before + 1);
    expect(server.asked.at(-1)!.model).toBe(adapters[0]!.name);
  });

  it.each([
    [
      'a trained output layer',
      { modules_to_save: ['lm_head'] },
      /can’t serve with-a-trained-output-layer@1: engines serve no trained lm_head/,
    ],
    [
      'a rank beyond the engine’s own',
      { r: 64 },
      /doesn’t take the adapter: .*rank 64 is greater than max_lora_rank 16/,
    ],
    ['an activation of its own', { alora_invocation_tokens: [1] }, /engines serve no activated LoRA/],
  ])('refuses to promote an adapter with %s, says why, and moves nothing', async (what, settings, reason) => {
    const name = `with-${what.replaceAll(/[ ’]/g, '-')}`;
    await proven({ name, seed: name.length, settings });
    const refusal = { code: 'CONFLICT', message: expect.stringMatching(reason) as string };
    await expect(promote(name)).rejects.toMatchObject(refusal);
    await expect(kit.adapters.resolve(workspaceId, `${name}@candidate`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await ask('What is due?', `${name}@1`)).toBeDefined();
  });

  it('refuses to promote an adapter for which the engine serves the base', async () => {
    await proven({ name: 'unheard', seed: 5 });
    server.faults = { asBase: { has: (name) => name.startsWith('unheard@') } };
    await expect(promote('unheard')).rejects.toMatchObject({
      code: 'ADAPTER_UNPROVEN',
      message: expect.stringContaining('changes no logit') as string,
    });
  });

  it('has an engine that restarts and forgets load production’s adapters anew, and answers meanwhile', async () => {
    const alone = await ask('What is due on Tuesday?', 'acts');
    await server.kill();
    expect(await ask('What is due on Tuesday?', 'acts')).toEqual(alone);
    await server.revive();
    expect(server.adapters.size).toBe(0);
    await eventually('the engine has the adapter again', async () =>
      (await reported()).adapters.some(({ adapter, state }) => adapter === 'acts' && state === 'PROVEN'),
    );
    const before = answers();
    expect(await ask('What is due on Tuesday?', 'acts')).toEqual(alone);
    expect(answers()).toBe(before + 1);
  });

  it('stops the engine’s work when a subscriber leaves', async () => {
    server.faults = { tokenMs: 5 };
    const leaving = new AbortController();
    const input = { question: 'Write a very long story.', strategy: 'BASE', generation: { maxTokens: 512 } };
    const stream = (await subscribe({
      schema,
      document: parse('subscription ($input: AskInput!) { askStream(input: $input) { __typename } }'),
      variableValues: { input },
      contextValue: context(leaving.signal),
    })) as AsyncGenerator<ExecutionResult>;
    await eventually('the engine works', async () => {
      await stream.next();
      return server.working === 1;
    });
    leaving.abort();
    await stream.return(undefined).catch(() => undefined);
    await eventually('the engine has stopped', () => server.aborted === 1 && server.working === 0);
    expect(engine().inFlight).toBe(0);
  });
});
