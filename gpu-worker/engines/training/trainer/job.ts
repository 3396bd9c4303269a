import type {
  TrainEvent,
  TrainingExample,
  TrainingRecipe,
  TrainInput,
  TrainOutput,
} from '../../../../src/worker-protocol/index.js';

/** One tokenised example: everything before `answerFrom` is given, the rest is learned. */
export type Example = TrainingExample;
export type Recipe = TrainingRecipe;
export type TrainingEvent = TrainEvent;

/** What one run learns, from what, and where it goes on from; each field as the protocol describes it. */
export type TrainingJob = Pick<
  TrainInput,
  'recipe' | 'examples' | 'validation' | 'replay' | 'labelTokens' | 'folder' | 'resume'
> & {
  model: Pick<TrainInput['model'], 'path' | 'sha256'>;
  /**
   * Where the adapter begins, laid out by `adapterLayout`, and the digest of its weights; left out, as one that changes nothing. It is
   * trained in place.
   */
  start?: { adapter: Float32Array; sha256: string };
};

export type TrainingResult = Omit<TrainOutput, 'adapter'> & {
  /** The trained tensors, laid out by `adapterLayout`. */
  adapter: Float32Array;
};

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
