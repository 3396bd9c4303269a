import { z } from 'zod';
import { TASK_KINDS } from '../../data/index.js';
import { storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';
import { executorName } from '../../worker-protocol/index.js';
import { recipe } from '../recipes/recipe.js';

/** What a short run at one learning rate came to. */
const triedRate = z.object({
  learningRate: z.number(),
  /** Nats a token on rows for validation; null where the run diverged. */
  validationLoss: z.number().nullable(),
  /** Divergence from the base model at the same places, in nats. */
  klToBase: z.number().nullable(),
  /** Share of rows whose label is the most probable one; null without label tokens. */
  accuracy: z.number().nullable(),
});
export type TriedRate = z.infer<typeof triedRate>;

export const learningRateSearch = defineRunKind({
  kind: 'LEARNING_RATE_SEARCH',
  description: 'A few short trainings find the learning rate that serves a dataset version best.',
  subject: 'DatasetVersion',
  input: storedJson(
    z.object({
      task: z.enum(TASK_KINDS),
      datasetVersionId: z.string(),
      modelId: z.string(),
      variantId: z.string(),
      recipe,
      rates: z.array(z.number()),
      /** Of each short run. */
      steps: z.number().int(),
    }),
  ),
  output: storedJson(z.object({ learningRate: z.number(), tried: z.array(triedRate) })),
  /** The rates that are done. */
  checkpoint: storedJson(z.object({ tried: z.array(triedRate), executor: executorName })),
  events: { tried: storedJson(triedRate) },
  occupies: 'train-worker',
});
export type LearningRateSearchContext = ContextOf<typeof learningRateSearch>;
