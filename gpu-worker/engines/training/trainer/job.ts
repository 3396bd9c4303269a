import type { LoraOptions } from '../model/adapter-layout.js';

/** One example, tokenised: everything before `answerFrom` is given, the rest is learned. */
export interface Example {
  ids: Int32Array;
  /** At least 1, and smaller than the number of ids. */
  answerFrom: number;
}

/** How a run learns. */
export interface Recipe {
  lora: LoraOptions;
  /** The largest, reached after the warm-up. */
  learningRate: number;
  warmupSteps: number;
  /** Of the largest, where the cosine ends. */
  finalLearningRate: number;
  weightDecay: number;
  /** Gradients longer than this are shortened to it. */
  clipNorm: number;
  epochs: number;
  /** Fewer steps than the epochs would take; null for all. */
  maxSteps: number | null;
  /** Tokens of a step, padding included. */
  batchTokens: number;
  /** Tokens that are computed at once: between two of them the run can be held, paused or cancelled. */
  microBatchTokens: number;
  seed: number;
  /** Steps between two looks at the validation examples. */
  validateEvery: number;
  /** Looks without improvement after which the run ends; null never ends it early. */
  patience: number | null;
  checkpointEvery: number;
  /** Keeps the adapter near the base model on general text; 0 turns it off. */
  replayWeight: number;
}

export interface TrainingJob {
  model: { path: string; sha256: string };
  recipe: Recipe;
  examples: readonly Example[];
  validation: readonly Example[];
  /** Windows of general text; each step replays one. Empty only where `replayWeight` is 0. */
  replay: readonly Int32Array[];
  /** For an adapter that answers by one token: the tokens to choose among. */
  labelTokens: readonly number[] | null;
  /** A folder of the run’s own, where checkpoints and the adapter go. */
  folder: string;
  /** The checkpoint to go on from. */
  resume: { path: string; sha256: string } | null;
}

export type TrainingEvent =
  | {
      type: 'started';
      step: number;
      steps: number;
      parameters: number;
      identity: Readonly<Record<string, string | number>>;
    }
  | {
      type: 'step';
      step: number;
      epoch: number;
      /** Mean cross-entropy of the answers’ tokens, in nats. */
      loss: number;
      smoothedLoss: number;
      /** Mean KL divergence from the base model on the replayed window, in nats; null without one. */
      replayKl: number | null;
      learningRate: number;
      /** Before clipping. */
      gradientNorm: number;
      /** Real ones, without padding. */
      tokens: number;
      milliseconds: number;
      rssBytes: number;
    }
  | {
      type: 'validation';
      step: number;
      loss: number;
      /** Mean KL divergence from the base model at the answers’ places: what predicts forgetting. */
      klToBase: number;
      /** Share of examples whose label token is the most probable one; null without label tokens. */
      accuracy: number | null;
      best: boolean;
    }
  | { type: 'checkpoint'; step: number; path: string; sha256: string };

export interface TrainingResult {
  /** `paused` when asked to; the checkpoint says how to go on. */
  outcome: 'finished' | 'stoppedEarly' | 'paused';
  step: number;
  /** The step whose weights the adapter has: the best on validation, or the last. */
  adapterStep: number;
  /** The adapter’s trained tensors, laid out by `adapterLayout`. */
  adapter: Float32Array;
  bestValidationLoss: number | null;
  checkpoint: { path: string; sha256: string } | null;
}

/** How the run’s surroundings reach it. */
export interface Controls {
  /** Aborted, the run ends with the signal’s reason; what was not in a checkpoint is lost. */
  signal: AbortSignal;
  /** Aborted when the run should write a checkpoint and end as `paused`. */
  pausing: AbortSignal;
  /** Resolves when the next micro-batch may run. */
  turn: () => Promise<void>;
  onEvent: (event: TrainingEvent) => void | Promise<void>;
}
