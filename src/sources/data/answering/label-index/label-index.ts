import { z } from 'zod';
import { storedJson } from '../../../../kernel/stored-json.js';
import type { Prisma } from '../../../../platform/database/index.js';

/** How the rows vote, chosen when they were indexed. */
const labelFit = z.object({
  /** All labels of the rows, in order. */
  labels: z.array(z.string()),
  rule: z.object({ temperature: z.number(), smoothing: z.number() }),
  /** Rows that the rule was chosen on, each among the others. */
  texts: z.number().int(),
  /** Share of them that their neighbours label rightly, 0 to 1. */
  accuracy: z.number(),
});
type LabelFit = z.infer<typeof labelFit>;
/** The column `fit` of a label index. */
export const storedLabelFit = storedJson(labelFit);

/**
 * How much adapter and neighbours say together: p(label) is proportional to p_adapter ^ adapter · p_neighbours ^ neighbours, a
 * log-linear pool (Heskes 1998) whose weights were fitted on rows for validation.
 */
export const blend = z.object({
  adapter: z.number(),
  neighbours: z.number(),
  /** Rows that the weights were fitted on; 0: they are not fitted, and both count the same. */
  rows: z.number().int(),
});
export type Blend = z.infer<typeof blend>;
export const UNFITTED: Blend = { adapter: 1, neighbours: 1, rows: 0 };
/** The column `weights` of a label blend. */
export const storedBlend = storedJson(blend);

/** The labelled rows of a dataset version as vectors. */
export type LabelIndexRecord = Omit<Prisma.LabelIndexGetPayload<object>, 'fit'> & { fit: LabelFit };
