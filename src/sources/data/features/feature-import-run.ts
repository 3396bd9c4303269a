import { z } from 'zod';
import { storedJson } from '../../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../../platform/runs/index.js';

const featureImportInput = z.object({
  view: z.string(),
  fileId: z.string(),
  /** Names of the columns that are no values. */
  columns: z.object({
    entity: z.string(),
    eventTime: z.string(),
    /** Null: the rows are known as of the moment when the run was asked for. */
    createdTime: z.string().nullable(),
  }),
});
export type FeatureImportInput = z.infer<typeof featureImportInput>;
export type FeatureColumns = FeatureImportInput['columns'];

/** Rows of the file that were written, and how many of them were new. */
const writtenRows = z.object({ rows: z.number(), added: z.number() });
export type WrittenRows = z.infer<typeof writtenRows>;

export const importingFeatures = defineRunKind({
  kind: 'FEATURE_IMPORT',
  description: 'The rows of a file are checked and added to a feature view.',
  subject: 'FeatureView',
  input: storedJson(featureImportInput),
  output: storedJson(writtenRows),
  checkpoint: storedJson(writtenRows),
});
export type FeatureImportContext = ContextOf<typeof importingFeatures>;
