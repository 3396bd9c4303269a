import { badInput } from '../../kernel/errors.js';
import { digestOf, type Sha256 } from '../../kernel/hashing.js';
import { checkedText } from '../../kernel/text.js';
import type { Prisma } from '../../platform/database/index.js';
import type { FileMapping } from '../importing/mapping.js';
import type { Split, SplitRule } from '../importing/splits.js';
import type { SplitCounts, VersionStatistics } from '../making/statistics.js';
import type { PreprocessingStep } from '../preprocessing/steps.js';
import type { TaskKind } from '../tasks/index.js';
import { Severity, type ValidationReport, type ValidationSettings } from '../validation/index.js';

export type DatasetRecord = Prisma.DatasetGetPayload<object> & { task: TaskKind };
export type RowGroupRecord = Prisma.DatasetRowGroupGetPayload<object>;

/** A file that rows came from. */
export interface VersionSource {
  name: string;
  sha256: string;
  rows: number | null;
}

/** A version with its JSON columns as what they are. */
export interface VersionRecord {
  id: string;
  workspaceId: string;
  datasetId: string;
  version: number;
  digest: string;
  manifest: Manifest;
  sources: VersionSource[];
  counts: SplitCounts;
  statistics: VersionStatistics;
  report: ValidationReport;
  openErrors: number;
  withdrawnAt: Date | null;
  withdrawnReason: string | null;
  withdrawnBy: string | null;
  createdAt: Date;
}

/** Everything that a version is: its digest is the version's. Names of files and the time are no part of it. */
export interface Manifest {
  format: 1;
  task: TaskKind;
  settings: Omit<ValidationSettings, 'task'>;
  splitRule: SplitRule;
  steps: readonly PreprocessingStep[];
  files: readonly { sha256: string; pair: string | null; split: Split | null; mapping: FileMapping }[];
  /** Digest of the version whose rows were carried over, and how many of those were left out. */
  base: { digest: string; leftOut: number } | null;
  features: readonly { view: string; ttlMs: number | null }[];
  rowGroups: readonly { sha256: string; rows: number; quarantined: boolean }[];
}

export const manifestDigest = (manifest: Manifest): Sha256 => digestOf(manifest);

/** Why a version must not be trained on, or null. */
export function unusableReason(
  version: Pick<VersionRecord, 'withdrawnReason' | 'withdrawnAt' | 'openErrors' | 'counts' | 'report'>,
): string | null {
  if (version.withdrawnAt) return version.withdrawnReason;
  if (version.openErrors > 0) {
    const open = version.report.problems.filter((p) => p.severity === Severity.ERROR && p.findings.length > 0);
    const messages = open.flatMap((p) => p.findings.map((f) => f.message));
    return messages.length > 0 ? messages.join(' ') : 'Every row has an error.';
  }
  return version.counts.train === 0 ? 'It has no row for training.' : null;
}

/** @throws BAD_USER_INPUT on empty, repeated or overlong labels */
export function checkedLabels(labels: readonly string[], field: string): string[] {
  if (labels.length > 10_000) throw badInput(field, `${field} has ${labels.length} labels; at most 10,000 are taken.`);
  const checked = labels.map((label, i) => checkedText(label, `${field}.${i}`, 200));
  const twice = checked.find((label, i) => checked.indexOf(label) !== i);
  if (twice !== undefined) throw badInput(field, `${field} has ${JSON.stringify(twice)} twice.`);
  return checked;
}

/** @throws BAD_USER_INPUT unless both shares are 0 or more and leave something for training */
export function checkedSplitRule(rule: SplitRule, field: string): SplitRule {
  const { validation, test } = rule;
  if (!(validation >= 0 && test >= 0 && validation + test < 1))
    throw badInput(field, 'validation and test must be 0 or more, and less than 1 together.');
  return { seed: checkedText(rule.seed, `${field}.seed`, 100), validation, test };
}

/** @throws BAD_USER_INPUT unless it is an ISO 639-1 code */
export function checkedLanguage(language: string | null | undefined, field: string): string | null {
  if (language === null || language === undefined) return null;
  if (!/^[a-z]{2}$/.test(language)) throw badInput(field, `${field} must be an ISO 639-1 code like "en".`);
  return language;
}
