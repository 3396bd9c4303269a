import { z } from 'zod';
import { badInput } from '../../../kernel/errors.js';
import { record, boolean, int, float, string } from '../../../kernel/record.js';
import { storedJson } from '../../../kernel/stored-json.js';
import type { QuantizationType } from '../../../worker-protocol/index.js';

export const variantSpeed = record(
  'VariantSpeed',
  'Tokens a second, each with the number of threads that is fastest for it.',
  {
    prefill: z.number().positive().describe('Reading a prompt, in tokens/s.'),
    decode: z.number().positive().describe('Writing an answer, in tokens/s.'),
    threads: z.object({ prefill: z.number().int(), decode: z.number().int() }),
    quiet: boolean('Whether other programs left the processors alone meanwhile.'),
  },
);

export const variantMeasurement = record(
  'QuantizationReport',
  'What a variant costs and gives, measured here against the variant that it was made from in the end.',
  {
    referenceVariantId: z.string(),
    /** SHA-256 of the texts that both read: figures of other texts can't be compared. */
    texts: z.string(),
    places: int('Places of Graft’s own text at which both were asked for the next token.'),
    referencePerplexity: float('Perplexity of the same text under the reference.'),
    perplexity: float('Perplexity of that text; lower is better.'),
    meanKl: float(
      'Mean KL divergence of its distribution from the reference’s, over the whole vocabulary, in nats a token.',
    ),
    klStandardError: float('Standard error of that mean, in nats.'),
    topAgreement: float('Share of places where both hold the same token for the most probable, 0 to 1.'),
    speed: z.object({ reference: variantSpeed, variant: variantSpeed }),
    machine: string('Cores, processor and what it can do: speeds hold for it alone.'),
  },
);
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

interface MeasuredVariant {
  variantId: string;
  measurement: VariantMeasurement;
}

export const recommendation = record(
  'VariantRecommendation',
  'The variant that answers fastest within a bound on its divergence.',
  {
    variantId: z.string(),
    speedup: float('How much faster it makes an answer than the most precise variant; 1 for that itself.'),
    meanKl: float('Its divergence from the most precise variant, in nats a token.'),
  },
);
export type Recommendation = z.infer<typeof recommendation>;

/** The fastest whose divergence is within the bound; the reference when none of them is faster. */
export function recommend(referenceId: string, candidates: readonly MeasuredVariant[], maxKl: number): Recommendation {
  return candidates
    .filter(({ measurement: { referenceVariantId, meanKl } }) => referenceVariantId === referenceId && meanKl <= maxKl)
    .map(({ variantId, measurement }) => ({ variantId, speedup: speedup(measurement), meanKl: measurement.meanKl }))
    .reduce((best, candidate) => (candidate.speedup > best.speedup ? candidate : best), {
      variantId: referenceId,
      speedup: 1,
      meanKl: 0,
    });
}
