import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelFile, WorkerMessage } from '../../src/worker-protocol/index.js';
import { writeTinyAdapter, writeTinyModel } from '../support/tiny-model.js';
import { RawWorker, workspaceId } from '../support/worker.js';

// Starting real processes takes long where the cores are shared.
jest.setTimeout(180_000);

const folder = mkdtempSync(join(tmpdir(), 'graft-fairness-'));
const base: ModelFile = writeTinyModel(join(folder, 'tiny.gguf'));
const other: ModelFile = writeTinyModel(join(folder, 'other.gguf'), { seed: 2 });
const adapter = writeTinyAdapter(join(folder, 'adapter.gguf'), { seed: 1 });
const adapted: ModelFile = { ...base, adapters: [adapter] };
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A prompt of 1,900 tokens that the worker takes for half a minute of reading, in slices of 16. */
const LONG = { prompt: [{ text: '#'.repeat(1_900), special: false }], speed: 64 };
const SHORT = { prompt: [{ text: 'What is it?', special: false }], speed: 64 };

describe('beside a long prompt', () => {
  let worker: RawWorker;
  beforeEach(async () => {
    worker = new RawWorker({ sequences: 2 });
    await worker.hello();
  });
  afterEach(() => worker.dispose());

  function generate(id: string, model: ModelFile, input: object, more: object = {}): void {
    worker.send({
      id,
      kind: 'request',
      workspace: workspaceId,
      priority: 'interactive',
      operation: 'generate',
      credits: 1_000,
      input: { model, maxTokens: 4, temperature: 0, stop: [], ...input },
      ...more,
    });
  }
  function score(id: string, model: ModelFile, input: object, more: object = {}): void {
    worker.send({
      id,
      kind: 'request',
      workspace: workspaceId,
      priority: 'interactive',
      operation: 'scoreNext',
      input: { model, candidates: [1, 2, 3, 40, 50], ...input },
      ...more,
    });
  }
  const started = (id: string): Promise<WorkerMessage> =>
    worker.waitFor((message) => message.id === id && message.kind === 'chunk' && message.sequence === 0);
  const ended = (id: string): Promise<WorkerMessage> =>
    worker.waitFor((message) => message.id === id && (message.kind === 'result' || message.kind === 'error'));
  /** Ids of calls in the order in which they ended. */
  const order = (): string[] =>
    worker.received.filter(({ kind }) => kind === 'result' || kind === 'error').map(({ id }) => id);
  const outputOf = async (id: string): Promise<Record<string, unknown>> => {
    const message = await ended(id);
    if (message.kind !== 'result') throw new Error(JSON.stringify(message));
    return message.output as Record<string, unknown>;
  };

  it.each([
    ['the same adapters', base],
    ['other adapters', adapted],
    ['another model', other],
  ])('short ones under %s are answered between its slices', async (_, model) => {
    generate('long', base, LONG);
    await started('long');
    for (const id of ['one', 'two', 'three']) {
      generate(id, model, SHORT);
      await ended(id);
    }
    await ended('long');
    expect(order()).toEqual(['one', 'two', 'three', 'long']);
  });

  it('that is one of many, short ones find a sequence, and scores do, too', async () => {
    for (const id of ['long 1', 'long 2', 'long 3', 'long 4']) generate(id, base, LONG);
    await started('long 1');
    score('score', adapted, SHORT);
    await ended('score');
    generate('short', base, SHORT);
    await ended('short');
    for (const id of ['long 1', 'long 2', 'long 3', 'long 4']) await ended(id);
    expect(order()).toEqual(['score', 'short', 'long 1', 'long 2', 'long 3', 'long 4']);
    // One at a time: the other sequence is for short ones.
    expect(worker.received.findIndex(({ id }) => id === 'long 2')).toBeGreaterThan(
      worker.received.findIndex(({ id, kind }) => id === 'long 1' && kind === 'result'),
    );
  });

  it('bulk work waits, and is done all the same', async () => {
    score('bulk', adapted, { ...SHORT, prompt: [{ text: 'b'.repeat(60), special: false }] }, { priority: 'bulk' });
    generate('long', base, LONG);
    for (const id of ['long', 'bulk']) await ended(id);
    expect(new Set(order())).toEqual(new Set(['bulk', 'long']));
  });

  it('nobody’s keys are lost or mixed up: each is answered as it is alone, bit for bit', async () => {
    const prompts = { a: 'A quarter of the way', b: 'B has another one', c: 'C is the third of them' };
    const ask = (id: string): void => {
      const name = id.slice(-1) as keyof typeof prompts;
      score(id, name === 'b' ? adapted : base, { prompt: [{ text: prompts[name], special: false }], speed: 64 });
    };
    score('alone long', adapted, { ...LONG, fresh: true });
    const alone: Record<string, unknown> = { long: (await outputOf('alone long')).logits };
    for (const id of ['alone a', 'alone b', 'alone c']) {
      ask(id);
      alone[id.slice(-1)] = (await outputOf(id)).logits;
    }
    score('beside long', adapted, { ...LONG, fresh: true });
    for (let round = 0; round < 5; round += 1)
      for (const name of ['a', 'b', 'c']) {
        const id = `${round} ${name}`;
        ask(id);
        expect((await outputOf(id)).logits).toEqual(alone[name]);
      }
    const long = await outputOf('beside long');
    expect(order().at(-1)).toBe('beside long');
    expect(long).toMatchObject({
      logits: alone.long,
      reusedTokens: 0,
      adapters: [{ sha256: adapter.sha256, scale: 1 }],
    });
  });

  it('which is cancelled, the next one has the cores at once', async () => {
    generate('long', base, LONG);
    await started('long');
    worker.send({ id: 'long', kind: 'cancel' });
    generate('next', adapted, SHORT);
    expect(await ended('long')).toMatchObject({ kind: 'error', code: 'CANCELLED' });
    await ended('next');
    // What the same prompt can reuse is what was read before.
    generate('again', base, LONG);
    const first = (await started('again')) as WorkerMessage & { data: { reusedTokens: number; promptTokens: number } };
    expect(first.data.reusedTokens).toBeLessThan(first.data.promptTokens / 2);
    worker.send({ id: 'again', kind: 'cancel' });
    await ended('again');
  });

  it('which can’t be read before its deadline, it is refused at once, and says how long it would have taken', async () => {
    generate('long', base, LONG, { deadline: 12_000 });
    const error = await ended('long');
    expect(error).toMatchObject({ kind: 'error', code: 'QUESTION_TOO_LONG' });
    expect((error as { message: string }).message).toMatch(
      /^Its 1900 tokens would take about \d\d s to read here, 1\d s are left\.$/,
    );
    expect(worker.received.some(({ id, kind }) => id === 'long' && kind === 'chunk')).toBe(false);
    generate('short', base, SHORT, { deadline: 12_000 });
    expect(await ended('short')).toMatchObject({ kind: 'result' });
  });
});
