import { z } from 'zod';
import { TASK_KINDS } from '../../data/index.js';
import { storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';
import { executorName } from '../../worker-protocol/index.js';
import { recipe } from '../recipes/recipe.js';

/** What a run trains, on what, and how. */
const trainingInput = z.object({
  /** Name of the adapter that gets a new version. */
  adapter: z.string(),
  description: z.string(),
  task: z.enum(TASK_KINDS),
  datasetVersionId: z.string(),
  modelId: z.string(),
  variantId: z.string(),
  recipe,
  /** The adapter version that it goes on from; left out, it begins at the base model. */
  parentId: z.string().optional(),
  /** The dataset versions that this one learned from. */
  inheritedFrom: z.array(z.string()).optional(),
});
export type TrainingInput = z.infer<typeof trainingInput>;

/** A file in the run's folder. */
const ownFile = z.object({ name: z.string(), sha256: z.string() });

/** Where an interrupted run goes on. */
const trainingCheckpoint = z.object({
  step: z.number().int(),
  file: ownFile,
  /** What computes the run, from its first step to its last: another one has other bits. */
  executor: executorName.default('onnx'),
});

const trainingOutput = z.object({
  adapterVersionId: z.string(),
  steps: z.number().int(),
  /** The step whose weights were kept. */
  adapterStep: z.number().int(),
  stoppedEarly: z.boolean(),
  /** Whether the weights are the average of the last measurements. */
  averaged: z.boolean().default(false),
  /** Nats a token; null without a validation split. */
  validationLoss: z.number().nullable(),
});
export type TrainingOutput = z.infer<typeof trainingOutput>;

const step = z.object({
  step: z.number().int(),
  steps: z.number().int(),
  epoch: z.number(),
  loss: z.number(),
  smoothedLoss: z.number(),
  /** Divergence from the base model on general text, in nats a token; null without retention. */
  replayKl: z.number().nullable(),
  learningRate: z.number(),
  gradientNorm: z.number(),
  tokensPerSecond: z.number(),
  etaSeconds: z.number(),
  memoryBytes: z.number(),
});

const validation = z.object({
  step: z.number().int(),
  loss: z.number(),
  klToBase: z.number(),
  accuracy: z.number().nullable(),
  best: z.boolean(),
});

/** What the supervision audit found before the first step. */
const audit = z.object({
  examples: z.number().int(),
  trained: z.number().int(),
  validated: z.number().int(),
  counts: z.record(z.string(), z.number().int()),
  findings: z.array(z.object({ ordinal: z.number(), split: z.string(), fault: z.string(), note: z.string() })),
});

export const training = defineRunKind({
  kind: 'TRAINING',
  description: 'A dataset version becomes a version of an adapter.',
  subject: 'DatasetVersion',
  input: storedJson(trainingInput),
  output: storedJson(trainingOutput),
  checkpoint: storedJson(trainingCheckpoint),
  events: { audit: storedJson(audit), step: storedJson(step), validation: storedJson(validation) },
  occupies: 'train-worker',
  pausable: true,
});
export type TrainingContext = ContextOf<typeof training>;
