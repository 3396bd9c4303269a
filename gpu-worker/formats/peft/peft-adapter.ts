import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ErrorCode } from '../../../src/kernel/error-codes.js';
import { GraftError } from '../../../src/kernel/errors.js';
import { parseBounded } from '../../../src/kernel/json-limits.js';
import {
  encodeSafetensors,
  openSafetensors,
  type NamedTensor,
  type TensorEntry,
} from '../../../src/kernel/safetensors.js';
import { requireComputable } from './computable.js';

const CONFIG = 'adapter_config.json';
const WEIGHTS = 'adapter_model.safetensors';

/** One linear layer’s change: B A, times alpha / rank. */
export interface LoraPair {
  layer: number;
  /** PEFT’s name of the linear layer, `q_proj`. */
  target: string;
  /** [rank, in], row-major. */
  a: Float32Array;
  /** [out, rank], row-major. */
  b: Float32Array;
}

/** The same before its numbers are read. */
export interface LoraPlace extends Pick<LoraPair, 'layer' | 'target'> {
  inputs: number;
  outputs: number;
}

/** An adapter as PEFT knows it. */
export interface PeftAdapter {
  baseModel: string;
  rank: number;
  alpha: number;
  pairs: readonly LoraPair[];
}

/** Some train with alpha at twice the rank, few at more than sixteen times it; the largest half-precision number is beyond all of them. */
const MOST_ALPHA = 65_504;
/** `save_pretrained` writes some 40 settings; the modules of a large model may be listed. */
const CONFIG_LIMITS = { values: 20_000, nesting: 8 };

/** What Graft reads of the configuration; everything that would change the sum is refused, not passed over. */
const config = z.object({
  peft_type: z.literal('LORA'),
  base_model_name_or_path: z.string().nullish(),
  r: z.number().int().min(1).max(1024),
  lora_alpha: z.number().positive().max(MOST_ALPHA),
  bias: z.literal('none').default('none'),
  use_dora: z.literal(false).nullish(),
  use_rslora: z.literal(false).nullish(),
  fan_in_fan_out: z.literal(false).nullish(),
  modules_to_save: z.union([z.null(), z.array(z.never()).max(0)]).nullish(),
  rank_pattern: z.record(z.string(), z.never()).nullish(),
  alpha_pattern: z.record(z.string(), z.never()).nullish(),
  /** An activated LoRA acts only from these tokens on: from the first one it would be another adapter. */
  alora_invocation_tokens: z.null().optional(),
  lora_bias: z.literal(false).nullish(),
  /** How it began. Any other way (PiSSA, OLoRA, CorDA, LoftQ) changed the base's weights, too, and the adapter is of those. */
  init_lora_weights: z.union([z.boolean(), z.string().regex(/^(gaussian|eva|orthogonal)$/i)]).nullish(),
  use_qalora: z.literal(false).nullish(),
  layer_replication: z.null().optional(),
  target_parameters: z.union([z.null(), z.array(z.never()).max(0)]).nullish(),
  trainable_token_indices: z.null().optional(),
});

const BLOCK: Readonly<Record<string, string>> = {
  q_proj: 'self_attn',
  k_proj: 'self_attn',
  v_proj: 'self_attn',
  o_proj: 'self_attn',
  gate_proj: 'mlp',
  up_proj: 'mlp',
  down_proj: 'mlp',
};
const tensorName = (layer: number, target: string, factor: 'A' | 'B'): string =>
  `base_model.model.model.layers.${layer}.${BLOCK[target]}.${target}.lora_${factor}.weight`;

/** Writes the two files of a PEFT adapter into a folder, which is made if it isn't there. */
export async function writePeftAdapter(
  folder: string,
  { baseModel, rank, alpha, pairs }: PeftAdapter,
  type: 'F32' | 'F16' = 'F32',
): Promise<void> {
  const tensors = new Map<string, NamedTensor>();
  for (const { layer, target, a, b } of pairs) {
    tensors.set(tensorName(layer, target, 'A'), { shape: [rank, a.length / rank], data: a });
    tensors.set(tensorName(layer, target, 'B'), { shape: [b.length / rank, rank], data: b });
  }
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, WEIGHTS), encodeSafetensors({ metadata: { format: 'pt' }, tensors }, type));
  const settings = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: baseModel,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    use_rslora: false,
    use_dora: false,
    modules_to_save: null,
    target_modules: [...new Set(pairs.map(({ target }) => target))],
  };
  await writeFile(join(folder, CONFIG), `${JSON.stringify(settings, null, 2)}\n`);
}

/**
 * Reads a PEFT adapter of a llama-like model.
 * @throws ADAPTER_DAMAGED, ADAPTER_PICKLED, ADAPTER_KIND_UNSUPPORTED, ADAPTER_TARGET_UNSUPPORTED, ADAPTER_RANK_MISMATCH,
 *   ADAPTER_NOT_FINITE, and ADAPTER_INVALID for a configuration that can't be read
 */
export const readPeftAdapter = async (folder: string): Promise<PeftAdapter> =>
  decodePeftAdapter(await read(join(folder, CONFIG)), await read(join(folder, WEIGHTS)));

