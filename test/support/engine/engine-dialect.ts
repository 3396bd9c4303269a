/** What Graft takes for granted of an engine’s server, as tests that stand-ins and a real one are held to. */
import type { EngineAdapter } from '../../../src/ship/fleet/adapters/engine-adapter.js';
import type { Dialect, AnswerPiece, GenerationRequest } from '../../../src/ship/fleet/dialects/dialect.js';
import type { Capabilities } from '../../../src/ship/fleet/engine.js';
import type { EngineHttp } from '../../../src/ship/fleet/engine-http.js';
import type { Fleet } from '../../../src/ship/fleet/fleet.js';
import type { Replica } from '../../../src/ship/fleet/replicas/replica.js';
import { softmax } from '../../../src/kernel/softmax.js';
import { eventually } from '../eventually.js';

/** A server of engines, as its dialect speaks to it, with a fleet over it that was shown to serve its base and has one adapter loaded. */
export interface ServerCandidate {
  http: EngineHttp;
  dialect: Dialect;
  /** Of a prompt. */
  tokens: readonly number[];
  labels: readonly number[];
  fleet: Fleet;
  /** Another gateway's view of the same server. */
  replica: () => Replica;
  /** The adapter that is loaded. */
  held: EngineAdapter;
  /** Another one, and one whose rank is beyond the server's. */
  other: { name: string; path: string };
  wide: { name: string; path: string };
  /** Answers that the server works on. */
  running(): Promise<number>;
}

/** What Graft takes for granted of a server: declares the tests, to which a stand-in is held as a real one is. */
export function keepsTheDialect(open: () => ServerCandidate): void {
  let it: ServerCandidate;
  let capabilities: Capabilities;
  const signal = new AbortController().signal;

  beforeAll(async () => {
    it = open();
    capabilities = (await it.dialect.probe(it.http, signal))!;
  }, 200_000);

  const prompted = (adapter: string | null) => ({ base: capabilities.base, adapter, tokens: it.tokens });
  const score = (adapter: string | null, candidates: readonly number[] = it.labels) =>
    it.dialect.score(it.http, { ...prompted(adapter), candidates }, capabilities.scoring, signal);
  const pieces = async (more: Partial<GenerationRequest> = {}): Promise<AnswerPiece[]> => {
    const asked = { ...prompted(null), maxTokens: 6, temperature: 0, stop: [], ...more };
    const all: AnswerPiece[] = [];
    for await (const piece of it.dialect.stream(it.http, asked, signal)) all.push(piece);
    return all;
  };
  const said = async (more?: Partial<GenerationRequest>) => (await pieces(more)).map(({ text }) => text).join('');
  const names = async () => (await it.dialect.models(it.http, signal)).map(({ id }) => id);

  test('tells what it is, its base model, and the adapters that it has under it', async () => {
    expect(capabilities.contextTokens).toBeGreaterThan(500);
    expect(capabilities.version).not.toBe('');
    const models = await it.dialect.models(it.http, signal);
    expect(models.find(({ id }) => id === capabilities.base)).toMatchObject({ parent: null });
    expect(models.find(({ id }) => id === it.held.name)!.parent).not.toBeNull();
  });

  test('refuses to load what it has, with a reason that says so', async () => {
    await expect(it.dialect.load(it.http, it.held, signal)).rejects.toMatchObject({
      kind: 'REFUSED',
      message: expect.stringMatching(/already/i) as string,
    });
  });

  test('refuses a folder that it doesn’t see and a rank beyond its own, and goes on answering', async () => {
    const nowhere = { name: 'nowhere@0123456789ab', path: '/nowhere/at/all' };
    await expect(it.dialect.load(it.http, nowhere, signal)).rejects.toMatchObject({ kind: 'REFUSED' });
    await expect(it.dialect.load(it.http, it.wide, signal)).rejects.toMatchObject({
      kind: 'REFUSED',
      message: expect.stringMatching(/rank/i) as string,
    });
    expect(await names()).not.toContain(nowhere.name);
    expect(await names()).not.toContain(it.wide.name);
    expect(await said()).not.toBe('');
  });

  test('answers under the adapter that is named and no other, and doesn’t know one that is unloaded', async () => {
    const [base, held] = [await score(null), await score(it.held.name)];
    await it.dialect.load(it.http, it.other, signal);
    const other = await score(it.other.name);
    const most = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));
    expect(most(other, held)).toBeGreaterThan(0.05);
    expect(most(other, base)).toBeGreaterThan(0.05);
    expect(most(await score(it.held.name), held)).toBeLessThan(1e-3);
    await it.dialect.unload(it.http, it.other.name, signal);
    expect(await names()).not.toContain(it.other.name);
    await expect(score(it.other.name)).rejects.toMatchObject({ kind: 'UNKNOWN_MODEL' });
    await expect(said({ adapter: it.other.name })).rejects.toMatchObject({ kind: 'UNKNOWN_MODEL' });
    await expect(it.dialect.unload(it.http, it.other.name, signal)).rejects.toMatchObject({ name: 'EngineFault' });
  });

  test('scores many labels on one scale, whatever else is asked for with them', async () => {
    const few = it.labels.filter((_, i) => i % 10 === 0);
    const all = softmax((await score(null)).filter((_, i) => i % 10 === 0));
    softmax(await score(null, few)).forEach((share, i) => expect(share).toBeCloseTo(all[i]!, 3));
  });

  test('tells the tokens of its text, why it ended and what it took', async () => {
    const all = await pieces();
    const { usage } = all.find((piece) => piece.usage !== null)!;
    expect(usage).toMatchObject({ generatedTokens: 6 });
    expect(all.find(({ reason }) => reason !== null)).toMatchObject({ reason: 'length' });
    if (it.dialect.name === 'VLLM') expect(all.flatMap(({ tokens }) => tokens)).toHaveLength(6);
  });

  test('says the same with the same seed', async () => {
    const drawn = { temperature: 1, seed: 7 };
    expect(await said(drawn)).toBe(await said(drawn));
  });

  test('refuses a prompt beyond its context', async () => {
    const tokens = Array.from({ length: capabilities.contextTokens + 1 }, (_, i) => it.tokens[i % it.tokens.length]!);
    await expect(said({ tokens })).rejects.toMatchObject({ kind: 'REFUSED' });
  });

  test('stops working on an answer whose caller is gone', async () => {
    const leaving = new AbortController();
    const asked = { ...prompted(null), maxTokens: 400, temperature: 0, stop: [] };
    const leave = async () => {
      for await (const _ of it.dialect.stream(it.http, asked, leaving.signal)) leaving.abort(new Error('gone'));
    };
    await expect(leave()).rejects.toThrow('gone');
    await eventually('the server has stopped', async () => (await it.running()) === 0, 20_000);
  });

  test('is seen alike by two gateways, and what one of them unloads is loaded anew by the other', async () => {
    const second = it.replica();
    await second.look(signal);
    expect(second).toMatchObject({ state: 'READY', reason: null });
    await second.hold(it.held, signal);
    await second.drop(it.held.name, signal);
    const [first] = it.fleet.replicas;
    await first!.look(signal);
    expect(first!.residents).toMatchObject([{ state: 'UNPROVEN', reason: 'the engine has forgotten it' }]);
    await it.fleet.require(it.held);
    expect(first!.residents).toMatchObject([{ state: 'PROVEN', reason: null }]);
  });
}
