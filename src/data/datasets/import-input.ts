import type { ErasedFiles } from './erase-rows.js';
import type { FileMapping } from '../importing/mapping.js';
import type { Split, SplitRule } from '../importing/splits.js';
import type { PreprocessingStep } from '../preprocessing/steps.js';

/** A file of an import as its run keeps it: by id, with a complete mapping. */
export interface ImportFile {
  fileId: string;
  pairId: string | null;
  split: Split | null;
  mapping: FileMapping;
}

/** What the run of `addDatasetVersion` does; everything with a default is filled in. */
export interface AddVersionInput {
  operation: 'add';
  datasetId: string;
  files: ImportFile[];
  /** Whether the rows of the latest version are carried over. */
  extend: boolean;
  steps: PreprocessingStep[];
  /** Null: that of the latest version, or the default. */
  splitRule: SplitRule | null;
  /** Names of feature views. */
  features: string[];
  maxTokens: number;
  minRowsPerLabel: number;
}

/** What the run of `deleteDatasetRows` does. It names rows by place: a person's id would outlive the deletion here. */
export interface DeleteRowsInput {
  operation: 'delete';
  datasetId: string;
  baseId: string;
  places: number[];
  /** Digest of what was asked for, salted by its idempotency key. */
  request: string;
  /** Versions that hold such rows. */
  withdraw: string[];
  reason: string;
}

export type ImportInput = AddVersionInput | DeleteRowsInput;

/** What an import run leaves in its output; only a deletion withdraws versions and erases files. */
export interface ImportOutput extends ErasedFiles {
  /** Null when a deletion left no row. */
  versionId: string | null;
  /** False when the rows were those of an existing version. */
  created: boolean;
  withdrawn: string[];
}
