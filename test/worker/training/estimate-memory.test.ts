import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { estimateTraining } from '../../../gpu-worker/engines/training/estimate-memory.js';
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
    const sizes = { model, recipe: RECIPE, longest: 24, shortest: 12, answer: 1 };
    const bytes = (replay: number, validates: boolean, labelTokens: boolean): number =>
      estimateTraining({ ...sizes, replay, validates, labelTokens }).bytes;
    const all = [bytes(0, false, false), bytes(8, false, false), bytes(8, true, false), bytes(8, true, true)];
    expect(all).toEqual([...all].sort((a, b) => a - b));
    expect(new Set(all).size).toBe(all.length);
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
