import { z } from 'zod';
import { TASK_KINDS } from '../../../sources/data/index.js';
import { record, int, float, boolean } from '../../../kernel/record.js';
import { storedJson } from '../../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../../platform/runs/index.js';
import { executorName } from '../../../worker-protocol/index.js';
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

const step = record('TrainingStepped', 'One step of training: one update of the weights.', {
  step: int('Number of the step, from 1.'),
  steps: int('Steps of the whole run.'),
  epoch: float('The pass over the rows that the step belongs to, from 0.'),
  loss: float('Mean cross-entropy of the answers’ tokens, in nats.'),
  smoothedLoss: float('The same, smoothed over some twenty steps.'),
  replayKl: float(
    'Mean divergence from the base model on general text, in nats a token; null without retention.',
  ).nullable(),
  learningRate: float('Learning rate of the step.'),
  gradientNorm: float('Norm of the gradient before clipping.'),
  tokensPerSecond: float('Tokens learned a second since the run was last taken up, without padding.'),
  etaSeconds: float('Seconds that are left, by the pace so far.'),
  memoryBytes: float('Memory of the train worker in bytes.').meta({ shown: 'BigInt' }),
});

const validation = record('TrainingValidated', 'A measurement on rows for validation.', {
  step: int('The step after which it was made.'),
  loss: float('Mean cross-entropy of the answers’ tokens, in nats.'),
  klToBase: float('Mean divergence from the base model at the answers’ places, in nats: it foretells forgetting.'),
  accuracy: float(
    'Share of rows whose label is the most probable one, 0 to 1; null for other forms of answers.',
  ).nullable(),
  best: boolean('Whether it is the best so far, whose weights are kept.'),
});

const finding = z.object({ ordinal: z.number(), split: z.string(), fault: z.string(), note: z.string() });

const audit = record('TrainingAudited', 'What the supervision audit found before the first step.', {
  examples: int('Answers that were looked at: one a row, of a conversation for training all.'),
  trained: int('Answers that are trained on.'),
  validated: int('Rows that validation is measured on.'),
  counts: z
    .record(z.string(), z.number().int())
    .describe('Number of answers by fault, e.g. `NOTHING_TO_LEARN` or `TOO_LONG`.'),
  findings: z
    .array(finding)
    .describe('At most 100 answers of each fault: `ordinal`, `split`, `fault` and a `note`.')
    .meta({ shown: 'JSON' }),
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
