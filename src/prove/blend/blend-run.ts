import { z } from 'zod';
import { blend } from '../../sources/data/index.js';
import { storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';

export const hybridFit = defineRunKind({
  kind: 'HYBRID_FIT',
  description:
    'How much an adapter and the nearest labelled rows count together is fitted on rows for validation, and used from then on.',
  subject: 'AdapterVersion',
  input: storedJson(
    z.object({
      adapterVersionId: z.string(),
      datasetVersionId: z.string(),
      rows: z.number().int(),
      seed: z.number().int(),
    }),
  ),
  output: storedJson(
    z.object({
      weights: blend,
      /** Shares of the rows that were labelled rightly, 0 to 1. */
      accuracy: z.object({ adapter: z.number(), neighbours: z.number(), both: z.number() }),
    }),
  ),
  pausable: true,
});
export type HybridFitContext = ContextOf<typeof hybridFit>;
