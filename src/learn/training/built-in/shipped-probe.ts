import { z } from 'zod';

/**
 * What an adapter that comes with Graft changes where it was trained, on the prompts of an attestation: measured when it was made, so that
 * showing that it acts takes no training engine. Logits [prompts, candidates], as base64 of little-endian 32-bit numbers.
 */
export const shippedProbe = z.object({
  modules: z.object({ matched: z.number().int(), expected: z.number().int() }),
  off: z.base64(),
  on: z.base64(),
});
export type ShippedProbe = z.infer<typeof shippedProbe>;

export const encodeLogits = (logits: Float32Array): string => {
  const bytes = Buffer.alloc(4 * logits.length);
  logits.forEach((logit, index) => bytes.writeFloatLE(logit, 4 * index));
  return bytes.toString('base64');
};

export function decodeLogits(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(4 * index));
}
