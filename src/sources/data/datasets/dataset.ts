import { z } from 'zod';
import { badInput } from '../../../kernel/errors.js';
import { digestOf, type Sha256 } from '../../../kernel/hashing.js';
import { record, string } from '../../../kernel/record.js';
import { storedJson } from '../../../kernel/stored-json.js';
import { checkedText } from '../../../kernel/text.js';
import type { Prisma } from '../../../platform/database/index.js';
import { fileMapping } from './importing/mapping.js';
import { Split, splitRule, type SplitRule } from './importing/splits.js';
import { splitCounts, versionStatistics, type SplitCounts, type VersionStatistics } from './making/statistics.js';
import { PreprocessingStep } from './preprocessing/steps.js';
import { TaskKind } from './tasks/index.js';
import { Severity, validationReport, type ValidationReport } from './validation/index.js';

export type DatasetRecord = Prisma.DatasetGetPayload<object> & { task: TaskKind };
export type RowGroupRecord = Prisma.DatasetRowGroupGetPayload<object>;

export const versionSource = record('VersionSourceType', 'A file that rows of a version came from.', {
  name: string('Its name.'),
  sha256: string('SHA-256 of its bytes.'),
  rows: z.number().nullable(),
});
export type VersionSource = z.infer<typeof versionSource>;

/** A version with its JSON columns as what they are. */
export interface VersionRecord {
  id: string;
  workspaceId: string;
  datasetId: string;
  version: number;
  digest: string;
  manifest: VersionManifest;
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

/** What rows that Graft made itself were made of. */
const versionOrigin = z.object({
  /** Left out where they hold no text of a collection's documents as a whole. */
  collection: z
    .object({
      id: z.string(),
      name: z.string(),
      /** Its state then: see `CollectionStore.state`. */
      digest: z.string(),
      /** Names of its documents whose text the rows hold. */
      documents: z.array(z.string()),
    })
    .optional(),
  /** Id and digest of the version whose questions they ask; null where they were made, too. */
  questions: z.object({ versionId: z.string(), digest: z.string() }).nullable().optional(),
  /** How many of them people demonstrated or confirmed as answers to questions. */
  feedback: z.object({ rows: z.number().int() }).optional(),
});
export type VersionOrigin = z.infer<typeof versionOrigin>;

/** Labels that mean something else than in the rows that were carried over; without one, those rows are left out. */
export const revision = z.object({
  labels: z.array(z.object({ from: z.string(), to: z.string().nullable() })),
});

/** Everything that a version is: its digest is the version's. Names of files and the time are no part of it. */
const manifest = z.object({
  format: z.literal(1),
  task: z.enum(TaskKind),
  settings: z.object({
    labels: z.array(z.string()),
    maxTokens: z.number(),
    minRowsPerLabel: z.number(),
    language: z.string().nullable(),
  }),
  splitRule,
  steps: z.array(z.enum(PreprocessingStep)),
  files: z.array(
    z.object({
      sha256: z.string(),
      pair: z.string().nullable(),
      split: z.enum(Split).nullable(),
      mapping: fileMapping,
    }),
  ),
  /** Digest of the version whose rows were carried over, and how many of those were left out. */
  base: z
    .object({
      digest: z.string(),
      leftOut: z.number(),
      /** Left out where they stand beside the new rows as they were. */
      revision: revision.optional(),
    })
    .nullable(),
  features: z.array(z.object({ view: z.string(), ttlMs: z.number().nullable() })),
  rowGroups: z.array(z.object({ sha256: z.string(), rows: z.number(), quarantined: z.boolean() })),
  /** Left out where the rows were imported. */
  origin: versionOrigin.optional(),
});
export type VersionManifest = z.infer<typeof manifest>;

/** The JSON columns of a version. */
export const storedVersion = {
  manifest: storedJson(manifest),
  sources: storedJson(z.array(versionSource)),
  counts: storedJson(splitCounts),
  statistics: storedJson(versionStatistics),
  report: storedJson(validationReport),
};

export const manifestDigest = (manifest: VersionManifest): Sha256 => digestOf(manifest);

/** Why a version must neither be trained nor measured on, or null. */
export function unusableReason(
  version: Pick<VersionRecord, 'withdrawnReason' | 'withdrawnAt' | 'openErrors' | 'counts' | 'report'>,
): string | null {
  if (version.withdrawnAt) return version.withdrawnReason;
  if (version.openErrors > 0) {
    const open = version.report.problems.filter((p) => p.severity === Severity.ERROR && p.findings.length > 0);
    const messages = open.flatMap((p) => p.findings.map((f) => f.message));
    return messages.length > 0 ? messages.join(' ') : 'Every row has an error.';
  }
  const { train, validation, test } = version.counts;
  return train + validation + test === 0 ? 'It has no usable row.' : null;
}

/** @throws BAD_USER_INPUT on empty, repeated or overlong labels */
export function checkedLabels(labels: readonly string[], field: string): string[] {
  if (labels.length > 10_000) throw badInput(field, `${field} has ${labels.length} labels; at most 10,000 are taken.`);
  const texts = labels.map((label, i) => checkedText(label, `${field}.${i}`, 200));
  const twice = texts.find((label, i) => texts.indexOf(label) !== i);
  if (twice !== undefined) throw badInput(field, `${field} has ${JSON.stringify(twice)} twice.`);
  return texts;
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
