import { totalmem } from 'node:os';
import { badInput } from '../../../src/kernel/errors.js';
import type { EstimateMemoryInput, EstimateMemoryOutput } from '../../../src/worker-protocol/index.js';
import type { Graph } from './graph/graph.js';
import { memoryNeed, type MemoryNeed } from './graph/liveness.js';
import { adapterLayout, type LoraOptions } from './model/adapter-layout.js';
import type { DecoderConfig } from './model/config.js';
import { GgufWeights } from './model/gguf-weights.js';
import { logitsGraph, lossGraph, teacherGraph, trainingGraph } from './model/programs.js';
import { familiesOf, familySize, type Family } from './trainer/families.js';
import type { Example, TrainingJob } from './trainer/job.js';

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
 * @param longest places that its rows take at most
 * @param families those of its examples and of its validation examples
 */
export function estimateMemory(
  job: Pick<TrainingJob, 'recipe' | 'replay' | 'validation' | 'labelTokens'>,
  config: DecoderConfig,
  longest: number,
  families: readonly Family[],
): number {
  const { recipe, replay, validation, labelTokens } = job;
  const replayed = replay.length === 0 ? 0 : mostOf(replay, ({ length }) => length - 1);
  const shapes = shapesOf(families, recipe.microBatchTokens, replayed + 1);
  /** Of a program at the shape that needs most. @param dimensionsOf places that are asked for, in tokens of answers */
  const need = (graph: Graph, dimensionsOf: (answers: number) => { answers?: number; places: number }): MemoryNeed => {
    const needs = shapes.map(({ batch, sequence, answers }) =>
      memoryNeed(graph, new Map(Object.entries({ batch, sequence, answers, replayed, ...dimensionsOf(answers) }))),
    );
    return needs.reduce((largest, candidate) => (candidate.peakBytes > largest.peakBytes ? candidate : largest));
  };
  const lora: LoraOptions = recipe.lora;
  const validates = validation.length > 0;
  const placesFor = (answers: number): number => Math.max(answers, replayed);
  const step = need(trainingGraph(config, lora, longest), (answers) => ({ places: placesFor(answers) }));
  const teacher = (): MemoryNeed =>
    need(teacherGraph(config, longest), (answers) => ({ answers: placesFor(answers), places: placesFor(answers) }));
  // Each place is asked for its answer and for the base model's distribution.
  const losses = (): MemoryNeed => need(lossGraph(config, lora, longest), (answers) => ({ places: 2 * answers }));
  const logits = (): MemoryNeed => need(logitsGraph(config, lora, longest), (answers) => ({ places: answers }));
  const programs = [
    step,
    ...(validates || replayed > 0 ? [teacher()] : []),
    ...(validates ? [losses()] : []),
    ...(validates && labelTokens ? [logits()] : []),
  ];
  const programBytes = programs.reduce((sum, { peakBytes }) => sum + peakBytes, 0);
  return PROCESS_BYTES + step.weightBytes + programBytes + ADAPTER_COPIES * BYTES * adapterLayout(config, lora).length;
}

/** What goes through the model at once at most. */
interface Shape {
  batch: number;
  /** Tokens a row. */
  sequence: number;
  /** Tokens of answers, all rows together. */
  answers: number;
}

/** Examples side by side, the largest family, and a window of general text, which has a row of its own. */
function shapesOf(families: readonly Family[], microBatchTokens: number, window: number): Shape[] {
  const separateExamples = families.filter(({ shared }) => shared === 0).flatMap(({ members }) => members);
  const sharedFamilies = families.filter(({ shared }) => shared > 0);
  // The shorter the examples, the more of them, and of their answers, go through at once. Of each number it is the longest that need most.
  const sideBySide = new Map<number, Shape>();
  let answer = 1;
  for (const example of [...separateExamples].sort((a, b) => lengthOf(a) - lengthOf(b))) {
    const sequence = Math.max(1, lengthOf(example));
    const batch = Math.max(1, Math.floor(microBatchTokens / sequence));
    answer = Math.max(answer, answerOf(example));
    sideBySide.set(batch, { batch, sequence, answers: batch * answer });
  }
  const shapes = [{ batch: 1, sequence: window, answers: 1 }, ...sideBySide.values()];
  if (sharedFamilies.length > 0) {
    const sequence = mostOf(sharedFamilies, ({ length }) => length);
    const answers = mostOf(sharedFamilies, ({ members }) => members.reduce((sum, member) => sum + answerOf(member), 0));
    shapes.push({ batch: 1, sequence, answers });
  }
  return shapes;
}

/** Its last token is only predicted. */
const lengthOf = ({ ids }: Example): number => ids.length - 1;
const answerOf = ({ ids, answerFrom }: Example): number => ids.length - answerFrom;

/** 1 at least. */
export const mostOf = <T>(items: readonly T[], sizeOf: (one: T) => number): number =>
  items.reduce((maximum, item) => Math.max(maximum, sizeOf(item)), 1);

/** The same before a job exists, from the sizes of its examples. @throws MODEL_FILE_INVALID, MODEL_UNSUPPORTED */
export function estimateTraining({
  model,
  recipe,
  longest,
  shortest,
  answer,
  together,
  replay,
  validates,
  labelTokens,
}: EstimateMemoryInput): EstimateMemoryOutput {
  const example = (length: number, group?: number) => ({
    ids: new Int32Array(length),
    answerFrom: Math.max(1, length - answer),
    group,
  });
  const { microBatchTokens } = recipe;
  // Which lengths lie between isn't known: those need most that fill what is computed at once.
  const filling = Array.from({ length: microBatchTokens }, (_, n) => 1 + Math.floor(microBatchTokens / (n + 1)));
  const lengths = new Set(filling.map((length) => Math.max(shortest, Math.min(longest, length))));
  const job = {
    recipe,
    examples: [
      ...Array.from({ length: together }, () => example(longest, 0)),
      ...[...lengths].map((length) => example(length)),
    ],
    replay: replay > 1 ? [new Int32Array(replay)] : [],
    validation: validates ? [example(longest)] : [],
    labelTokens: labelTokens ? [0] : null,
  };
  const { config } = new GgufWeights(model.path, longest);
  const families = [...familiesOf(job.examples, familySize(recipe)), ...familiesOf(job.validation)];
  const places = Math.max(
    mostOf(families, ({ length }) => length),
    replay,
  );
  return { bytes: estimateMemory(job, config, places, families), availableBytes: memoryOfMachine() };
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
