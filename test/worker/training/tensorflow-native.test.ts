import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installedExecutors } from '../../../gpu-worker/engines/training/executors/open-executor.js';
import { TrainWorker } from '../../../src/platform/worker/index.js';
import { ExecutorChoice } from '../../../src/learn/training/index.js';
import type { ExecutorName, TrainEvent, TrainOutput } from '../../../src/worker-protocol/index.js';
import { itWhen } from '../../support/skip.js';
import { writeTinyModel } from '../../support/tiny-model.js';
import { workspaceId } from '../../support/worker.js';

// Half a gigabyte of library is loaded.
jest.setTimeout(300_000);

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const itNatively = itWhen(
  installedExecutors().includes('tensorflow'),
  'native TensorFlow.js is not installed; `npm run engine:tensorflow` does it',
);

describe('training in native TensorFlow', () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-tensorflow-'));
  const model = writeTinyModel(join(folder, 'model.gguf'), { variedGains: true });
  let worker: TrainWorker;
  beforeAll(async () => {
    worker = new TrainWorker({ log: silent, drainMs: 0 });
    await worker.start();
  });
  afterAll(async () => {
    await worker.stop();
    rmSync(folder, { recursive: true });
  });

  const examples = Array.from({ length: 4 }, (_, row) => ({
    ids: Int32Array.from({ length: 12 }, (_unused, at) => 40 + ((row * 7 + at * 3) % 100)),
    answerFrom: 9,
  }));
  async function run(executor: ExecutorName): Promise<{ losses: number[]; identity: object; output: TrainOutput }> {
    const events: TrainEvent[] = [];
    const request = {
      model,
      examples,
      executor,
      validation: [],
      replay: [],
      labelTokens: null,
      resume: null,
      threads: 1,
      folder: join(folder, executor),
      recipe: {
        lora: { rank: 4, alpha: 8, targets: ['q_proj' as const, 'down_proj' as const] },
        learningRate: 1e-2,
        warmupSteps: 0,
        finalLearningRate: 0.1,
        weightDecay: 0,
        clipNorm: 1,
        epochs: 8,
        batchExamples: 2,
        batchTokens: 128,
        microBatchTokens: 64,
        seed: 1,
        validateEvery: 100,
        patience: null,
        checkpointEvery: 100,
        replayWeight: 0,
      },
    };
    for await (const event of worker.stream('train', workspaceId, request, { deadlineMs: null }))
      if (event.type === 'chunk') events.push(event.chunk);
      else if (event.type === 'done')
        return {
          losses: events.flatMap((each) => (each.type === 'step' ? [each.loss] : [])),
          identity: events.flatMap((each) => (each.type === 'started' ? [each.identity] : []))[0]!,
          output: event.output,
        };
    throw new Error('the run ended without a result');
  }

  itNatively('learns the same as ONNX Runtime does, up to rounding', async () => {
    const [onnx, tensorflow] = [await run('onnx'), await run('tensorflow')];
    expect(tensorflow.identity).toMatchObject({ executor: 'tensorflow', backend: 'tensorflow' });
    expect(tensorflow.losses).toHaveLength(onnx.losses.length);
    tensorflow.losses.forEach((loss, step) => expect(loss).toBeCloseTo(onnx.losses[step]!, 3));
    expect(tensorflow.losses.at(-1)!).toBeLessThan(tensorflow.losses[0]!);
    expect(tensorflow.output.adapter).not.toBeNull();
  });

  itNatively('measures both once, and keeps the faster one for this machine and model', async () => {
    const choice = new ExecutorChoice({ worker, home: folder });
    const { signal } = new AbortController();
    const executor = await choice.choose(workspaceId, model, signal);
    const [kept] = await choice.chosen();
    expect(kept!.measured.map((each) => each.executor)).toEqual(['onnx', 'tensorflow']);
    const fastest = [...kept!.measured].sort((a, b) => b.tokensPerSecond - a.tokensPerSecond)[0]!;
    expect(executor).toBe(fastest.executor);
    // Another gateway on this home reads it; nothing is measured again.
    const asked = jest.spyOn(worker, 'call');
    expect(await new ExecutorChoice({ worker, home: folder }).choose(workspaceId, model, signal)).toBe(executor);
    expect(asked).not.toHaveBeenCalled();
  });

  it('takes the only executor without measuring where TensorFlow is not installed', async () => {
    const alone = {
      hello: async () => ({ ...(await worker.hello()), provider: { training: 'onnx' } }),
      call: () => Promise.reject(new Error('nothing is to be measured')),
    };
    const choice = new ExecutorChoice({ worker: alone, home: join(folder, 'alone') });
    expect(await choice.choose(workspaceId, model, new AbortController().signal)).toBe('onnx');
    expect(await choice.chosen()).toEqual([]);
  });
});
