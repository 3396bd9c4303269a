/** What a fleet does when engines fail, forget, lie or are somebody else: a stand-in's answers tell which adapter answered. */
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { EngineHttp } from '../../../src/ship/fleet/engine-http.js';
import { withFleet } from '../../../src/ship/fleet/fleet-worker.js';
import { NoEngine } from '../../../src/ship/fleet/fleet.js';
import { DEFAULT_WORKSPACE_ID } from '../../../src/kernel/ids.js';
import { onAccount, spend, type Account } from '../../../src/platform/spending/index.js';
import type { WorkerClient } from '../../../src/platform/worker/index.js';
import { CheapBrain } from '../../support/engine/brain.js';
import { EngineServer, type EngineServerOptions } from '../../support/engine/engine-server.js';
import { CheapAdapters, cheapFleet, question, textOf } from '../../support/engine/fleet-kit.js';
import { eventually } from '../../support/eventually.js';

const brain = new CheapBrain();
const folder = join(tmpdir(), `graft-fleet-${randomUUID()}`);
const adapters = new CheapAdapters(folder);
const servers: EngineServer[] = [];
const started: { keeper: { stop(): Promise<void> } }[] = [];

afterEach(async () => {
  for (const { keeper } of started.splice(0)) await keeper.stop();
  for (const server of servers.splice(0)) await server.kill();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function engine(options: Partial<EngineServerOptions> = {}): Promise<EngineServer> {
  const server = await EngineServer.start({ brain, ...options });
  servers.push(server);
  return server;
}

/** A gateway's fleet over these engines, looked at once. */
async function fleetOver(all: readonly EngineServer[], options: Partial<Parameters<typeof cheapFleet>[0]> = {}) {
  const made = cheapFleet({ urls: all.map(({ url }) => url), adapters, ...options });
  started.push(made);
  await made.keeper.round();
  return made;
}

/** A worker that charges for its answers, as the real one does. */
const charged = (tokens: number): WorkerClient =>
  ({
    generate: () =>
      (async function* () {
        await Promise.resolve();
        spend(tokens);
        yield { type: 'done', text: 'the worker' };
      })(),
  }) as unknown as WorkerClient;

const states = (fleet: { replicas: readonly { url: string; state: string }[] }): string[] =>
  fleet.replicas.map(({ state }) => state);

describe('an engine that is not as it should be', () => {
  test('absent, it is passed over, and answers once it is there', async () => {
    const [one, two] = [await engine(), await engine()];
    await two.kill();
    const { fleet, keeper } = await fleetOver([one, two]);
    expect(states(fleet).sort()).toEqual(['AWAY', 'READY']);
    expect(await textOf(fleet.generate(question(null)))).toBe('<0><0><0>');
    await two.revive();
    await keeper.round();
    expect(states(fleet)).toEqual(['READY', 'READY']);
  });

  test('slow to say anything, it is left for another one', async () => {
    const [one, two] = [await engine(), await engine()];
    const { fleet } = await fleetOver([one, two], { quietMs: 100 });
    one.faults = { silent: true };
    two.faults = {};
    for (let i = 0; i < 4; i++) expect(await textOf(fleet.generate(question(null)))).toBe('<0><0><0>');
    expect(fleet.replicas.find(({ url }) => url === one.url)!.failed).toBeGreaterThan(0);
  });

  test('silent for longer than a call may take, it is called slow, before its answer and in the middle of it', async () => {
    const one = await engine();
    const http = new EngineHttp(one.url);
    one.faults = { silent: true };
    const within = (ms: number) => ({ signal: AbortSignal.timeout(ms) });
    await expect(http.json('GET', '/v1/models', undefined, within(20))).rejects.toMatchObject({ kind: 'SLOW' });
    one.faults = { tokenMs: 30 };
    const streaming = async () => {
      const body = { model: 'base', prompt: [1], max_tokens: 1_000, stream: true };
      for await (const _ of http.events('/v1/completions', body, within(150).signal)) continue;
    };
    await expect(streaming()).rejects.toMatchObject({ kind: 'SLOW' });
  });

  test('answering 500, it is asked no more for a while after three times, and others answer', async () => {
    const [one, two] = [await engine(), await engine()];
    const { fleet } = await fleetOver([one, two]);
    one.faults = { status: 500 };
    for (let i = 0; i < 20; i++) expect(await textOf(fleet.generate(question(null)))).toBe('<0><0><0>');
    const asked = one.asked.filter(({ path }) => path === '/v1/completions').length;
    const broken = fleet.replicas.find(({ url }) => url === one.url)!;
    expect(broken).toMatchObject({ failed: 3 });
    expect(broken.breaker.allows).toBe(false);
    await textOf(fleet.generate(question(null)));
    expect(one.asked.filter(({ path }) => path === '/v1/completions')).toHaveLength(asked);
  });

  test('breaking off before its first word, another one answers; after it, who asked is told and nothing is said twice', async () => {
    const [one, two] = [await engine(), await engine()];
    const { fleet } = await fleetOver([one, two]);
    for (const each of [one, two]) each.faults = { breakAfter: 2 };
    const said: string[] = [];
    const asking = async () => {
      for await (const event of fleet.generate(question(null))) if (event.type === 'delta') said.push(event.text);
    };
    await expect(asking()).rejects.toMatchObject({ code: 'WORKER_CRASHED' });
    expect(said).toEqual(['<0>', '<0>']);
    one.faults = { breakAfter: 0 };
    two.faults = {};
    expect(await textOf(fleet.generate(question(null)))).toBe('<0><0><0>');
  });

  test('serving another base model, it is refused with what differs', async () => {
    const other = await engine({ brain: new CheapBrain(2) });
    const { fleet } = await fleetOver([other]);
    expect(fleet.replicas[0]).toMatchObject({
      state: 'REFUSED',
      reason: expect.stringContaining('another base model') as string,
    });
    await expect(textOf(fleet.generate(question(null)))).rejects.toBeInstanceOf(NoEngine);
  });

  test('coming back with another base model, it answers nothing more', async () => {
    const one = await engine();
    const { fleet, keeper } = await fleetOver([one]);
    await one.kill();
    await expect(textOf(fleet.generate(question(null)))).rejects.toBeInstanceOf(NoEngine);
    await one.revive({ brain: new CheapBrain(2) });
    await keeper.round();
    expect(states(fleet)).toEqual(['REFUSED']);
  });

  test('serving the base under an adapter’s name, it is caught and answers nothing for that adapter', async () => {
    const adapter = await adapters.adapter(7);
    const one = await engine();
    one.faults = { asBase: new Set([adapter.name]) };
    const { fleet } = await fleetOver([one], { production: () => [adapter] });
    expect(fleet.replicas[0]!.residents).toMatchObject([
      { state: 'UNPROVEN', reason: expect.stringContaining('changes no logit') as string },
    ]);
    await expect(textOf(fleet.generate(question(adapter)))).rejects.toBeInstanceOf(NoEngine);
    expect(await textOf(fleet.generate(question(null)))).toBe('<0><0><0>');
  });

  test('serving the base under an adapter’s name later on, it is caught by a look under traffic', async () => {
    const adapter = await adapters.adapter(7);
    const one = await engine();
    const { fleet } = await fleetOver([one], { production: () => [adapter], checkEvery: 5 });
    one.faults = { asBase: new Set([adapter.name]) };
    for (let i = 0; i < 5; i++) await textOf(fleet.generate(question(adapter)));
    await eventually('the look under traffic', () => fleet.replicas[0]!.residents[0]!.state === 'UNPROVEN');
    await expect(textOf(fleet.generate(question(adapter)))).rejects.toBeInstanceOf(NoEngine);
  });

  test('computing the base with an adapter’s weights when both are asked at once, it is left without adapters and answers as the base', async () => {
    const [fine, last] = [await adapters.adapter(7), await adapters.adapter(8)];
    const one = await engine();
    const { fleet, keeper } = await fleetOver([one], { production: () => [fine] });
    expect(await textOf(fleet.generate(question(fine)))).toBe('<7><7><7>');
    one.faults = { mixes: true };
    const refusal = { code: 'CONFLICT', message: expect.stringContaining('both are asked at once') as string };
    await expect(fleet.require(last)).rejects.toMatchObject(refusal);
    await keeper.round();
    for (const adapter of [fine, last])
      await expect(textOf(fleet.generate(question(adapter)))).rejects.toBeInstanceOf(NoEngine);
    expect(await textOf(fleet.generate(question(null)))).toBe('<0><0><0>');
    await eventually('the engine has no adapters', () => one.adapters.size === 0);
    await one.kill();
    await keeper.round();
    one.faults = {};
    await one.revive();
    await keeper.round();
    expect(await textOf(fleet.generate(question(fine)))).toBe('<7><7><7>');
  });

  test('listing adapters that it doesn’t have, it is believed none; hiding those that it has, it goes on answering', async () => {
    const adapter = await adapters.adapter(7);
    const one = await engine();
    one.faults = { invented: [adapter.name] };
    const { fleet, keeper } = await fleetOver([one], { production: () => [adapter] });
    expect(await textOf(fleet.generate(question(adapter)))).toBe('<7><7><7>');
    one.faults = { hidden: new Set([adapter.name]) };
    for (let i = 0; i < 3; i++) await keeper.round();
    expect(await textOf(fleet.generate(question(adapter)))).toBe('<7><7><7>');
    expect(one.asked.filter(({ path }) => path === '/v1/load_lora_adapter')).toHaveLength(2);
  });

  test('answering as another model than it was asked for, it isn’t believed', async () => {
    const one = await engine();
    const { fleet } = await fleetOver([one]);
    one.faults = { answersAs: 'something-else' };
    await expect(textOf(fleet.generate(question(null)))).rejects.toBeInstanceOf(NoEngine);
  });

  test('wanting a key, it gets it; without one it is refused with what it says', async () => {
    const one = await engine({ key: 'a-key-that-is-long-enough' });
    expect(states((await fleetOver([one], { key: 'a-key-that-is-long-enough' })).fleet)).toEqual(['READY']);
    const { fleet } = await fleetOver([one]);
    expect(fleet.replicas[0]).toMatchObject({ state: 'REFUSED' });
  });
});

test.each(['VLLM', 'SGLANG'] as const)(
  '%s draws words as the worker does, and scores as the model holds: nothing of what the model’s own settings say',
  async (dialect) => {
    const one = await engine({ dialect });
    const { fleet } = await fleetOver([one]);
    one.asked.splice(0);
    await textOf(fleet.generate(question(null)));
    const penalties = { repetition_penalty: 1, presence_penalty: 0, frequency_penalty: 0 };
    expect(one.asked.map(({ body }) => body)).toMatchObject([{ ...penalties, top_p: 0.95, top_k: 40, min_p: 0 }]);
    one.asked.splice(0);
    const sampling = { topP: 0.5, presencePenalty: 1, frequencyPenalty: -1 };
    await textOf(fleet.generate({ ...question(null), sampling, stop: ['.'] }));
    expect(one.asked.map(({ body }) => body)).toMatchObject([
      { top_p: 0.5, presence_penalty: 1, frequency_penalty: -1, repetition_penalty: 1, top_k: 40, stop: ['.'] },
    ]);
    // Nobody knows here which tokens an engine has.
    const biased = { ...question(null), sampling: { logitBias: { 7: 1 } } };
    await expect(textOf(fleet.generate(biased))).rejects.toBeInstanceOf(NoEngine);
    one.asked.splice(0);
    const { workspaceId, model, prompt } = question(null);
    await fleet.scoreNext({ workspaceId, model, prompt, candidates: [1, 2] });
    expect(one.asked.map(({ body }) => body)).toMatchObject([
      dialect === 'VLLM' ? { ...penalties, top_p: 1, top_k: -1, min_p: 0 } : { apply_softmax: false },
    ]);
  },
);

describe('adapters on engines', () => {
  test('forgotten by a restart that nobody noticed, an adapter is loaded and proven anew', async () => {
    const adapter = await adapters.adapter(7);
    const one = await engine();
    const { fleet, keeper } = await fleetOver([one], { production: () => [adapter] });
    one.adapters.clear();
    await expect(textOf(fleet.generate(question(adapter)))).rejects.toBeInstanceOf(NoEngine);
    await keeper.round();
    expect(await textOf(fleet.generate(question(adapter)))).toBe('<7><7><7>');
  });

  test('the worker answers while an adapter is loaded, engines from then on', async () => {
    const adapter = await adapters.adapter(9);
    const one = await engine();
    const { fleet } = await fleetOver([one]);
    const worker = {
      generate: () =>
        (async function* () {
          await Promise.resolve();
          yield { type: 'done', text: 'the worker' };
        })(),
    } as unknown as WorkerClient;
    const both = withFleet(worker, fleet);
    expect(await textOf(both.generate(question(adapter)))).toBe('the worker');
    await eventually('the engine', async () => (await textOf(both.generate(question(adapter)))) === '<9><9><9>');
  });

  test('what engines can’t do, the worker does: texts to copy from, grammars, prompts beyond their context', async () => {
    const { fleet } = await fleetOver([await engine({ contextTokens: 20 })]);
    const held = { ...question(null), constraint: { copyFrom: ['a text'] } };
    const long = question(null, 'x'.repeat(40));
    for (const each of [held, { ...question(null), grammar: 'root ::= "a"' }, long])
      await expect(textOf(fleet.generate(each))).rejects.toBeInstanceOf(NoEngine);
  });

  test('a rank beyond the engine’s own is refused with its reason', async () => {
    const { fleet } = await fleetOver([await engine({ maxRank: 8 })]);
    await expect(fleet.require(await adapters.adapter(3, { rank: 32 }))).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('rank 32 is greater than max_lora_rank 8') as string,
    });
  });

  test('versions of one adapter have names and paths of their own, so that none answers from another’s prefix cache', async () => {
    const [first, second] = [await adapters.adapter(5, { version: 1 }), await adapters.adapter(5, { version: 2 })];
    expect(first.name).not.toBe(second.name);
    expect(first.path).not.toBe(second.path);
  });

  test('an adapter that nobody asks for is unloaded, one of production stays', async () => {
    const [stays, goes] = [await adapters.adapter(7), await adapters.adapter(8)];
    const one = await engine();
    const { fleet, keeper } = await fleetOver([one], { production: () => [stays], idleMs: 0 });
    await fleet.require(goes);
    await keeper.round();
    expect([...one.adapters.keys()]).toEqual([stays.name]);
  });

  test('two gateways that load and unload the same at once both get it, and answer right', async () => {
    const adapter = await adapters.adapter(6);
    const one = await engine();
    const gateways = [await fleetOver([one], { idleMs: 0 }), await fleetOver([one])];
    for (let i = 0; i < 5; i++) {
      await Promise.all(gateways.map(({ fleet }) => fleet.require(adapter)));
      await gateways[0]!.keeper.round();
      await gateways[1]!.keeper.round();
      for (const { fleet } of gateways) {
        const said = await textOf(fleet.generate(question(adapter))).catch((error: unknown) => error);
        if (!(said instanceof NoEngine)) expect(said).toBe('<6><6><6>');
      }
    }
    await gateways[1]!.keeper.round();
    await gateways[1]!.fleet.require(adapter);
    expect(await textOf(gateways[1]!.fleet.generate(question(adapter)))).toBe('<6><6><6>');
  });
});

