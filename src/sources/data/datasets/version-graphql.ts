import { z } from 'zod';
import {
  make,
  toGlobalId,
  type GraphContext,
  objectType,
  ofType,
  nodeType,
  loadRow,
} from '../../../kit/graphql/index.js';
import { record, string, int, boolean, date } from '../../../kernel/record.js';
import type { Data } from '../data.js';
import { splitCounts, versionStatistics, type VersionStatistics } from './making/statistics.js';
import { PreprocessingStep } from './preprocessing/steps.js';
import { unusableReason, versionSource, type VersionRecord } from './dataset.js';
import { toReport, ValidationReportType } from './report-graphql.js';

/** What a version of a dataset says of itself. What its fields lead to is in `version-fields-graphql.ts`. */

const namedCount = record('NamedCount', 'How often something occurs in the usable rows.', {
  name: string('What is counted: an entity type or a language (ISO 639-1).'),
  count: int('How often.'),
});

const datasetStatistics = record('DatasetStatistics', 'Distributions over the usable rows of a version.', {
  ...versionStatistics.shape,
  entityTypes: z.array(namedCount).describe('Entity types, most frequent first; empty for other tasks.'),
  languages: z.array(namedCount).describe('Languages of the rows whose language is sure.'),
});

export const DatasetVersion = nodeType('DatasetVersion', 'An immutable state of a dataset, named by its content.', {
  version: z.int().describe('Number within the dataset, from 1.'),
  digest: string('SHA-256 of its manifest: rows, mapping, split rule and steps. The same content has the same digest.'),
  counts: splitCounts.describe('How many rows it has.'),
  statistics: datasetStatistics.describe('Distributions over its usable rows.'),
  report: ofType(() => ValidationReportType).describe('What was found wrong with it.'),
  usable: boolean('Whether it may be used: trained on where it has rows for that, measured on where it has others.'),
  unusableReason: string('Why it must not be used; null when it may.').nullable(),
  sources: z.array(versionSource).describe('Files that its rows came from.'),
  steps: z
    .array(z.enum(PreprocessingStep))
    .describe('Steps that its texts went through, in order; questions at serving go through the same.'),
  manifest: z.unknown().meta({ shown: 'JSON' }).describe('The manifest whose canonical JSON has the digest.'),
  createdAt: date('When it was made.'),
  record: z.custom<VersionRecord>(),
});
export type DatasetVersion = InstanceType<typeof DatasetVersion>;

export const DatasetDiff = objectType('DatasetDiff', 'How one version differs from another.', {
  added: z.int().describe('Rows that only this version has.'),
  removed: z.int().describe('Rows that only the other version has.'),
  changed: z.int().describe('Rows that both have, with other content or in another split.'),
  unchanged: z.int().describe('Rows that are the same in both.'),
  before: z.custom<VersionRecord>(),
  after: z.custom<VersionRecord>(),
});
export type DatasetDiff = InstanceType<typeof DatasetDiff>;

const toStatistics = (statistics: VersionStatistics): z.infer<typeof datasetStatistics> => ({
  ...statistics,
  entityTypes: statistics.entityTypes.map(({ type, count }) => ({ name: type, count })),
  languages: statistics.languages.map(({ language, rows }) => ({ name: language, count: rows })),
});

export function toVersion(record: VersionRecord): DatasetVersion {
  const reason = unusableReason(record);
  return make(DatasetVersion, {
    ...record,
    id: toGlobalId('DatasetVersion', record.id),
    statistics: toStatistics(record.statistics),
    report: toReport(record.report, record.sources),
    usable: reason === null,
    unusableReason: reason,
    steps: [...record.manifest.steps],
    record,
  });
}

/** A version by row id, batched over the request. */
export async function loadVersion(
  context: GraphContext,
  data: Data,
  id: string | null,
): Promise<DatasetVersion | null> {
  const row = await loadRow(context, 'data.versionsById', id, (ids) =>
    data.store.versionsByIds(context.workspaceId, ids),
  );
  return row && toVersion(row);
}
