import { encodeGguf, type GgufF32Tensor } from '../../gpu-worker/formats/gguf/encode.js';

/** The change of one weight matrix of the base model, `alpha / rank * B A`. */
export interface LoraModule {
  /** The base model's tensor, as its GGUF names it: `blk.0.attn_q.weight`, [out, in]. */
  target: string;
  rank: number;
  /** Row-major [rank, in]. */
  a: Float32Array;
  /** Row-major [out, rank]. */
  b: Float32Array;
}

interface LoraAdapter {
  /** `general.architecture` of the base model. */
  architecture: string;
  name?: string;
  alpha: number;
  /** At most one a target. Rows of q and k are permuted as the base model's GGUF has them. */
  modules: readonly LoraModule[];
}

/** The bytes of a GGUF LoRA as llama.cpp's `convert_lora_to_gguf.py` writes one, in F32. */
export function encodeLora({ architecture, name, alpha, modules }: LoraAdapter): Buffer {
  const tensors = modules.flatMap(({ target, rank, a, b }): GgufF32Tensor[] => [
    { name: `${target}.lora_a`, dimensions: [a.length / rank, rank], data: a },
    { name: `${target}.lora_b`, dimensions: [rank, b.length / rank], data: b },
  ]);
  return encodeGguf(
    {
      'general.architecture': { string: architecture },
      'general.type': { string: 'adapter' },
      ...(name === undefined ? {} : { 'general.name': { string: name } }),
      'adapter.type': { string: 'lora' },
      'adapter.lora.alpha': { f32: alpha },
    },
    tensors,
  );
}