describe('whoever asks', () => {
  test('is charged for what engines read and write, and until then where they go; the worker charges its own', async () => {
    const one = await engine();
    const { fleet } = await fleetOver([one]);
    const both = withFleet({} as WorkerClient, fleet);
    const account = (): Account => ({ caller: { workspaceId: DEFAULT_WORKSPACE_ID, key: null }, tokens: 0 });
    const asked = question(null, 'What is it?', 3);
    const [whole, left, scored] = [account(), account(), account()];
    await onAccount(whole, () => textOf(both.generate(asked)));
    expect(whole.tokens).toBe(11 + 3);
    await onAccount(left, async () => {
      for await (const event of both.generate(asked)) if (event.type === 'delta') break;
    });
    expect(left.tokens).toBe(11 + 1);
    const { workspaceId, model, prompt } = asked;
    await onAccount(scored, () => both.scoreNext({ workspaceId, model, prompt, candidates: [1, 2] }));
    expect(scored.tokens).toBe(11);

    await one.kill();
    const other = account();
    await onAccount(other, () => textOf(withFleet(charged(5), fleet).generate(asked)));
    expect(other.tokens).toBe(5);
  });

  test('goes away: the engine stops', async () => {
    const one = await engine();
    const { fleet } = await fleetOver([one]);
    one.faults = { tokenMs: 5 };
    const controller = new AbortController();
    const asking = textOf(fleet.generate(question(null, 'long', 500), { signal: controller.signal }));
    await eventually('the engine’s work', () => fleet.replicas[0]!.inFlight === 1);
    controller.abort();
    await expect(asking).rejects.toMatchObject({ code: 'CANCELLED' });
    await eventually('the engine’s end', () => one.aborted === 1);
    expect(fleet.replicas[0]!.inFlight).toBe(0);
  });

  test('leaves the loop: the engine stops, too', async () => {
    const one = await engine();
    const { fleet } = await fleetOver([one]);
    one.faults = { tokenMs: 5 };
    for await (const event of fleet.generate(question(null, 'long', 500))) if (event.type === 'delta') break;
    await eventually('the engine’s end', () => one.aborted === 1);
  });

  test('has a deadline: it ends the engine’s work', async () => {
    const one = await engine();
    const { fleet } = await fleetOver([one]);
    one.faults = { silent: true };
    await expect(textOf(fleet.generate(question(null), { deadlineMs: 50 }))).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
  });
});

