import { z } from 'zod';
import { storedJson } from '../../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../../platform/runs/index.js';
import { fileMapping } from './importing/mapping.js';
import { Split, splitRule } from './importing/splits.js';
import { PreprocessingStep } from './preprocessing/steps.js';
import { revision } from './dataset.js';

/** A file of an import as its run keeps it: by id, with a complete mapping. */
const importFile = z.object({
  fileId: z.string(),
  pairId: z.string().nullable(),
  split: z.enum(Split).nullable(),
  mapping: fileMapping,
});
export type ImportFile = z.infer<typeof importFile>;

/** What the run of `addDatasetVersion` does; everything with a default is filled in. */
const addVersionInput = z.object({
  operation: z.literal('add'),
  datasetId: z.string(),
  files: z.array(importFile),
  /** Whether the rows of the latest version are carried over. */
  extend: z.boolean(),
  /** Null: those of the version that is extended, or none. */
  steps: z.array(z.enum(PreprocessingStep)).nullable(),
  /** Null: that of the latest version, or the default. */
  splitRule: splitRule.nullable(),
  /** Names of feature views; null: those of the version that is extended, or none. */
  features: z.array(z.string()).nullable(),
  maxTokens: z.number(),
  minRowsPerLabel: z.number(),
  /** What newer rows say of those that are carried over; left out where they stand side by side. */
  revision: revision.optional(),
});
export type AddVersionInput = z.infer<typeof addVersionInput>;

/** What the run of `deleteDatasetRows` does. It names rows by place: a person's id would outlive the deletion here. */
const deleteRowsInput = z.object({
  operation: z.literal('delete'),
  datasetId: z.string(),
  /** Null where no version has such a row, but something else was deleted with the person. */
  baseId: z.string().nullable(),
  places: z.array(z.number()),
  /** Digest of what was asked for, salted by its idempotency key. */
  request: z.string(),
  /** Versions that hold such rows. */
  withdraw: z.array(z.string()),
  reason: z.string(),
});
export type DeleteRowsInput = z.infer<typeof deleteRowsInput>;

/** What an import run leaves in its output; only a deletion withdraws versions and erases files. */
const importOutput = z.object({
  /** Null when a deletion left no row. */
  versionId: z.string().nullable(),
  /** False when the rows were those of an existing version. */
  created: z.boolean(),
  withdrawn: z.array(z.string()),
  /** Names of uploads and exports that were deleted. */
  deletedFiles: z.array(z.string()),
  /** Files that stay because other data are made of them, and which. */
  keptFiles: z.array(z.object({ fileId: z.string(), reason: z.string() })),
});
export type ImportOutput = z.infer<typeof importOutput>;

export const importing = defineRunKind({
  kind: 'IMPORT',
  description: 'Files are read and checked, and a dataset gets a new version.',
  subject: 'Dataset',
  input: storedJson(z.discriminatedUnion('operation', [addVersionInput, deleteRowsInput])),
  output: storedJson(importOutput),
});
export type ImportContext = ContextOf<typeof importing>;
