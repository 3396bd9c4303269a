import { record, float } from '../../../kernel/record.js';
import { z } from 'zod';
import { TASK_KINDS } from '../../../sources/data/index.js';
import { storedJson } from '../../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../../platform/runs/index.js';
import { executorName } from '../../../worker-protocol/index.js';
import { recipe } from '../recipes/recipe.js';

export const triedRate = record('TriedRate', 'What a short training at one learning rate came to.', {
  learningRate: float('The learning rate.'),
  validationLoss: float(
    'Mean cross-entropy of the answers’ tokens on rows for validation, in nats; null where the run diverged.',
  ).nullable(),
  klToBase: float(
    'Mean divergence from the base model at the answers’ places, in nats: it foretells forgetting.',
  ).nullable(),
  accuracy: float(
    'Share of rows whose label is the most probable one, 0 to 1; null for other forms of answers.',
  ).nullable(),
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
