import { z } from 'zod';
import { storedJson } from '../../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../../platform/runs/index.js';
import { ExportFormat } from './export-rows.js';

const exportInput = z.object({
  versionId: z.string(),
  format: z.enum(ExportFormat),
  /** As `RowFilter`: null and left out are any. */
  filter: z.object({
    split: z.string().nullish(),
    label: z.string().nullish(),
    contains: z.string().nullish(),
    problem: z.string().nullish(),
    quarantined: z.boolean().nullish(),
    language: z.string().nullish(),
    subject: z.string().nullish(),
  }),
});

const exportOutput = z.object({ fileId: z.string(), rows: z.number() });
export type ExportOutput = z.infer<typeof exportOutput>;

export const exporting = defineRunKind({
  kind: 'DATASET_EXPORT',
  description: 'Rows of a dataset version are written into a file that can be downloaded.',
  subject: 'DatasetVersion',
  input: storedJson(exportInput),
  output: storedJson(exportOutput),
});
export type ExportContext = ContextOf<typeof exporting>;
