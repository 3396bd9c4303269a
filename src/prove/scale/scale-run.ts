import { z } from 'zod';
import { record, float } from '../../kernel/record.js';
import { storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';

export const triedScale = record('TriedScale', 'How well a version answered at one scale.', {
  scale: float('What the adapter’s effect was multiplied by.'),
  value: float('The metric of the task that decides, of all rows.'),
});

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
      tried: z.array(triedScale),
    }),
  ),
  pausable: true,
});
export type ScaleChoiceContext = ContextOf<typeof scaleChoice>;
