import { z } from 'zod';
import { storedJson } from '../kernel/stored-json.js';

/** Whether a model words answers from documents better than the best sentence says them, as `compareWordings` found. */
const measuredWording = z.object({
  /** MODEL only where its words are shown to be right more often. */
  better: z.enum(['MODEL', 'QUOTE']),
  /** Questions that were asked. */
  rows: z.number().int(),
  /** Share of them whose right answer stands in the model's words, 0 to 1; refused ones count as wrong. */
  model: z.number(),
  /** The same of the best quote. */
  quote: z.number(),
  /** Model minus quote, with its 95 % interval. */
  difference: z.object({ value: z.number(), low: z.number(), high: z.number() }),
  /** Of the variant that was asked. */
  quantization: z.string(),
  runId: z.string(),
  /** ISO 8601. */
  at: z.string(),
});
export type MeasuredWording = z.infer<typeof measuredWording>;

export const storedWording = storedJson(measuredWording);
