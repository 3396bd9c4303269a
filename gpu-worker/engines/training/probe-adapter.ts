import { availableParallelism } from 'node:os';
import { badInput } from '../../../src/kernel/errors.js';
import type { ProbeInput, ProbeOutput } from '../../../src/worker-protocol/index.js';
import { readGgufHeader } from '../../formats/gguf/header.js';
import { decodePeftAdapter, type PeftAdapter } from '../../formats/peft/peft-adapter.js';
import type { Call } from '../../server.js';
import { readVerified } from '../inference/adapter-file.js';
import { withExecutor } from './executors/with-executor.js';
import { fromPairs, ggufModule } from './model/adapter-files.js';
import { adapterLayout } from './model/adapter-layout.js';
import type { DecoderConfig } from './model/config.js';
import { GgufWeights } from './model/gguf-weights.js';
import { logitsGraph } from './model/programs.js';
import { requireDigest } from './model/require-digest.js';
import { indices, packSequences } from './trainer/pack.js';
import { adapterFeeds } from './trainer/step.js';

/**
 * The logits of the next token after each prompt, without and with an adapter, by the engine that trains: it reads PEFT's files, not
 * the form that is served, so that a fault in the making of that form shows.
 * @throws MODEL_DIGEST_MISMATCH, ADAPTER_UNAVAILABLE, ADAPTER_DIGEST_MISMATCH, ADAPTER_INVALID, BAD_USER_INPUT, MODEL_UNSUPPORTED
 */
export async function probeAdapter(input: ProbeInput, call: Pick<Call, 'signal'>): Promise<ProbeOutput> {
  const { model, prompts, candidates, folder } = input;
  await requireDigest(model);
  await readVerified(input.adapter.gguf);
  const peft = decodePeftAdapter(await readVerified(input.adapter.config), await readVerified(input.adapter.weights));
  const weights = new GgufWeights(model.path, Math.max(...prompts.map(({ length }) => length)));
  const { config } = weights;
  const unknownToken = [...candidates, ...prompts.flatMap((ids) => [...ids])].find((id) => id >= config.vocabulary);
  if (unknownToken !== undefined) throw badInput('candidates', `The model has no token ${unknownToken}.`);
  const { flat, lora } = fromPairs(peft, config);
  const scaled = { ...lora, alpha: lora.alpha * input.scale };
  const threads = input.threads ?? availableParallelism();
  return withExecutor(input.executor, weights, { folder, threads }, async (executor) => {
    const program = await executor.compile(logitsGraph(config, scaled, weights.longest));
    const { parameters } = adapterLayout(config, scaled);
    const { feeds, width } = packSequences(prompts, config);
    const places = indices(prompts.map(({ length }, row) => row * width + length - 1));
    const logits = async (adapter: Float32Array): Promise<Float32Array> => {
      call.signal.throwIfAborted();
      const outputs = await program.run({ ...feeds, places, ...adapterFeeds(parameters, adapter) });
      return columns(outputs.logits!, config.vocabulary, candidates);
    };
    return {
      // An adapter of zeros adds exactly nothing.
      off: await logits(new Float32Array(flat.length)),
      on: await logits(flat),
      modules: matchedModules(peft, input.adapter.gguf.path, config),
    };
  });
}

/** Columns of a row-major table. [rows, width] -> [rows, columns] */
function columns(table: Float32Array, width: number, columnIndices: readonly number[]): Float32Array {
  const rows = table.length / width;
  return Float32Array.from(
    { length: rows * columnIndices.length },
    (_, index) =>
      table[Math.floor(index / columnIndices.length) * width + columnIndices[index % columnIndices.length]!]!,
  );
}

function matchedModules({ pairs }: PeftAdapter, gguf: string, { layers }: DecoderConfig): ProbeOutput['modules'] {
  const tensorNames = new Set(readGgufHeader(gguf).tensors.map(({ name }) => name));
  const matched = pairs.filter((pair) => tensorNames.has(`${ggufModule(pair)}.lora_a`));
  return { matched: matched.length, expected: layers * new Set(pairs.map(({ target }) => target)).size };
}
