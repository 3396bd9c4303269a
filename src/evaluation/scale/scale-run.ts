import { z } from 'zod';
import { storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';

export const scaleChoice = defineRunKind({
  kind: 'SCALE_CHOICE',
  description:
    'An adapter version answers rows for validation at several strengths, and gets the one that answers best.',
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
      scale: z.number(),
      metric: z.string(),
      tried: z.array(z.object({ scale: z.number(), value: z.number() })),
    }),
  ),
  pausable: true,
});
export type ScaleChoiceContext = ContextOf<typeof scaleChoice>;
