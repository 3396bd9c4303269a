import { z } from 'zod';
import { storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';

/** Who answers: a variant of a model, alone or with an adapter version. */
const answerer = z.object({ variantId: z.string(), adapterVersionId: z.string().nullable() });
export type Answerer = z.infer<typeof answerer>;

const input = z.object({
  target: answerer,
  /** Whom it is compared with, on the same rows; null for nobody. */
  against: answerer.nullable(),
  datasetVersionId: z.string(),
  split: z.enum(['TRAIN', 'VALIDATION', 'TEST']),
  /** Most rows; more of them in the split are sampled. */
  rows: z.number().int(),
  seed: z.number().int(),
  /** Whether what the adapter forgot is measured, too, and on test rows of which other tasks. */
  retention: z.boolean().default(false),
  others: z.array(z.string()).default([]),
  /** Whether labels are held against a regression on the embedder's vectors and the nearest rows. */
  regression: z.boolean().default(false),
  /** Whether it learns which messages are the version's own, and measures that. */
  foreign: z.boolean().default(false),
});
export type EvaluationInput = z.infer<typeof input>;

export const evaluation = defineRunKind({
  kind: 'EVALUATION',
  description: 'A model, with or without an adapter, answers rows of a dataset version and is measured.',
  subject: 'DatasetVersion',
  input: storedJson(input),
  output: storedJson(z.object({ rows: z.number().int() })),
  /** Rows that are answered and stored. */
  checkpoint: storedJson(z.object({ answered: z.number().int() })),
  pausable: true,
});
export type EvaluationContext = ContextOf<typeof evaluation>;
