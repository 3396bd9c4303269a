import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AskService } from '../../../src/answer/ask/index.js';
import type { AskInput } from '../../../src/answer/ask/question.js';
import { type AdapterDeleter } from '../../../src/learn/training/index.js';
import { writeTinyModel } from '../../support/tiny-model.js';
import { startAnswering, type Answering } from './answering.js';
import { addReader } from './tiny-reader.js';

jest.setTimeout(240_000);

describe('an adapter that is deleted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-deleted-adapter-'));
  const tiny = writeTinyModel(join(folder, 'tiny.gguf'));
  let answering: Answering;
  let deleter: AdapterDeleter;

  const add = (name: string) =>
    addReader(answering, { folder, tiny }, name, { usage: { reads: false }, task: 'INSTRUCTION' });
  const remove = (adapter: string) =>
    deleter.delete(answering.workspaceId, { adapter, version: null, force: false, by: 'op', reason: 'gone' });
  const input = (adapter: string | null): AskInput => ({
    question: 'Tell of the lighthouse.',
    model: 'tiny',
    generation: { maxTokens: 200, temperature: 0 },
    ...(adapter === null ? { strategy: 'BASE' } : { strategy: 'ADAPTER', adapter: `${adapter}@1` }),
  });
  const { signal } = new AbortController();
  const ask = (adapter: string | null) => answering.withVariant(tiny).ask(answering.caller, input(adapter), signal);

  beforeAll(async () => {
    answering = await startAnswering();
    ({ deleter } = answering.domains.training);
  });
  afterAll(async () => {
    await answering.stop();
    rmSync(folder, { recursive: true });
  });

  it('ends the answer that it is giving as its own, which is recorded with its name and digest', async () => {
    await add('teller');
    const whole = await ask('teller');
    const requestId = 'deleted meanwhile';
    let deleted = false;
    for await (const event of answering
      .withVariant(tiny)
      .stream(answering.caller, { ...input('teller'), requestId }, signal)) {
      if (event.type === 'delta' && !deleted) {
        expect((await remove('teller')).erasure.complete).toBe(true);
        deleted = true;
      }
      if (event.type !== 'answer') continue;
      expect(event.answer.text).toBe(whole.text);
      expect(event.answer.adapter).toEqual(whole.adapter);
    }
    expect(deleted).toBe(true);
    expect((await ask(null)).text).not.toBe(whole.text);
    expect((await answering.row(requestId))!.body).toMatchObject({ adapter: { name: 'teller', version: 1 } });
    await expect(ask('teller')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is an error to a question that had chosen it and not begun, never an answer of the base model', async () => {
    // Its length tells its weights from those that the worker has in memory.
    await add('chosen-one');
    const { parts, adapters, caller } = answering;
    const service = new AskService({
      ...parts,
      registry: {
        resolve: async () => ({ ...answering.variant, ...tiny }),
        variant: (...args) => parts.registry.variant(...args),
        embedder: () => parts.registry.embedder(),
        embedderLanguages: () => parts.registry.embedderLanguages(),
        measuredWording: async () => null,
      },
      adapters: {
        async resolve(...args) {
          const served = await adapters.resolve(...args);
          await remove('chosen-one');
          return served;
        },
      },
    });
    const requestId = 'deleted before';
    await expect(service.ask(caller, { ...input('chosen-one'), requestId }, signal)).rejects.toMatchObject({
      code: 'ADAPTER_UNAVAILABLE',
    });
    expect(await answering.row(requestId)).toMatchObject({ status: 'FAILED', errorCode: 'ADAPTER_UNAVAILABLE' });
  });
});
