import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { estimateMemory, estimateTraining } from '../../../gpu-worker/engines/training/estimate-memory.js';
import { GgufWeights } from '../../../gpu-worker/engines/training/model/gguf-weights.js';
import { familiesOf } from '../../../gpu-worker/engines/training/trainer/families.js';
import type { Example } from '../../../gpu-worker/engines/training/trainer/job.js';
import { memoryOfProcess } from '../../../gpu-worker/memory.js';
import { itWhen } from '../../support/skip.js';
import { writeTinyModel } from '../../support/tiny-model.js';
import type { TrainingRecipe } from '../../../src/worker-protocol/index.js';
import { LORA } from './support.js';

const RECIPE: TrainingRecipe = {
  lora: { ...LORA, targets: [...LORA.targets] },
  learningRate: 1e-3,
  warmupSteps: 2,
  finalLearningRate: 0.02,
  weightDecay: 0,
  clipNorm: 1,
  epochs: 1,
  batchExamples: 2,
  batchTokens: 128,
  microBatchTokens: 64,
  seed: 1,
  validateEvery: 8,
  patience: null,
  checkpointEvery: 5,
  replayWeight: 1,
};

describe('the memory that a training is estimated to take', () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-test-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('grows with what runs beside the steps, each of which keeps its space: general text, validation rows, label tokens', () => {
    const model = writeTinyModel(join(folder, 'tiny.gguf'));
    const sizes = { model, recipe: RECIPE, longest: 24, shortest: 12, answer: 1, together: 1 };
    const bytes = (replay: number, validates: boolean, labelTokens: boolean): number =>
      estimateTraining({ ...sizes, replay, validates, labelTokens }).bytes;
    const all = [bytes(0, false, false), bytes(8, false, false), bytes(8, true, false), bytes(8, true, true)];
    expect(all).toEqual([...all].sort((a, b) => a - b));
    expect(new Set(all).size).toBe(all.length);
  });

  it('counts the answers of all that go through together, on rows for training as on those for validation', () => {
    const model = writeTinyModel(join(folder, 'families.gguf'));
    const { config } = new GgufWeights(model.path, 64);
    const member = (own: number, group: number): Example => ({
      ids: Int32Array.from({ length: 40 }, (_, at) => (at < 20 ? 7 : own)),
      answerFrom: 30,
      group,
    });
    const alone = [member(1, 1), member(2, 2)];
    const together = [1, 2, 3, 4].map((own) => member(own, 1));
    const bytes = (examples: Example[], validation: Example[]): number => {
      const families = [...familiesOf(examples), ...familiesOf(validation)];
      const job = { recipe: RECIPE, examples, validation, replay: [], labelTokens: null };
      return estimateMemory(job, config, 96, families);
    };
    expect(bytes(together, alone)).toBeGreaterThan(bytes(alone, alone));
    expect(bytes(alone, together)).toBe(bytes(together, alone));
    const asked = { model, recipe: { ...RECIPE, batchExamples: 8 }, longest: 40, shortest: 40, answer: 16, replay: 0 };
    const before = (together: number) =>
      estimateTraining({ ...asked, together, validates: true, labelTokens: false }).bytes;
    expect(before(4)).toBeGreaterThan(before(1));
  });

  it('never falls when an example is added, and is never less before a job exists than of the job', () => {
    const model = writeTinyModel(join(folder, 'lengths.gguf'));
    const { config } = new GgufWeights(model.path, 64);
    const replay = [new Int32Array(6)];
    const bytes = (examples: readonly Example[]): number => {
      const longest = Math.max(replay[0]!.length, ...examples.map(({ ids }) => ids.length - 1));
      return estimateMemory({ ...job, replay }, config, longest, familiesOf(examples));
    };
    const example = ([tokens, answer]: readonly [number, number]): Example => ({
      ids: new Int32Array(tokens + 1),
      answerFrom: Math.max(1, tokens + 1 - answer),
    });
    const job = { recipe: RECIPE, validation: [], labelTokens: null };
    // Two of 32 tokens go through side by side, whatever is longer.
    const pairs = Array.from({ length: 8 }, () => example([32, 1]));
    expect(bytes([...pairs, example([33, 1])])).toBeGreaterThanOrEqual(bytes(pairs));
    const size = fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20 }));
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 12 }), size, (some, added) => {
        const all = [...some, added];
        const needed = bytes(all.map(example));
        expect(needed).toBeGreaterThanOrEqual(bytes(some.map(example)));
        const lengths = all.map(([tokens]) => tokens + 1);
        const sizes = {
          longest: Math.max(...lengths),
          shortest: Math.min(...lengths),
          answer: Math.max(...all.map(([, answer]) => answer)),
        };
        const asked = { model, recipe: RECIPE, replay: 6, together: 1, validates: false, labelTokens: false };
        expect(estimateTraining({ ...asked, ...sizes }).bytes).toBeGreaterThanOrEqual(needed);
      }),
    );
  });

  itWhen(process.platform === 'linux', 'only Linux tells it')(
    'is held against what a process takes, to which a page that is mapped elsewhere too counts by its share',
    async () => {
      // Whatever runs these tests maps the same program.
      const megabytes = (process.memoryUsage.rss() - memoryOfProcess()) / 2 ** 20;
      expect(megabytes).toBeGreaterThan(10);
    },
  );
});
