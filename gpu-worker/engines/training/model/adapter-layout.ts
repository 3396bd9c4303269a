import type { DecoderConfig } from './config.js';

/** The linear layers that an adapter may change, under PEFT’s names. */
export const TARGETS = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;
export type Target = (typeof TARGETS)[number];

/** Layers that read the same input are computed together; each group is one product with the frozen weights. */
export const GROUPS = {
  query_key_value: ['q_proj', 'k_proj', 'v_proj'],
  attention_output: ['o_proj'],
  gate_up: ['gate_proj', 'up_proj'],
  down: ['down_proj'],
} as const satisfies Record<string, readonly Target[]>;
export type Group = keyof typeof GROUPS;

export interface LoraOptions {
  rank: number;
  alpha: number;
  targets: readonly Target[];
}

/** The factor of B A (Hu et al. 2021): alpha / rank. */
export const loraScale = ({ alpha, rank }: LoraOptions): number => alpha / rank;

/** Sizes [in, out] of each linear layer. */
export function linearSizes(config: DecoderConfig): Record<Target, readonly [inputs: number, outputs: number]> {
  const { hidden, heads, keyValueHeads, headSize, feedForward } = config;
  return {
    q_proj: [hidden, heads * headSize],
    k_proj: [hidden, keyValueHeads * headSize],
    v_proj: [hidden, keyValueHeads * headSize],
    o_proj: [heads * headSize, hidden],
    gate_proj: [hidden, feedForward],
    up_proj: [hidden, feedForward],
    down_proj: [feedForward, hidden],
  };
}

/** One trained tensor, and where it lies in the flat array of all. */
export interface AdapterParameter {
  name: string;
  layer: number;
  /** A of a group holds the A matrices of its targets one below the other; B belongs to one target. */
  factor: 'A' | 'B';
  targets: readonly Target[];
  /** A [targets * rank, in], B [out, rank]: PEFT’s layout. */
  shape: readonly [number, number];
  offset: number;
}

export const parameterName = (layer: number, owner: Group | Target, factor: 'A' | 'B'): string =>
  `layers.${layer}.${owner}.${factor}`;

/** The targets of a group that an adapter changes, in the group’s order. */
export const trainedTargets = (group: Group, { targets }: LoraOptions): Target[] =>
  GROUPS[group].filter((target: Target) => targets.includes(target));

/** Every trained tensor in the order of the flat array, and the length of that array. */
export function adapterLayout(
  config: DecoderConfig,
  lora: LoraOptions,
): { parameters: AdapterParameter[]; length: number } {
  const sizes = linearSizes(config);
  const parameters: AdapterParameter[] = [];
  let length = 0;
  const add = (parameter: Omit<AdapterParameter, 'offset'>): void => {
    parameters.push({ ...parameter, offset: length });
    length += parameter.shape[0] * parameter.shape[1];
  };
  for (let layer = 0; layer < config.layers; layer++)
    for (const group of Object.keys(GROUPS) as Group[]) {
      const targets = trainedTargets(group, lora);
      const [first] = targets;
      if (first === undefined) continue;
      const rows = targets.length * lora.rank;
      const name = parameterName(layer, group, 'A');
      add({ name, layer, factor: 'A', targets, shape: [rows, sizes[first][0]] });
      for (const target of targets)
        add({
          name: parameterName(layer, target, 'B'),
          layer,
          factor: 'B',
          targets: [target],
          shape: [sizes[target][1], lora.rank],
        });
    }
  return { parameters, length };
}

/** The view of one parameter in the flat array. */
export const viewOf = (flat: Float32Array, { offset, shape }: AdapterParameter): Float32Array =>
  flat.subarray(offset, offset + shape[0] * shape[1]);

/**
 * A fresh adapter, as PEFT makes it: A uniform in ±1/sqrt(in) (Kaiming with a = sqrt 5), B zero, so that it changes nothing.
 * @param random numbers in [0, 1)
 */
export function initialAdapter(config: DecoderConfig, lora: LoraOptions, random: () => number): Float32Array {
  const { parameters, length } = adapterLayout(config, lora);
  const flat = new Float32Array(length);
  for (const parameter of parameters) {
    if (parameter.factor === 'B') continue;
    const view = viewOf(flat, parameter);
    const bound = 1 / Math.sqrt(parameter.shape[1]);
    for (let index = 0; index < view.length; index++) view[index] = (2 * random() - 1) * bound;
  }
  return flat;
}
