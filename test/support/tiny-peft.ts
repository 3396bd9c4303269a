import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  adapterLayout,
  initialAdapter,
  viewOf,
  type LoraOptions,
} from '../../gpu-worker/engines/training/model/adapter-layout.js';
import { toGgufLora, toPairs } from '../../gpu-worker/engines/training/model/adapter-files.js';
import { GgufWeights } from '../../gpu-worker/engines/training/model/gguf-weights.js';
import { writePeftAdapter, type LoraPair } from '../../gpu-worker/formats/peft/peft-adapter.js';
import { seededRandom } from '../../src/kernel/random.js';

export const TINY_LORA = {
  rank: 4,
  alpha: 8,
  targets: ['q_proj', 'v_proj', 'down_proj'],
} as const satisfies LoraOptions;

export interface PeftOptions {
  /** Same seed, same weights. */
  seed?: number;
  /** Largest weight of B; 0 makes an adapter that changes nothing. */
  strength?: number;
  /** Changes what is written. */
  edit?: (pairs: LoraPair[]) => LoraPair[];
}

/** An adapter of a model's file, as a training run leaves one: PEFT's two files and the form that is served. */
export async function writePeft(
  folder: string,
  model: { path: string; sha256: string },
  { seed = 1, strength = 0.5, edit = (pairs) => pairs }: PeftOptions = {},
): Promise<{ config: Buffer; weights: Buffer; gguf: Buffer }> {
  const { config } = new GgufWeights(model.path, 1);
  const random = seededRandom(seed);
  const flat = initialAdapter(config, TINY_LORA, random);
  for (const parameter of adapterLayout(config, TINY_LORA).parameters)
    if (parameter.factor === 'B') viewOf(flat, parameter).forEach((_, i, b) => (b[i] = (2 * random() - 1) * strength));
  const pairs = edit(toPairs(flat, config, TINY_LORA));
  const adapter = { baseModel: model.sha256, rank: TINY_LORA.rank, alpha: TINY_LORA.alpha, pairs };
  await writePeftAdapter(folder, adapter);
  const gguf = toGgufLora(adapter, config);
  writeFileSync(join(folder, 'adapter.gguf'), gguf);
  return {
    config: readFileSync(join(folder, 'adapter_config.json')),
    weights: readFileSync(join(folder, 'adapter_model.safetensors')),
    gguf,
  };
}
