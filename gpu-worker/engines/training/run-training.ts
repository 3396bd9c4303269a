import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { GraftError } from '../../../src/kernel/errors.js';
import { sha256 } from '../../../src/kernel/hashing.js';
import type { TrainEvent, TrainInput, TrainOutput } from '../../../src/worker-protocol/index.js';
import { decodePeftAdapter, writePeftAdapter } from '../../formats/peft/peft-adapter.js';
import type { Call } from '../../server.js';
import { readVerified } from '../inference/adapter-file.js';
import { estimateMemory, memoryOfMachine, mostOf, requireMemory } from './estimate-memory.js';
import { withExecutor } from './executors/with-executor.js';
import { fromPairs, toGgufLora, toPairs } from './model/adapter-files.js';
import type { LoraOptions } from './model/adapter-layout.js';
import type { DecoderConfig } from './model/config.js';
import { GgufWeights } from './model/gguf-weights.js';
import { requireDigest } from './model/require-digest.js';
import { familiesOf, familySize } from './trainer/families.js';
import { train } from './trainer/train.js';

type TrainCall = Pick<Call<TrainEvent>, 'signal' | 'pausing' | 'turn'> & {
  chunks: Pick<Call<TrainEvent>['chunks'], 'send'>;
};

/**
 * One run of training as the gateway asks for it: opens the model, trains, and writes the adapter’s files into the run’s folder.
 * @throws MODEL_DIGEST_MISMATCH when the model’s file has changed, BAD_USER_INPUT when the memory would not suffice, and what `train` and opening the model throw
 */
export async function runTraining(input: TrainInput, call: TrainCall): Promise<TrainOutput> {
  const { model, recipe, folder } = input;
  await requireDigest(model);
  // The rotary operator wants a place for each token of a row, and a family stands in one.
  const size = familySize(recipe);
  const families = [...familiesOf(input.examples, size), ...familiesOf(input.validation, size)];
  const longest = mostOf([...families, ...input.replay], ({ length }) => length);
  const weights = new GgufWeights(model.path, longest);
  const memoryBytes = estimateMemory(input, weights.config, longest, families);
  requireMemory(memoryBytes, input.memoryBytes ?? memoryOfMachine());
  const threads = input.threads ?? availableParallelism();
  const start = input.parent && (await startingPoint(input.parent, weights.config, recipe.lora));
  return withExecutor(input.executor, weights, { folder, threads }, async (executor) => {
    const { adapter, ...result } = await train(
      { ...input, ...(start && { start }) },
      { executor, config: weights.config, longest },
      {
        signal: call.signal,
        pausing: call.pausing,
        turn: () => call.turn(),
        onEvent: (event) => call.chunks.send(event.type === 'started' ? { ...event, memoryBytes } : event),
      },
    );
    if (result.outcome === 'paused') return { ...result, adapter: null };
    const files = await writeAdapter(join(folder, 'adapter'), adapter, weights.config, recipe.lora, model.sha256);
    return { ...result, adapter: files };
  });
}

/** @throws ADAPTER_UNAVAILABLE, ADAPTER_DIGEST_MISMATCH, ADAPTER_INVALID, ADAPTER_SHAPE_MISMATCH, also when the recipe wants another shape */
async function startingPoint(
  { config, weights, scale }: NonNullable<TrainInput['parent']>,
  model: DecoderConfig,
  recipeLora: TrainInput['recipe']['lora'],
): Promise<{ adapter: Float32Array; sha256: string }> {
  const adapter = decodePeftAdapter(await readVerified(config), await readVerified(weights));
  // What it adds is alpha/rank * B A: the strength goes into B, since the recipe's alpha is the one before.
  const pairs = adapter.pairs.map((pair) => ({ ...pair, b: pair.b.map((value) => value * scale) }));
  const { flat, lora } = fromPairs({ ...adapter, pairs }, model);
  const shape = ({ rank, alpha, targets }: LoraOptions): string => JSON.stringify([rank, alpha, [...targets].sort()]);
  if (shape(lora) !== shape(recipeLora))
    throw new GraftError(
      'ADAPTER_SHAPE_MISMATCH',
      `The adapter to go on from has rank, alpha and layers ${shape(lora)}, the recipe wants ${shape(recipeLora)}.`,
    );
  return { adapter: flat, sha256: weights.sha256 };
}

async function writeAdapter(
  folder: string,
  flat: Float32Array,
  config: DecoderConfig,
  lora: TrainInput['recipe']['lora'],
  baseModel: string,
): Promise<NonNullable<TrainOutput['adapter']>> {
  const adapter = { baseModel, rank: lora.rank, alpha: lora.alpha, pairs: toPairs(flat, config, lora) };
  await writePeftAdapter(folder, adapter);
  const file = async (name: string): Promise<{ path: string; sha256: string }> => {
    const path = join(folder, name);
    return { path, sha256: sha256(await readFile(path)) };
  };
  await writeFile(join(folder, 'adapter.gguf'), toGgufLora(adapter, config));
  return {
    config: await file('adapter_config.json'),
    weights: await file('adapter_model.safetensors'),
    gguf: await file('adapter.gguf'),
  };
}
