import { totalmem } from 'node:os';
import { badInput } from '../../../src/kernel/errors.js';
import type { EstimateMemoryInput, EstimateMemoryOutput } from '../../../src/worker-protocol/index.js';
import { memoryNeed } from './graph/liveness.js';
import { adapterLayout, type LoraOptions } from './model/adapter-layout.js';
import type { DecoderConfig } from './model/config.js';
import { GgufWeights } from './model/gguf-weights.js';
import { logitsGraph, lossGraph, teacherGraph, trainingGraph } from './model/programs.js';
import type { TrainingJob } from './trainer/job.js';

/** Node.js, the runtime and its kernels before anything is loaded. */
const PROCESS_BYTES = 200 * 1024 ** 2;
/** The adapter, its gradient, two moments and the best weights so far. */
const ADAPTER_COPIES = 5;
const BYTES = 4;
/** What the system and the other processes need of the machine's memory. */
const LEFT_FOR_OTHERS = 0.1;

/**
 * Memory that a job will take at its largest micro-batch, in bytes: the weights, what each of its programs holds at once, the adapter with what
 * its updates need, and the process itself. Programs run one after another, but an executor keeps the space of each for its next run.
 */
export function estimateMemory(
  job: Pick<TrainingJob, 'recipe' | 'examples' | 'replay' | 'validation' | 'labelTokens'>,
  config: DecoderConfig,
  longest: number,
): number {
  const { recipe, examples, replay, validation, labelTokens } = job;
  const rows = Math.max(1, Math.floor(recipe.microBatchTokens / longest));
  const answer = Math.max(1, ...examples.map(({ ids, answerFrom }) => ids.length - answerFrom));
  const replayed = Math.max(0, ...replay.map(({ length }) => length - 1));
  // The shorter the examples, the more of them, and of their answers, go through at once.
  const shortest = Math.min(longest, ...examples.map(({ ids }) => ids.length - 1));
  const answers = Math.min(rows * longest, Math.max(1, Math.floor(recipe.microBatchTokens / shortest)) * answer);
  const asked = (answers: number, places = answers) =>
    new Map([
      ['batch', rows],
      ['sequence', longest],
      ['answers', answers],
      ['replayed', replayed],
      ['places', places],
    ]);
  const lora: LoraOptions = recipe.lora;
  const validates = validation.length > 0;
  const most = Math.max(answers, replayed);
  const step = memoryNeed(trainingGraph(config, lora, longest), asked(answers, most));
  const programs = [
    step,
    ...(validates || replayed > 0 ? [memoryNeed(teacherGraph(config, longest), asked(most))] : []),
    // Each place is asked for its answer and for the base model's distribution.
    ...(validates ? [memoryNeed(lossGraph(config, lora, longest), asked(answers, 2 * answers))] : []),
    ...(validates && labelTokens ? [memoryNeed(logitsGraph(config, lora, longest), asked(answers))] : []),
  ];
  const held = programs.reduce((sum, { peakBytes }) => sum + peakBytes, 0);
  return PROCESS_BYTES + step.weightBytes + held + ADAPTER_COPIES * BYTES * adapterLayout(config, lora).length;
}

/** The same before a job exists, from the sizes of its examples. @throws MODEL_FILE_INVALID, MODEL_UNSUPPORTED */
export function estimateTraining({
  model,
  recipe,
  longest,
  shortest,
  answer,
  replay,
  validates,
  labelTokens,
}: EstimateMemoryInput): EstimateMemoryOutput {
  const example = (length: number) => ({ ids: new Int32Array(length), answerFrom: Math.max(1, length - answer) });
  const job = {
    recipe,
    examples: [example(longest), example(shortest)],
    replay: replay > 1 ? [new Int32Array(replay)] : [],
    validation: validates ? [example(longest)] : [],
    labelTokens: labelTokens ? [0] : null,
  };
  const { config } = new GgufWeights(model.path, longest);
  const places = Math.max(longest - 1, replay, 1);
  return { bytes: estimateMemory(job, config, places), availableBytes: memoryOfMachine() };
}

/** Memory that work may take here, in bytes: the machine's, or less where a container sets a limit. */
export function memoryOfMachine(): number {
  const limit = process.constrainedMemory();
  const total = totalmem();
  return (1 - LEFT_FOR_OTHERS) * (limit > 0 && limit < total ? limit : total);
}

/** @throws BAD_USER_INPUT when the job needs more than there is */
export function requireMemory(estimated: number, available: number): void {
  if (estimated <= available) return;
  throw badInput(
    'input.recipe.batchTokens',
    `The training would need about ${gigabytes(estimated)} of memory, and ${gigabytes(available)} can be had here.`,
    'Lower batchTokens or maxTokens, train a smaller model, or train on a machine with more memory.',
  );
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;