test('eight adapters on three engines, one killed under load: no answer is another adapter’s, none is lost', async () => {
  const all = await Promise.all(Array.from({ length: 8 }, (_, i) => adapters.adapter(20 + i)));
  const engines = await Promise.all([engine(), engine(), engine()]);
  const { fleet, keeper } = await fleetOver(engines, { production: () => all });
  expect(engines.map((each) => each.adapters.size)).toEqual([8, 8, 8]);
  const asks = 2_000;
  let next = 0;
  let told = 0;
  const wrong: string[] = [];
  const asker = async () => {
    while (next < asks) {
      const at = next++;
      if (at === 600) void engines[0].kill();
      if (at === 1_200) void engines[0].revive().then(() => keeper.round());
      const says = 20 + (at % 8);
      const request = question(all[at % 8]!, `question ${at}`);
      const expected = `<${says}>`.repeat(3);
      // Who is told that an answer broke off asks again, as the code says.
      const said = await textOf(fleet.generate(request)).catch((error: { code?: string }) => {
        if (error.code !== 'WORKER_CRASHED') throw error;
        told += 1;
        return textOf(fleet.generate(request));
      });
      if (said !== expected) wrong.push(`${said} instead of ${expected}`);
    }
  };
  await Promise.all(Array.from({ length: 12 }, asker));
  expect(wrong).toEqual([]);
  expect(next).toBeGreaterThanOrEqual(asks);
  expect(told).toBeLessThanOrEqual(12);
  await keeper.round();
  expect(states(fleet)).toEqual(['READY', 'READY', 'READY']);
  expect(engines[0].adapters.size).toBe(8);
});

test('an address that an engine doesn’t have is told as a model that it doesn’t have', async () => {
  const one = await engine();
  await expect(new EngineHttp(one.url).json('GET', '/nowhere')).rejects.toMatchObject({ kind: 'UNKNOWN_MODEL' });
});
