import type { TrainingRecipe } from '../../src/worker-protocol/index.js';

/** Tokens of general text that each step holds against the base model. */
export const REPLAY_TOKENS = 64;

/** What the reader reads how often: whole passages, as HYBRID shows them where nothing can be judged, and single sentences, as it judges them. */
export const PASSES = [
  { source: 'encyclopedias', form: 'passages', passes: 0.9 },
  { source: 'encyclopedias', form: 'sentences', passes: 0.3 },
  { source: 'own', form: 'passages', passes: 1 },
  { source: 'own', form: 'sentences', passes: 2 },
] as const;

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
  epochs: 1,
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
