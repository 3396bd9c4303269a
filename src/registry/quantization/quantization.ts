import { z } from 'zod';
import { badInput } from '../../kernel/errors.js';
import { storedJson } from '../../kernel/stored-json.js';
import type { QuantizationType } from '../../worker-protocol/index.js';

const speed = z.object({
  /** Tokens/s, each with the number of threads that is fastest for it. */
  prefill: z.number().positive(),
  decode: z.number().positive(),
  threads: z.object({ prefill: z.number().int(), decode: z.number().int() }),
  /** False when other programs kept the processors busy meanwhile. */
  quiet: z.boolean(),
});

/** What a quantized variant costs and gives, held against the one at the end of its chain of sources; all on one machine, in one go. */
const variantMeasurement = z.object({
  referenceVariantId: z.string(),
  /** SHA-256 of the texts that both read: figures of other texts can't be compared. */
  texts: z.string(),
  places: z.number().int(),
  referencePerplexity: z.number(),
  perplexity: z.number(),
  /** Mean KL(reference ‖ variant) in nats a token, and the standard error of that mean. */
  meanKl: z.number(),
  klStandardError: z.number(),
  /** Share of places where both hold the same token for the most probable. */
  topAgreement: z.number(),
  speed: z.object({ reference: speed, variant: speed }),
  /** Processor, cores and what the processor can do: speeds hold for it alone. */
  machine: z.string(),
});
export type VariantMeasurement = z.infer<typeof variantMeasurement>;
export const storedMeasurement = storedJson(variantMeasurement);

/** Bits a weight of llama.cpp's types, about; types that mix others count by what most weights have. */
const BITS: Readonly<Record<string, number>> = {
  F32: 32,
  F16: 16,
  BF16: 16,
  Q8_0: 8.5,
  Q6_K: 6.56,
  Q5_1: 6,
  Q5_K_M: 5.7,
  Q5_K_S: 5.5,
  Q5_0: 5.5,
  Q4_1: 5,
  Q4_K_M: 4.85,
  Q4_K_S: 4.6,
  Q4_0: 4.5,
  IQ4_NL: 4.5,
  IQ4_XS: 4.25,
  MXFP4_MOE: 4.25,
};
/** What isn't in the list takes fewer than four bits. */
const FEWER = 4;

/** @throws BAD_USER_INPUT unless the type is smaller than what the weights are stored in already */
export function requireSmaller(source: string, type: QuantizationType): void {
  const [from, to] = [BITS[source] ?? FEWER, BITS[type]!];
  if (to < from) return;
  throw badInput(
    'input.type',
    `The weights are stored as ${source}, about ${from} bits each; ${type} would take ${to} and bring nothing back.`,
    `Quantize a variant of higher precision (F16, F32), or to a type below ${source}.`,
  );
}

/** The variant that others of its model are held against: the most precise, and of equals the first. */
export function referenceOf<V extends { quantization: string; sourceId: string | null }>(
  variants: readonly V[],
): V | null {
  const bits = ({ quantization }: V): number => BITS[quantization] ?? FEWER;
  const [best] = variants.filter(({ sourceId }) => sourceId === null).sort((a, b) => bits(b) - bits(a));
  return best ?? null;
}

/** An answer as Graft makes it: tokens that are read, and tokens that are written. */
const READ = 250;
const WRITTEN = 30;

/** How much faster an answer is made than by the reference, measured beside it: 1 is as fast. */
export function speedup({ speed: { reference, variant } }: VariantMeasurement): number {
  const seconds = ({ prefill, decode }: { prefill: number; decode: number }): number =>
    READ / prefill + WRITTEN / decode;
  return seconds(reference) / seconds(variant);
}

export interface Candidate {
  variantId: string;
  measurement: VariantMeasurement;
}

export interface Recommendation {
  variantId: string;
  speedup: number;
  meanKl: number;
}

/** The fastest whose divergence is within the bound; the reference when none of them is faster. */
export function recommend(referenceId: string, candidates: readonly Candidate[], maxKl: number): Recommendation {
  return candidates
    .filter(({ measurement: { referenceVariantId, meanKl } }) => referenceVariantId === referenceId && meanKl <= maxKl)
    .map(({ variantId, measurement }) => ({ variantId, speedup: speedup(measurement), meanKl: measurement.meanKl }))
    .reduce((best, each) => (each.speedup > best.speedup ? each : best), {
      variantId: referenceId,
      speedup: 1,
      meanKl: 0,
    });
}
