import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OnnxExecutor } from '../../../gpu-worker/engines/training/executors/onnx-executor.js';
import { TARGETS } from '../../../gpu-worker/engines/training/model/adapter-layout.js';
import type {
  Controls,
  Example,
  Recipe,
  TrainingEvent,
  TrainingJob,
  TrainingResult,
} from '../../../gpu-worker/engines/training/trainer/job.js';
import { train } from '../../../gpu-worker/engines/training/trainer/train.js';
import { seededRandom } from '../../../src/kernel/random.js';
import { Bench, LONGEST } from './support.js';

// Alone it takes a second a test, but shares the processors with all else that is tested.
jest.setTimeout(300_000);

const RECIPE: Recipe = {
  lora: { rank: 4, alpha: 8, targets: [...TARGETS] },
  learningRate: 1e-2,
  warmupSteps: 3,
  finalLearningRate: 0.02,
  weightDecay: 0.01,
  clipNorm: 1,
  epochs: 3,
  batchExamples: 16,
  batchTokens: 96,
  microBatchTokens: 40,
  seed: 7,
  validateEvery: 6,
  patience: null,
  checkpointEvery: 4,
  replayWeight: 0.5,
};

describe('training', () => {
  let bench: Bench;
  beforeAll(() => {
    bench = new Bench({ architecture: 'llama', seed: 21 });
  });
  afterAll(() => bench.dispose());

  /** The answer is one of two tokens, and the first token says which. */
  function examples(count: number, seed: number): Example[] {
    const random = seededRandom(seed);
    return Array.from({ length: count }, () => {
      const first = random() < 0.5 ? 10 : 11;
      const rest = Array.from({ length: 3 + Math.floor(random() * 8) }, () => Math.floor(random() * 200));
      return { ids: Int32Array.from([first, ...rest, first + 50]), answerFrom: rest.length + 1 };
    });
  }

  const job = (recipe: Partial<Recipe> = {}, more: Partial<TrainingJob> = {}): TrainingJob => ({
    model: { path: bench.path, sha256: '0'.repeat(64) },
    recipe: { ...RECIPE, ...recipe },
    examples: examples(60, 1),
    validation: examples(12, 2),
    replay: bench.sequences([16, 16, 20], 3),
    labelTokens: null,
    folder: mkdtempSync(join(bench.folder, 'run-')),
    resume: null,
    ...more,
  });

  async function run(
    what: TrainingJob,
    controls: Partial<Controls> = {},
  ): Promise<{ result: TrainingResult; events: TrainingEvent[] }> {
    const events: TrainingEvent[] = [];
    // A process of its own would begin with an executor of its own, too.
    const folder = mkdtempSync(join(bench.folder, 'executor-'));
    const executor = new OnnxExecutor(bench.weights, { folder, threads: 1 });
    try {
      const result = await train(
        what,
        { executor, config: bench.config, longest: LONGEST },
        {
          signal: new AbortController().signal,
          pausing: new AbortController().signal,
          turn: async () => undefined,
          ...controls,
          onEvent: async (event) => {
            events.push(event);
            await controls.onEvent?.(event);
          },
        },
      );
      return { result, events };
    } finally {
      await executor.dispose();
    }
  }

  const ofType = <T extends TrainingEvent['type']>(events: TrainingEvent[], type: T) =>
    events.filter((event): event is Extract<TrainingEvent, { type: T }> => event.type === type);

  it('learns what the examples teach, and says how it goes', async () => {
    const { result, events } = await run(job({ epochs: 6, replayWeight: 0 }, { labelTokens: [60, 61] }));
    const validations = ofType(events, 'validation');
    expect(validations.at(-1)!.accuracy).toBeGreaterThan(0.9);
    const looks = ofType(events, 'validating');
    expect(looks[0]).toMatchObject({ step: validations[0]!.step, done: 0, examples: 12 });
    expect(looks.every(({ done, examples }) => done < examples)).toBe(true);
    expect(result.bestValidationLoss).toBeLessThan(validations[0]!.loss);
    expect(result.adapterStep).toBe(validations.filter(({ best }) => best).at(-1)!.step);
    const steps = ofType(events, 'step');
    expect(steps.map(({ step }) => step)).toEqual(steps.map((_, index) => index + 1));
    expect(ofType(events, 'started')[0]!.steps).toBe(steps.length);
    expect(steps.every(({ replayKl }) => replayKl === null)).toBe(true);
  });

  it('takes no more examples of a group to a step than the recipe says', async () => {
    const grouped = examples(5, 5).map(({ ids, answerFrom }) => ({
      ids: Int32Array.from([70, 71, 72, ...ids]),
      answerFrom: answerFrom + 3,
      group: 1,
    }));
    const what = job({ batchExamples: 2, replayWeight: 0 }, { examples: grouped, validation: [] });
    const fresh = await run(what);
    const [started] = ofType(fresh.events, 'started');
    expect(started!.steps).toBe(3 * 3);
    expect(ofType(fresh.events, 'step')).toHaveLength(started!.steps);
  });

  it('says the same of validation examples that share a beginning, which is computed once, as of each alone', async () => {
    const alone = examples(12, 2).map(({ ids, answerFrom }) => ({
      ids: Int32Array.from([70, 71, 72, 73, 74, ...ids]),
      answerFrom: answerFrom + 5,
    }));
    const grouped = alone.map((example, index) => ({ ...example, group: Math.floor(index / 3) }));
    const [apart, together] = await Promise.all(
      [alone, grouped].map(async (validation) => ofType((await run(job({}, { validation }))).events, 'validation')),
    );
    expect(together).toHaveLength(apart!.length);
    together!.forEach(({ loss, klToBase }, look) => {
      expect(loss).toBeCloseTo(apart![look]!.loss, 4);
      expect(klToBase).toBeCloseTo(apart![look]!.klToBase, 4);
    });
  });

  it('stays nearer to the base model with replay than without', async () => {
    const divergence = async (replayWeight: number): Promise<number> => {
      const { events } = await run(job({ replayWeight, epochs: 5 }));
      return ofType(events, 'validation').at(-1)!.klToBase;
    };
    const kept = await run(job({ replayWeight: 2, epochs: 5 }));
    const replayed = ofType(kept.events, 'step').map(({ replayKl }) => replayKl!);
    expect(replayed.every((kl) => kl > -1e-3)).toBe(true);
    // A fresh adapter is the base model.
    expect(replayed[0]).toBeLessThan(1e-4);
    expect(ofType(kept.events, 'validation').at(-1)!.klToBase).toBeLessThan(await divergence(0));
  });

  it('ends with the same bits after a pause anywhere, in another process', async () => {
    const whole = await run(job());
    const random = seededRandom(Date.now() % 2 ** 31);
    const last = ofType(whole.events, 'step').length;
    for (let time = 0; time < 3; time++) {
      const after = 1 + Math.floor(random() * (last - 1));
      const pausing = new AbortController();
      const what = job();
      const onEvent = (event: TrainingEvent): void => {
        if (event.type === 'step' && event.step === after) pausing.abort();
      };
      const first = await run(what, { pausing: pausing.signal, onEvent });
      expect(first.result).toMatchObject({ outcome: 'paused', step: after });
      const second = await run({ ...what, resume: first.result.checkpoint });
      expect(second.result.outcome).toBe('finished');
      const same = Buffer.compare(bytesOf(second.result.adapter), bytesOf(whole.result.adapter)) === 0;
      expect(`paused after step ${after}: ${same}`).toBe(`paused after step ${after}: true`);
    }
  });

  it('goes on from the last checkpoint after a crash, to the same bits', async () => {
    const whole = await run(job());
    const what = job();
    const crash = new Error('killed');
    const onEvent = (event: TrainingEvent): void => {
      if (event.type === 'step' && event.step === 10) throw crash;
    };
    let checkpoint: TrainingResult['checkpoint'] = null;
    await expect(
      run(what, {
        onEvent: (event) => {
          if (event.type === 'checkpoint') checkpoint = event;
          onEvent(event);
        },
      }),
    ).rejects.toBe(crash);
    const { result, events } = await run({ ...what, resume: checkpoint });
    expect(ofType(events, 'started')[0]!.step).toBe(8);
    expect(Buffer.compare(bytesOf(result.adapter), bytesOf(whole.result.adapter))).toBe(0);
  });

  it('refuses a checkpoint that was changed, and one of another recipe, by name', async () => {
    const pausing = new AbortController();
    pausing.abort();
    const what = job();
    const { result } = await run(what, { pausing: pausing.signal });
    const resume = result.checkpoint!;
    await expect(run({ ...job({ learningRate: 5e-3 }), resume })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('recipe'),
    });
    const bytes = readFileSync(resume.path);
    bytes[bytes.length - 5]! ^= 1;
    writeFileSync(resume.path, bytes);
    await expect(run({ ...what, resume })).rejects.toMatchObject({ code: 'CHECKPOINT_INVALID' });
  });

  it('stops at a loss that is not a number, and says at which step and on which rows', async () => {
    const failure = run(job({ learningRate: 1e20, warmupSteps: 1 }));
    await expect(failure).rejects.toMatchObject({ code: 'TRAINING_DIVERGED' });
    await expect(failure).rejects.toThrow(/at step \d+, on the training rows \d+/);
  });

  it('stops a run whose loss only grows, and leaves its last checkpoint', async () => {
    const what = job({ learningRate: 200, warmupSteps: 0, epochs: 60 });
    await expect(run(what)).rejects.toMatchObject({
      code: 'TRAINING_DIVERGED',
      message: expect.stringMatching(/has grown by more than 3 nats .* at step \d+, on the training rows \d+/),
    });
    expect(readdirSync(what.folder).some((name) => name.startsWith('checkpoint-'))).toBe(true);
  });

  it('stops a run whose loss only grows at the same step however often it was paused on the way', async () => {
    const growing = { learningRate: 200, warmupSteps: 0, epochs: 60 };
    const told = await run(job(growing)).catch(({ message }: Error) => message);
    const what = job(growing);
    const inPieces = async (resume: TrainingResult['checkpoint']): Promise<unknown> => {
      const pausing = new AbortController();
      const onEvent = (event: TrainingEvent): void => {
        if (event.type === 'step') pausing.abort();
      };
      const { result } = await run({ ...what, resume }, { pausing: pausing.signal, onEvent });
      return result.outcome === 'paused' ? inPieces(result.checkpoint) : result;
    };
    await expect(inPieces(null)).rejects.toThrow(told as string);
  });

  it('keeps the last two checkpoints, whole', async () => {
    const what = job();
    await run(what);
    expect(readdirSync(what.folder).every((name) => /^checkpoint-\d+\.safetensors$/.test(name))).toBe(true);
    expect(readdirSync(what.folder)).toHaveLength(2);
  });

  it('ends early when validation stops improving, with the best weights', async () => {
    const { result, events } = await run(job({ patience: 1, learningRate: 0.3, validateEvery: 1, epochs: 20 }));
    const validations = ofType(events, 'validation');
    expect(result.outcome).toBe('stoppedEarly');
    expect(result.adapterStep).toBeLessThan(result.step);
    expect(result.bestValidationLoss).toBe(Math.min(...validations.map(({ loss }) => loss)));
  });

  it('takes the average of its last looks where that is better on validation than each of them, and only there', async () => {
    // A rate that overshoots leaves every look beside the middle that it circles.
    const restless = { learningRate: 0.05, finalLearningRate: 1, epochs: 8, validateEvery: 2, replayWeight: 0 };
    const plain = await run(job(restless));
    const averaged = await run(job({ ...restless, averageLast: 6 }));
    const losses = ofType(averaged.events, 'validation').map(({ loss }) => loss);
    expect(losses).toEqual(ofType(plain.events, 'validation').map(({ loss }) => loss));
    expect(plain.result.averaged).toBe(false);
    if (averaged.result.averaged) expect(averaged.result.bestValidationLoss).toBeLessThan(Math.min(...losses));
    else expect(averaged.result).toMatchObject({ bestValidationLoss: plain.result.bestValidationLoss });

    // Of a run that only gets better, the average of its past is worse than its end.
    const steady = await run(job({ epochs: 2, replayWeight: 0, averageLast: 4, validateEvery: 1 }));
    const last = ofType(steady.events, 'validation').map(({ loss }) => loss);
    expect(steady.result.averaged).toBe(false);
    expect(steady.result.bestValidationLoss).toBe(Math.min(...last));
  });

  it('keeps the average where it wins, with weights that no look had', async () => {
    // Of two equal prompts each is answered otherwise: a run swings from one answer to the other, and the best lies between.
    const torn = (count: number): Example[] =>
      Array.from({ length: count }, (_, i) => ({ ids: Int32Array.of(10, 20, 60 + (i % 2)), answerFrom: 2 }));
    const swinging = { learningRate: 0.03, finalLearningRate: 1, warmupSteps: 1, batchExamples: 1, validateEvery: 9 };
    const at = (seed: number, more: Partial<Recipe>): TrainingJob =>
      job({ ...swinging, epochs: 2, replayWeight: 0, seed, ...more }, { examples: torn(40), validation: torn(2) });
    for (let seed = 1; seed <= 12; seed++) {
      const { result, events } = await run(at(seed, { averageLast: 20 }));
      if (!result.averaged) continue;
      const looks = ofType(events, 'validation').map(({ loss }) => loss);
      expect(result.bestValidationLoss).toBeLessThan(Math.min(...looks));
      const plain = await run(at(seed, {}));
      expect(plain.result).toMatchObject({ averaged: false, bestValidationLoss: Math.min(...looks) });
      expect(Buffer.compare(bytesOf(result.adapter), bytesOf(plain.result.adapter))).not.toBe(0);
      return;
    }
    throw new Error('the average won under none of twelve seeds');
  });

  it('averages the same looks after a pause as without one', async () => {
    const recipe = { validateEvery: 2, epochs: 3, averageLast: 5, learningRate: 0.03 };
    const straight = await run(job(recipe));
    const pausing = new AbortController();
    const first = await run(job(recipe, { folder: mkdtempSync(join(bench.folder, 'run-')) }), {
      pausing: pausing.signal,
      onEvent: (event) => (event.type === 'step' && event.step === 7 ? pausing.abort() : undefined),
    });
    const second = await run(job(recipe, { resume: first.result.checkpoint }));
    expect(second.result.averaged).toBe(straight.result.averaged);
    expect(second.result.bestValidationLoss).toBe(straight.result.bestValidationLoss);
    expect(second.result.adapter).toEqual(straight.result.adapter);
  });

  it('waits for its turn before each micro-batch, and ends at once when cancelled', async () => {
    const abort = new AbortController();
    const reason = new Error('cancelled');
    let turns = 0;
    const failure = run(job(), {
      signal: abort.signal,
      turn: async () => {
        turns += 1;
        if (turns === 5) abort.abort(reason);
      },
    });
    await expect(failure).rejects.toBe(reason);
    expect(turns).toBe(5);
  });

  it.each([
    ['no example', { examples: [] }, 'examples'],
    ['an empty answer', { examples: [{ ids: Int32Array.of(1, 2), answerFrom: 2 }] }, 'examples.0'],
    [
      'an example that is too long',
      { validation: [{ ids: new Int32Array(LONGEST + 2), answerFrom: 3 }] },
      'validation.0',
    ],
    ['no text to replay', { replay: [] }, 'replay'],
    ['an answer that is no label token', { labelTokens: [1, 2] }, 'examples.0'],
  ])('refuses a job with %s', async (_, more, field) => {
    await expect(run(job({}, more))).rejects.toMatchObject({ code: 'BAD_USER_INPUT', field });
  });
});

const bytesOf = (values: Float32Array): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength);