/**
 * The same from the contents of the two files.
 * @param requireFit is told of every matrix before a number is read, and throws where the model has no place for one
 */
export function decodePeftAdapter(
  configBytes: Buffer,
  weightBytes: Buffer,
  requireFit: (adapter: { baseModel: string; rank: number; pairs: readonly LoraPlace[] }) => void = () => undefined,
): PeftAdapter {
  const { base_model_name_or_path, r: rank, lora_alpha: alpha } = parseConfig(configBytes);
  if (isPickle(weightBytes)) throw refused('ADAPTER_PICKLED', 'its weights are a Python pickle, not safetensors');
  const baseModel = base_model_name_or_path ?? '';
  const places = placesOf(openSafetensors(weightBytes).tensors, rank);
  requireFit({ baseModel, rank, pairs: places });
  const pairs = places.map(({ name, layer, target, a, b }): LoraPair => {
    const pair = { layer, target, a: a.read(), b: b.read() };
    requireComputable(name, pair, rank, alpha);
    return pair;
  });
  return { baseModel, rank, alpha, pairs };
}

type PlacedPair = LoraPlace & { name: string; a: TensorEntry; b: TensorEntry };

/** @throws ADAPTER_TARGET_UNSUPPORTED, ADAPTER_RANK_MISMATCH, ADAPTER_INVALID when there is none */
function placesOf(tensors: ReadonlyMap<string, TensorEntry>, rank: number): PlacedPair[] {
  const places: PlacedPair[] = [];
  for (const [name, a] of tensors) {
    const [, layer, block, target, factor] =
      /^base_model\.model\.model\.layers\.(0|[1-9]\d{0,3})\.(self_attn|mlp)\.(\w+)\.lora_([AB])\.weight$/.exec(name) ??
      [];
    if (target === undefined || !Object.hasOwn(BLOCK, target) || BLOCK[target] !== block)
      throw refused(
        'ADAPTER_TARGET_UNSUPPORTED',
        `it changes ${JSON.stringify(name.slice(0, 200))}, which is none of the layers ${Object.keys(BLOCK).join(', ')}`,
      );
    const b = tensors.get(name.replace('.lora_A.', '.lora_B.'));
    if (factor === 'B' && tensors.has(name.replace('.lora_B.', '.lora_A.'))) continue;
    if (b === undefined || factor === 'B')
      throw refused('ADAPTER_TARGET_UNSUPPORTED', `${JSON.stringify(name)} has no counterpart`);
    const [rows, inputs] = a.shape;
    const [outputs, columns] = b.shape;
    if (a.shape.length !== 2 || b.shape.length !== 2 || rows !== rank || columns !== rank)
      throw refused('ADAPTER_RANK_MISMATCH', `${JSON.stringify(name)} is not of rank ${rank}`);
    places.push({ name, layer: Number(layer), target, inputs: inputs!, outputs: outputs!, a, b });
  }
  if (places.length === 0) throw refused('ADAPTER_INVALID', 'it changes no layer');
  return places;
}

const refused = (code: ErrorCode, fault: string, hint?: string): GraftError =>
  new GraftError(code, `The adapter can’t be used: ${fault}.`, { hint });

/**
 * PyTorch's own files: a ZIP archive around a pickle, or before 1.6 the pickle itself (opcode PROTO, then no zero). The length of a safetensors
 * header may begin with these bytes as well, and then it is no longer than the file.
 */
const isPickle = (bytes: Buffer): boolean =>
  bytes.subarray(0, 4).equals(Buffer.from('PK\u0003\u0004')) ||
  (bytes[0] === 0x80 && bytes[1]! >= 2 && bytes[1]! <= 5 && bytes[2] !== 0 && !beginsWithItsLength(bytes));

/** By setting, what makes plain LoRA of it. */
const HINTS: Readonly<Partial<Record<string, string>>> = {
  init_lora_weights:
    'Save it with PEFT’s save_pretrained(…, path_initial_model_for_weight_conversion=…), which makes plain LoRA of the change since it began; LoftQ can’t be converted.',
};

const beginsWithItsLength = (bytes: Buffer): boolean =>
  bytes.length >= 8 && bytes.readBigUInt64LE() <= BigInt(bytes.length - 8);

async function read(path: string): Promise<Buffer> {
  return readFile(path).catch((error: unknown) => {
    throw new GraftError('ADAPTER_INVALID', `The adapter lacks a readable ${path.split('/').at(-1)}.`, {
      cause: error,
    });
  });
}

function parseConfig(bytes: Buffer): z.infer<typeof config> {
  let value: unknown;
  try {
    value = parseBounded(bytes, CONFIG_LIMITS);
  } catch {
    throw refused('ADAPTER_INVALID', `${CONFIG} is not JSON, or of another form than PEFT writes`);
  }
  const parsed = config.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const setting = issue?.path.join('.') ?? 'value';
  if (issue?.code === 'too_big' || issue?.code === 'too_small')
    throw refused('ADAPTER_INVALID', `${CONFIG} has a ${setting} that no adapter can be computed with`);
  throw refused('ADAPTER_KIND_UNSUPPORTED', `${CONFIG} has a ${setting} that isn’t plain LoRA`, HINTS[setting]);
}
