import { z } from 'zod';
import { splitRule, TASK_KINDS } from '../../sources/data/index.js';
import { recipeOverrides } from '../../learn/training/index.js';
import { anyJson, storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf, type RunRow } from '../../platform/runs/index.js';

const tuningInput = z.object({
  /** Name of the adapter, and of the dataset that its rows come into. */
  name: z.string(),
  task: z.enum(TASK_KINDS),
  /** Row ids of files. */
  files: z.array(z.string()),
  validationFiles: z.array(z.string()),
  /** Null: a tenth each for test and validation, the latter unless files are for it. */
  splitRule: splitRule.nullable(),
  /** Name of the base model that is trained. */
  model: z.string(),
  recipe: recipeOverrides,
  /** The request that began it, where an address beside GraphQL did: it is shown again as it was sent. */
  request: anyJson.nullable(),
});
export type TuningInput = z.infer<typeof tuningInput>;

/** What came about so far, as row ids. */
const tuningState = z.object({
  datasetVersionId: z.string().nullable(),
  trainingRunId: z.string().nullable(),
  adapterVersionId: z.string().nullable(),
  /** What the version is measured beside, by name; null: the base model. Left out until that is chosen: production may move meanwhile. */
  against: z.string().nullable().optional(),
  /** The version in production, where it is measured beside the base model because that one learned every test row. */
  insteadOf: z.string().nullable().optional(),
});
export type TuningState = z.infer<typeof tuningState>;

const tuningOutput = z.object({
  ...tuningState.shape,
  evaluationId: z.string(),
  /** Whether the gate would let it answer as candidate. */
  passed: z.boolean(),
  /** What the gate found and what was measured, in sentences; the gate’s verdict is the last. */
  findings: z.array(z.string()),
});

export const fineTuning = defineRunKind({
  kind: 'FINE_TUNING',
  description:
    'Files of rows become a version of an adapter that is shown to act and measured beside what it would replace.',
  subject: 'Dataset',
  input: storedJson(tuningInput),
  output: storedJson(tuningOutput),
  checkpoint: storedJson(tuningState),
  // It mostly waits for other runs.
  concurrency: 20,
  attempts: 50,
  pausable: true,
});
export type TuningContext = ContextOf<typeof fineTuning>;
export type TuningOutput = z.infer<typeof tuningOutput>;

/** What came about so far of a run: its checkpoint goes when it has ended well. */
export const stateOf = (row: Pick<RunRow, 'checkpoint' | 'output'>): TuningState =>
  fineTuning.outputOf(row) ?? fineTuning.checkpointOf(row) ?? NOTHING_YET;

export const NOTHING_YET: TuningState = { datasetVersionId: null, trainingRunId: null, adapterVersionId: null };
