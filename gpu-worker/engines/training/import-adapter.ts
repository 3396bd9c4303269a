import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GraftError } from '../../../src/kernel/errors.js';
import { sha256 } from '../../../src/kernel/hashing.js';
import type { ImportAdapterInput, ImportAdapterOutput } from '../../../src/worker-protocol/index.js';
import { decodePeftAdapter, type PeftAdapter } from '../../formats/peft/peft-adapter.js';
import { readVerified } from '../inference/adapter-file.js';
import { fromPairs, toGgufLora } from './model/adapter-files.js';
import type { DecoderConfig } from './model/config.js';
import { GgufWeights } from './model/gguf-weights.js';
import { requireDigest } from './model/require-digest.js';

/** The two files together; a LoRA of rank 256 on all layers of a 7B model has 1.3 GB. */
const MAX_WEIGHT_BYTES = 1.5 * 1024 ** 3;
const MAX_CONFIG_BYTES = 1024 ** 2;

/**
 * Checks that an adapter that was trained elsewhere fits a model in each module, and writes the form that is served.
 * @throws ADAPTER_TOO_LARGE, ADAPTER_PICKLED, ADAPTER_DAMAGED, ADAPTER_INVALID, ADAPTER_KIND_UNSUPPORTED, ADAPTER_TARGET_UNSUPPORTED,
 * ADAPTER_RANK_MISMATCH, ADAPTER_SHAPE_MISMATCH, ADAPTER_NOT_FINITE, ADAPTER_WRONG_BASE, ADAPTER_DIGEST_MISMATCH, MODEL_DIGEST_MISMATCH
 */
export async function importAdapter({ model, adapter, folder }: ImportAdapterInput): Promise<ImportAdapterOutput> {
  await requireDigest(model);
  await requireSmaller(adapter.config.path, MAX_CONFIG_BYTES, 'adapter_config.json');
  await requireSmaller(adapter.weights.path, MAX_WEIGHT_BYTES, 'adapter_model.safetensors');
  const peft = decodePeftAdapter(await readVerified(adapter.config), await readVerified(adapter.weights));
  const { config } = new GgufWeights(model.path, 1);
  requireBase(peft, model.sha256, config);
  // Throws where a matrix has another shape than the model's.
  const { lora } = fromPairs(peft, config);
  const gguf = toGgufLora(peft, config);
  const path = join(folder, 'adapter.gguf');
  await writeFile(path, gguf);
  return {
    ...{ rank: peft.rank, alpha: peft.alpha, targets: [...lora.targets], baseModel: peft.baseModel },
    gguf: { path, sha256: sha256(gguf) },
  };
}

async function requireSmaller(path: string, most: number, name: string): Promise<void> {
  const { size } = await stat(path);
  if (size > most) throw new GraftError('ADAPTER_TOO_LARGE', `${name} has ${size} bytes; at most ${most} are read.`);
}

/** An adapter of ours names its base model by digest; PEFT's name is free text, which tells nothing. */
function requireBase({ baseModel, pairs }: PeftAdapter, digest: string, { layers }: DecoderConfig): void {
  const wrong = (why: string): GraftError =>
    new GraftError('ADAPTER_WRONG_BASE', `The adapter was trained for another model: ${why}.`, {
      hint: 'Name the model that it was trained on.',
    });
  if (/^[0-9a-f]{64}$/.test(baseModel) && baseModel !== digest)
    throw wrong(`its configuration names ${baseModel.slice(0, 12)}…, the model is ${digest.slice(0, 12)}…`);
  const beyond = pairs.find(({ layer }) => layer >= layers);
  if (beyond) throw wrong(`it changes layer ${beyond.layer}, the model has ${layers}`);
}
