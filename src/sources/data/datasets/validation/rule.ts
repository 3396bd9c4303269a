import { z } from 'zod';
import { choice, record, string, float } from '../../../../kernel/record.js';
import type { TaskKind, TaskRow } from '../tasks/index.js';
import type { SplitRule } from '../importing/splits.js';
import type { TableEngine } from '../storage/duckdb.js';

/** An error keeps its rows out of training; a warning and a hint leave them in. */
export const Severity = choice('ProblemSeverity', 'How bad a problem is.', {
  ERROR: 'Its rows are kept out of training (quarantined).',
  WARNING: 'Its rows stay; look at them.',
  INFO: 'Worth knowing.',
});
export type Severity = keyof typeof Severity;

/** What a rule is, apart from how it looks. */
export interface ValidationRule {
  /** Stable name, e.g. `near-duplicate`. */
  readonly id: string;
  readonly severity: Severity;
  /** One sentence: what is wrong with the rows that it names. */
  readonly meaning: string;
  /** What its owner can do. */
  readonly cure: string;
  /**
   * Which rows an error quarantines: all that it names, or all but those of the test split. Rules on quality spare the
   * test split, so that a public test set stays whole and comparable.
   */
  readonly spares?: 'test';
}

/** What the rules go by; recorded in the version. */
export interface ValidationSettings {
  task: TaskKind;
  /** The labels that the dataset declares; empty when it declares none. */
  labels: readonly string[];
  /** Longest example in tokens of the model. */
  maxTokens: number;
  /** A label with fewer rows for training than this is reported. */
  minRowsPerLabel: number;
  /** The dataset's language (ISO 639-1), or null for the one that most rows have. */
  language: string | null;
}

/** Tokens of each text by the model that will be trained; an upper bound may stand in for it. */
export type TokenCounter = (texts: string[]) => Promise<number[]>;

/** Looks at one row as it is read. */
export interface RowRule extends ValidationRule {
  /** A note that says what is wrong, or null. It may quote the row: notes are masked before they are shown. */
  check(row: TaskRow, settings: ValidationSettings): string | null;
}

/** It concerns the version and no row alone. */
export const versionFinding = record('VersionFindingType', 'Something that a rule found on the version as a whole.', {
  rule: z.string(),
  message: string('What was found.'),
  subject: string('Field, label or split that it is about.').nullable(),
  value: float('The figure behind it, e.g. a ratio or a stability index.').nullable(),
});
export type VersionFinding = z.infer<typeof versionFinding>;

/** The rows of the version being made, in DuckDB: tables `rows` and `flags` (see src/sources/data/datasets/rows/row-table.ts). */
export interface Tables {
  engine: TableEngine;
  settings: ValidationSettings;
  /** By which rows without a given split got theirs. */
  splitRule: SplitRule;
  countTokens: TokenCounter | null;
  /** Row groups of the version that this one follows, or null. */
  parent: readonly string[] | null;
  signal: AbortSignal;
}

/** Looks at all rows together: writes into `flags`, and returns what concerns the version as a whole. */
export interface TableRule {
  readonly rules: readonly ValidationRule[];
  inspect(tables: Tables): Promise<VersionFinding[]>;
}
