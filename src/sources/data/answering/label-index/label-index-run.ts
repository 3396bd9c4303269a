import { z } from 'zod';
import { storedJson } from '../../../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../../../platform/runs/index.js';

const place = z.object({
  /** Id of the index in the making, and of its vectors. */
  indexId: z.string(),
  /** The last row whose vector is stored; 0 before the first. */
  ordinal: z.number().int(),
  rows: z.number().int(),
});

export const labelIndexing = defineRunKind({
  kind: 'LABEL_INDEXING',
  description: 'The labelled rows of a dataset version are embedded, so that those nearest to a text say its label.',
  subject: 'DatasetVersion',
  input: storedJson(z.object({ datasetVersionId: z.string() })),
  output: storedJson(z.object({ indexId: z.string(), rows: z.number().int(), accuracy: z.number() })),
  checkpoint: storedJson(place),
  pausable: true,
});
export type LabelIndexingContext = ContextOf<typeof labelIndexing>;
