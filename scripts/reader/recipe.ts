import type { TrainingRecipe } from '../../src/worker-protocol/index.js';

/** The model that the reader adapts. */
export const BASE_MODEL = 'smollm2-135m-instruct';

/** Tokens of general text that each step holds against the base model. */
export const REPLAY_TOKENS = 64;

/** Passes over all questions, each with passages in other groups and other refusals: the last is not finished (see `epochs`). */
export const PASSES = 2;

/** How the reader learns. Rank 8, so that both forms of it stay below 10 MB together in half precision. */
export const READER_RECIPE: TrainingRecipe = {
  lora: {
    rank: 8,
    alpha: 24,
    targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
  },
  learningRate: 1e-3,
  warmupSteps: 10,
  finalLearningRate: 0.02,
  weightDecay: 0,
  clipNorm: 1,
  epochs: 0.75,
  // One long reading, or some short ones.
  batchExamples: 22,
  batchTokens: 4_096,
  microBatchTokens: 512,
  seed: 1,
  validateEvery: 1_000_000,
  patience: null,
  checkpointEvery: 10,
  replayWeight: 1,
};
