import { record, string, int, float, boolean } from '../../../kernel/record.js';
import { z } from 'zod';
import { badInput } from '../../../kernel/errors.js';
import type { Sha256 } from '../../../kernel/hashing.js';
import { riskCurve, type RiskCurve } from '../../../kernel/risk.js';
import { anyJson, storedJson } from '../../../kernel/stored-json.js';
import type { Prisma } from '../../../platform/database/index.js';

export type AdapterRow = Prisma.AdapterGetPayload<object>;
export type AdapterVersionRow = Prisma.AdapterVersionGetPayload<object>;
export type AliasChangeRow = Prisma.AdapterAliasChangeGetPayload<object>;

/** Ids of the dataset versions that a version learned from, also through its parents. */
export const learnedFrom = ({ datasetVersionId, inheritedFrom }: AdapterVersionRow): string[] => [
  ...new Set([...inheritedFrom, ...(datasetVersionId === null ? [] : [datasetVersionId])]),
];

/** Movable pointers to a version: `production` answers, `candidate` passed the gate and waits. */
export const ALIASES = ['production', 'candidate'] as const;
export type Alias = (typeof ALIASES)[number];

/** A label and the one token that stands for it. */
const labelToken = z.object({ label: z.string(), token: z.number().int().nonnegative() });
export type LabelToken = z.infer<typeof labelToken>;

/** Platt scaling (1999) of what a reader says, which is as sure of itself as its own training made it: a line through its log-odds. */
export const readerCalibration = z.object({ bias: z.number(), slope: z.number().positive() });
export type ReaderCalibration = z.infer<typeof readerCalibration>;

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
  /** Whether some of these were one sentence under its heading, as `src/answer/ask/read/surroundings.ts` shows it; left out where none were. */
  readsSentences: z.boolean().optional(),
  /**
   * What brings its word on a single sentence to the scale that `src/answer/ask/read/probability.ts` weighs it on; left out where that was fitted to it. What
   * it says of whole passages stays as it is.
   */
  calibration: readerCalibration.optional(),
  /** The whole answer as text, or a label as one token of its own. */
  answer: z.discriminatedUnion('form', [
    z.object({ form: z.literal('text') }),
    z.object({
      form: z.literal('label-token'),
      /** Each label of the set with the token that stands for it. */
      labels: z.array(labelToken).min(2),
    }),
  ]),
});
export type AdapterUsage = z.infer<typeof adapterUsage>;
export const storedUsage = storedJson(adapterUsage);

/** The proof that a version acts on the model that is served: see src/prove. */
export const attestation = z.object({
  v: z.literal(1),
  digest: string('SHA-256 of the LoRA file that was loaded when this was measured.'),
  variantSha256: z.string(),
  modules: z.object({ matched: z.number().int(), expected: z.number().int() }),
  probes: int('Prompts on which the change was measured.'),
  cosine: float(
    'Cosine between the change of the logits in the engine that trained and in the one that serves, -1 to 1.',
  ),
  normRatio: float('Size of the change when served over its size when trained; 1 is equal.'),
  effect: float('Mean absolute change of the logits when served; never 0.'),
  offIsBase: boolean('Whether the base model answered after the adapter exactly as before it.'),
  attestedAt: string('When it was measured.').meta({ shown: 'DateTime' }),
});
export type Attestation = z.infer<typeof attestation>;
export const storedAttestation = storedJson(attestation);

const bytes = z.number().overwrite(Math.round).meta({ shown: 'BigInt' });

const trainingMemory = record(
  'TrainingMemory',
  'Memory of a training: what was estimated before it, and what it took.',
  {
    estimatedBytes: bytes
      .nullable()
      .describe('What the train worker was estimated to take at most, in bytes; null where it wasn’t estimated.'),
    peakBytes: bytes.describe('The most that it was seen to take, in bytes.'),
  },
);

const trainingTime = record(
  'TrainingTime',
  'Time of a training’s steps; that of a run that was interrupted is of its last stretch.',
  {
    estimatedSeconds: float(
      'What they were estimated to take, in seconds; null where no pace was known before.',
    ).nullable(),
    seconds: float('What they took, in seconds, without measurements on validation rows.'),
    tokensPerSecond: float('Tokens learned a second, without padding.'),
  },
);

const measuredScale = record('MeasuredScale', 'A scale that was tried on validation rows.', {
  scale: float('What the adapter’s effect was multiplied by.'),
  value: float('The metric that it reached.'),
});

/** What was measured of a version; versions that were not trained here begin with nothing. */
export const adapterMetrics = z
  .object({
    steps: int('Steps of its training; null for an imported version.'),
    adapterStep: int('The step whose weights were kept; null for an imported version.'),
    validationLoss: float(
      'Loss of these weights on validation rows, in nats a token; null without such rows.',
    ).nullable(),
    memory: trainingMemory.describe(
      'Memory that its training took; null for versions that were imported or trained before it was kept.',
    ),
    time: trainingTime.describe('Time that its training took; null as `memory` is.'),
    scales: z.array(measuredScale).describe('Scales that `chooseScale` tried; empty before it did.'),
    scaleMetric: string('The metric of these scales; null before any was tried.'),
    risk: riskCurve
      .nullable()
      .describe(
        'How often its answers to held-out rows were wrong above each confidence, most confident first: what `ask(maxErrorRate)` goes by. Null until `evaluate` measured it at its scale of now.',
      ),
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
  const [name = '', selector = 'production', ...rest] = text.split('@');
  const alias = ALIASES.find((candidate) => candidate === selector);
  if (name !== '' && rest.length === 0) {
    if (alias) return { name, which: { alias } };
    if (/^[1-9]\d{0,8}$/.test(selector)) return { name, which: { version: Number(selector) } };
  }
  throw badInput(
    field,
    `${JSON.stringify(text.slice(0, 80))} names no adapter version.`,
    'Write name, name@candidate or name@3.',
  );
}
