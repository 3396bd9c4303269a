import { GraftError } from '../../../../src/kernel/errors.js';
import type { GgufHeader } from '../../../formats/gguf/header.js';

/** The architectures that can be trained: all are decoders with rotary positions, grouped queries and a gated network. */
export const TRAINABLE = ['llama', 'qwen2', 'qwen3'] as const;
export type Architecture = (typeof TRAINABLE)[number];

/** The sizes of a decoder, under the names that the papers use. */
export interface DecoderConfig {
  architecture: Architecture;
  layers: number;
  hidden: number;
  heads: number;
  /** Fewer than `heads`: each serves a group of queries (Ainslie et al. 2023). */
  keyValueHeads: number;
  headSize: number;
  feedForward: number;
  vocabulary: number;
  /** Base of the rotary angles. */
  ropeBase: number;
  normEpsilon: number;
  /** True when the output layer is the embedding. */
  tiedOutput: boolean;
}

/**
 * The sizes that a GGUF file states.
 * @throws MODEL_UNSUPPORTED for an architecture or a variation of one that the engine has no definition of
 */
export function decoderConfig({ metadata, tensors }: GgufHeader): DecoderConfig {
  const unsupported = (subject: string): GraftError =>
    new GraftError('MODEL_UNSUPPORTED', `${subject} can’t be trained here; train one of ${TRAINABLE.join(', ')}.`);
  const architecture = TRAINABLE.find((name) => name === metadata.get('general.architecture'));
  if (architecture === undefined)
    throw unsupported(`Architecture ${JSON.stringify(metadata.get('general.architecture') ?? null)}`);
  const number = (key: string, otherwise?: number): number => {
    const value = Number(metadata.get(`${architecture}.${key}`) ?? otherwise);
    if (!Number.isFinite(value) || value <= 0) throw unsupported(`A model whose header gives no ${key}`);
    return value;
  };
  const shapeOf = (name: string): number[] | undefined => tensors.find((tensor) => tensor.name === name)?.dimensions;
  const hidden = number('embedding_length');
  const heads = number('attention.head_count');
  const headSize = number('attention.key_length', hidden / heads);
  const rope = (key: string): unknown => metadata.get(`${architecture}.rope.${key}`);
  // As llama.cpp reads it: a factor that names no type scales linearly, and 0 is none.
  const type = rope('scaling.type') ?? (Number(rope('scaling.factor') ?? rope('scale_linear') ?? 0) || 1);
  if ((type !== 'none' && type !== 1) || shapeOf('rope_freqs.weight') !== undefined)
    throw unsupported('A model with scaled rotary positions');
  if (number('rope.dimension_count', headSize) !== headSize) throw unsupported('A model that turns part of each head');
  return {
    architecture,
    layers: number('block_count'),
    hidden,
    heads,
    keyValueHeads: number('attention.head_count_kv', heads),
    headSize,
    feedForward: number('feed_forward_length'),
    vocabulary: shapeOf('token_embd.weight')?.[1] ?? 0,
    ropeBase: number('rope.freq_base', 10_000),
    normEpsilon: number('attention.layer_norm_rms_epsilon'),
    tiedOutput: shapeOf('output.weight') === undefined,
  };
}
