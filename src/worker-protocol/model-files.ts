import { z } from 'zod';

export const path = z.string().min(1).max(4096);
export const digest = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits');

/** A GGUF LoRA and how strongly it acts: 1 as it was trained, 0 not at all. */
const adapterFile = z.object({ path, sha256: digest, scale: z.number().min(0).max(4) });
export type AdapterFile = z.infer<typeof adapterFile>;

/** A GGUF file with the adapters that act on it, none if left out; `contextLength` is in tokens. */
export const modelFile = z.object({
  path,
  sha256: digest,
  contextLength: z.number().int().min(1),
  adapters: z
    .array(adapterFile)
    .max(4)
    .refine(
      (adapterFiles) => new Set(adapterFiles.map(({ sha256 }) => sha256)).size === adapterFiles.length,
      'the same adapter twice',
    )
    .optional(),
});
export type ModelFile = z.infer<typeof modelFile>;

/** An adapter that acts, by what it is and how strongly. */
export const actingAdapter = adapterFile.omit({ path: true });
export type ActingAdapter = z.infer<typeof actingAdapter>;

/** An ONNX sentence encoder with its tokenizer; together they are the identity that an index is bound to. */
export const embedderFiles = z.object({
  name: z.string().min(1),
  modelPath: path,
  tokenizerPath: path,
  sha256: digest,
  tokenizerSha256: digest,
  dimensions: z.number().int().min(1),
  pooling: z.literal('mean'),
  normalised: z.literal(true),
  /** Texts are cut after this many tokens, special ones included. */
  maxTokens: z.number().int().min(3),
});
export type EmbedderFiles = z.infer<typeof embedderFiles>;
