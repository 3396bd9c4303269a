import { z } from 'zod';
import { badInput } from '../../kernel/errors.js';
import type { Sha256 } from '../../kernel/hashing.js';
import { riskCurve, type RiskCurve } from '../../kernel/risk.js';
import { anyJson, storedJson } from '../../kernel/stored-json.js';
import type { Prisma } from '../../platform/database/index.js';

export type AdapterRow = Prisma.AdapterGetPayload<object>;
export type AdapterVersionRow = Prisma.AdapterVersionGetPayload<object>;
export type AliasChangeRow = Prisma.AdapterAliasChangeGetPayload<object>;

/** Movable pointers to a version: `production` answers, `candidate` passed the gate and waits. */
export const ALIASES = ['production', 'candidate'] as const;
export type Alias = (typeof ALIASES)[number];

/**
 * How the model must be asked for what an adapter learned. It is part of the version: an adapter that is asked in another form
 * than it was trained on answers badly, and nobody sees why.
 */
export const adapterUsage = z.object({
  v: z.literal(1),
  /** Version of the rendering that made its examples. */
  rendering: z.number().int(),
  /** Labels or entity types of the rows that it learned from; empty where its task has none. */
  labels: z.array(z.string()),
  /** The pair of languages that it translates between, ISO 639-1 or `und`; null for other tasks. */
  languages: z.object({ source: z.string(), target: z.string() }).nullable(),
  /** ISO 639-1 of nine in ten of the texts that it learned from; left out where they are mixed or unknown. */
  language: z.string().optional(),
  /** Whether its examples held passages to answer from. */
  reads: z.boolean(),
  /** Whether some of these were to be refused; left out where all readers learned that. */
  refuses: z.boolean().optional(),
  /** Whether some of these were one sentence under its heading, as `src/ask/read/surroundings.ts` shows it; left out where none were. */
  readsSentences: z.boolean().optional(),
  /** The whole answer as text, or a label as one token of its own. */
  answer: z.discriminatedUnion('form', [
    z.object({ form: z.literal('text') }),
    z.object({
      form: z.literal('label-token'),
      /** Each label of the set with the token that stands for it. */
      labels: z.array(z.object({ label: z.string(), token: z.number().int().nonnegative() })).min(2),
    }),
  ]),
});
export type AdapterUsage = z.infer<typeof adapterUsage>;
export const storedUsage = storedJson(adapterUsage);

/** The proof that a version acts on the model that is served: see src/evaluation. */
export const attestation = z.object({
  v: z.literal(1),
  /** Digest of the LoRA file that the worker had loaded. */
  digest: z.string(),
  variantSha256: z.string(),
  modules: z.object({ matched: z.number().int(), expected: z.number().int() }),
  probes: z.number().int(),
  /** Cosine of the logit changes that the adapter makes in the training engine and in the serving engine. */
  cosine: z.number(),
  /** Norm of the change in the serving engine over that in the training engine. */
  normRatio: z.number(),
  /** Mean absolute change of the logits when served. */
  effect: z.number(),
  /** Whether the base model after the adapter equals the base model before it, bit for bit. */
  offIsBase: z.boolean(),
  attestedAt: z.string(),
});
export type Attestation = z.infer<typeof attestation>;
export const storedAttestation = storedJson(attestation);

/** What was measured of a version; versions that were not trained here begin with nothing. */
const adapterMetrics = z
  .object({
    /** Bytes that its training was estimated to take, and the most that it was seen to take. */
    memory: z.object({ estimatedBytes: z.number().nullable(), peakBytes: z.number() }).optional(),
    /**
     * Seconds that its steps were estimated to take, null where nothing told the pace, and took; tokens/s. Those of a run that was
     * interrupted are of its last stretch.
     */
    time: z
      .object({ estimatedSeconds: z.number().nullable(), seconds: z.number(), tokensPerSecond: z.number() })
      .optional(),
    steps: z.number(),
    /** The step whose weights were kept. */
    adapterStep: z.number(),
    /** Nats a token; null without a validation split. */
    validationLoss: z.number().nullable(),
    /** Scales that were tried on validation rows, and by which metric. */
    scales: z.array(z.object({ scale: z.number(), value: z.number() })),
    scaleMetric: z.string(),
    /** How often answers to held-out rows were wrong above each confidence, at the scale of now; null or missing: nobody measured it. */
    risk: riskCurve.nullable(),
  })
  .partial();
export type AdapterMetrics = z.infer<typeof adapterMetrics>;
export const storedMetrics = storedJson(adapterMetrics);

/** What the decision to move an alias rests on, e.g. the evaluation that passed the gate. */
const aliasEvidence = z.record(z.string(), anyJson);
export type AliasEvidence = z.infer<typeof aliasEvidence>;
export const storedAliasEvidence = storedJson(aliasEvidence);

/** A version that the worker can apply. */
export interface ServedAdapter {
  versionId: string;
  adapter: string;
  version: number;
  task: string;
  variantId: string;
  modelId: string;
  /** What it was trained on; null where it was imported. */
  datasetVersionId: string | null;
  usage: AdapterUsage;
  attestation: Attestation | null;
  /** How often its answers to held-out rows were wrong; null where nobody measured it. */
  risk: RiskCurve | null;
  /** The GGUF LoRA, as the worker's protocol wants it. */
  file: { path: string; sha256: Sha256; scale: number };
}

/** Which version is meant: `name` (its production version), `name@candidate`, `name@3`. */
export interface AdapterReference {
  name: string;
  which: { alias: Alias } | { version: number };
}

/** @throws BAD_USER_INPUT */
export function parseAdapterReference(text: string, field: string): AdapterReference {
  const [name = '', which = 'production', ...rest] = text.split('@');
  const alias = ALIASES.find((each) => each === which);
  if (name !== '' && rest.length === 0) {
    if (alias) return { name, which: { alias } };
    if (/^[1-9]\d{0,8}$/.test(which)) return { name, which: { version: Number(which) } };
  }
  throw badInput(
    field,
    `${JSON.stringify(text.slice(0, 80))} names no adapter version.`,
    'Write name, name@candidate or name@3.',
  );
}
