import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getLlama } from 'node-llama-cpp';
import { wantsCore } from '../../gpu-worker/cores.js';
import { candidates, fastest, type ThreadSpeeds } from '../../gpu-worker/engines/inference/calibrate.js';
import { chooseThreads } from '../../gpu-worker/engines/inference/native-context.js';
import type { SpreadThreads } from '../../gpu-worker/engines/inference/spread-threads.js';
import { writeTinyModel } from '../support/tiny-model.js';

describe('thread counts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-threads-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('differ between a prompt and a token, and never exceed the cores that are free', async () => {
    const { path } = writeTinyModel(join(folder, 'tiny.gguf'));
    const llama = await getLlama({ build: 'never', gpu: false, maxThreads: 8, progressLogs: false });
    const model = await llama.loadModel({ modelPath: path });
    const context = await model.createContext({ contextSize: 256, sequences: 1, threads: 8 });
    const sequence = context.getSequence();
    let free = 8;
    const spreadOver: number[] = [];
    const spread: SpreadThreads = (threads, start) => {
      spreadOver.push(threads);
      return start();
    };
    const setThreads = chooseThreads(context, { prefill: 3, decode: 1 }, { free: () => free, spread });
    const prompt = model.tokenize('A prompt of some tokens', false);
    const usedFor = async (tokens: typeof prompt): Promise<number> => {
      await sequence.evaluateWithoutGeneratingNewTokens(tokens);
      return context.currentThreads;
    };
    expect(await usedFor(prompt)).toBe(3);
    expect(await usedFor(prompt.slice(0, 1))).toBe(1);
    setThreads({ prefill: 4, decode: 2 });
    expect(await usedFor(prompt)).toBe(4);
    expect(await usedFor(prompt.slice(0, 1))).toBe(2);
    free = 1;
    expect(await usedFor(prompt)).toBe(1);
    setThreads({ prefill: 4, decode: 2, exact: true });
    expect(await usedFor(prompt)).toBe(4);
    // Those of prompts alone are spread.
    expect(spreadOver).toEqual([3, 4, 1, 4]);
    await llama.dispose();
  });

  it.each([
    [1, [1]],
    [2, [1, 2]],
    [6, [1, 2, 4, 6]],
    [96, [1, 2, 4, 8, 16, 32, 64]],
  ])('worth trying on %i cores are %j', (cores, counts) => expect(candidates(cores)).toEqual(counts));
});

it('a thread count that is fast once in a while is not chosen over one that always is', () => {
  const rounds = (...decode: number[]): ThreadSpeeds[] => decode.map((one) => ({ prefill: 1, decode: one }));
  const measured = new Map([
    [1, rounds(150, 151, 149)],
    [2, rounds(60, 170, 55)],
  ]);
  expect(fastest(measured, 'decode')).toBe(1);
  expect(fastest(measured, 'prefill')).toBe(1);
});

it.each([
  ['42 (node) R 1 42 42', true],
  ['42 (node) S 1 42 42', false],
  ['42 (a) R (b) S 1 42', false],
  ['42 (a) S (b) R 1 42', true],
  ['', false],
])('%j wants a core: %s', (stat, wanted) => expect(wantsCore(stat)).toBe(wanted));
