import { GraftError } from '../../../../src/kernel/errors.js';
import { encodeGgufLora, type GgufTensorData } from '../../../formats/gguf/lora-writer.js';
import type { LoraPair, LoraPlace, PeftAdapter } from '../../../formats/peft/peft-adapter.js';
import { adapterLayout, linearSizes, viewOf, type LoraOptions, type Target, TARGETS } from './adapter-layout.js';
import type { DecoderConfig } from './config.js';
import { toInterleaved } from './rotary-order.js';

/** GGUF’s names of the linear layers. */
const GGUF_NAMES: Readonly<Record<Target, string>> = {
  q_proj: 'attn_q',
  k_proj: 'attn_k',
  v_proj: 'attn_v',
  o_proj: 'attn_output',
  gate_proj: 'ffn_gate',
  up_proj: 'ffn_up',
  down_proj: 'ffn_down',
};

/** The weight of the base model that a linear layer is, as its GGUF names it. */
export const ggufModule = ({ layer, target }: Pick<LoraPair, 'layer' | 'target'>): string =>
  `blk.${layer}.${GGUF_NAMES[target as Target]}.weight`;

/** The trained tensors as PEFT names them; views, not copies. */
export function toPairs(flat: Float32Array, config: DecoderConfig, lora: LoraOptions): LoraPair[] {
  const { parameters } = adapterLayout(config, lora);
  return parameters.flatMap((group) =>
    group.factor === 'B'
      ? []
      : group.targets.map((target, index) => {
          const size = lora.rank * group.shape[1];
          const b = parameters.find(
            ({ layer, factor, targets }) => layer === group.layer && factor === 'B' && targets[0] === target,
          )!;
          const a = viewOf(flat, group).subarray(index * size, (index + 1) * size);
          return { layer: group.layer, target, a, b: viewOf(flat, b) };
        }),
  );
}

/** @throws ADAPTER_SHAPE_MISMATCH where the model has no layer of these sizes */
export function requireShapes(places: readonly LoraPlace[], config: DecoderConfig): void {
  const sizes = linearSizes(config);
  for (const { layer, target, inputs, outputs } of places) {
    const [expectedInputs, expectedOutputs] = sizes[target as Target];
    if (layer >= config.layers || inputs !== expectedInputs || outputs !== expectedOutputs)
      throw new GraftError(
        'ADAPTER_SHAPE_MISMATCH',
        `The adapter doesn’t fit the model: ${target} of layer ${layer} differs.`,
      );
  }
}

/**
 * The flat array of an adapter that PEFT describes, so that it can be trained on; layers that it doesn't change get zeros.
 * @throws ADAPTER_SHAPE_MISMATCH when it doesn't fit the model
 */
export function fromPairs(
  { rank, alpha, pairs }: PeftAdapter,
  config: DecoderConfig,
): { flat: Float32Array; lora: LoraOptions } {
  requireShapes(
    pairs.map(({ a, b, ...place }) => ({ ...place, inputs: a.length / rank, outputs: b.length / rank })),
    config,
  );
  const lora = { rank, alpha, targets: TARGETS.filter((target) => pairs.some((pair) => pair.target === target)) };
  const flat = new Float32Array(adapterLayout(config, lora).length);
  const views = toPairs(flat, config, lora);
  for (const { layer, target, a, b } of pairs) {
    const place = views.find((view) => view.layer === layer && view.target === target)!;
    place.a.set(a);
    place.b.set(b);
  }
  return { flat, lora };
}

/** B with its rows in the order of the model’s own file. [out, rank] */
export const servedRows = (
  { target, b }: Pick<LoraPair, 'target' | 'b'>,
  rank: number,
  { architecture, headSize }: Pick<DecoderConfig, 'architecture' | 'headSize'>,
): Float32Array =>
  architecture === 'llama' && (target === 'q_proj' || target === 'k_proj') ? toInterleaved(b, rank, headSize) : b;

/** The adapter as llama.cpp loads it: rows of q and k in the order that the model’s file has. */
export function toGgufLora(
  { baseModel, rank, alpha, pairs }: PeftAdapter,
  config: DecoderConfig,
  type: 'F32' | 'F16' = 'F32',
): Buffer {
  const tensors = pairs.flatMap((pair): GgufTensorData[] => {
    const { a, b } = pair;
    const name = ggufModule(pair);
    return [
      { name: `${name}.lora_a`, dimensions: [a.length / rank, rank], data: a },
      { name: `${name}.lora_b`, dimensions: [rank, b.length / rank], data: servedRows(pair, rank, config) },
    ];
  });
  return encodeGgufLora({ architecture: config.architecture, name: baseModel, alpha }, tensors, type);
}
