import { Field, Int, ObjectType } from 'type-graphql';
import { z } from 'zod';
import {
  DateTime,
  JsonScalar,
  inOrder,
  make,
  NodeType,
  toGlobalId,
  type GraphContext,
  recordType,
} from '../../graphql-kit/index.js';
import { record } from '../../kernel/record.js';
import type { Data } from '../data.js';
import { splitCounts, versionStatistics, type SplitCounts, type VersionStatistics } from './making/statistics.js';
import { PreprocessingStep } from './preprocessing/steps.js';
import { unusableReason, type VersionRecord } from './dataset.js';
import { toReport, ValidationReportType } from './report-graphql.js';

/** What a version of a dataset says of itself. What its fields lead to is in `version-fields-graphql.ts`. */

const SplitCountsType = recordType(splitCounts);

const namedCount = record('NamedCount', 'How often something occurs in the usable rows.', {
  name: z.string().describe('What is counted: an entity type or a language (ISO 639-1).'),
  count: z.number().int().describe('How often.'),
});

const DatasetStatistics = recordType(
  record('DatasetStatistics', 'Distributions over the usable rows of a version.', {
    ...versionStatistics.shape,
    entityTypes: z.array(namedCount).describe('Entity types, most frequent first; empty for other tasks.'),
    languages: z.array(namedCount).describe('Languages of the rows whose language is sure.'),
  }),
);
type DatasetStatistics = InstanceType<typeof DatasetStatistics>;

@ObjectType({ description: 'A file that rows of a version came from.' })
export class VersionSourceType {
  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => String, { description: 'SHA-256 of its bytes.' })
  sha256!: string;
}

@ObjectType({ implements: NodeType, description: 'An immutable state of a dataset, named by its content.' })
export class DatasetVersion extends NodeType {
  @Field(() => Int, { description: 'Number within the dataset, from 1.' })
  version!: number;

  @Field(() => String, {
    description: 'SHA-256 of its manifest: rows, mapping, split rule and steps. The same content has the same digest.',
  })
  digest!: string;

  @Field(() => SplitCountsType, { description: 'How many rows it has.' })
  counts!: SplitCounts;

  @Field(() => DatasetStatistics, { description: 'Distributions over its usable rows.' })
  statistics!: DatasetStatistics;

  @Field(() => ValidationReportType, { description: 'What was found wrong with it.' })
  report!: ValidationReportType;

  @Field(() => Boolean, {
    description: 'Whether it may be used: trained on where it has rows for that, measured on where it has others.',
  })
  usable!: boolean;

  @Field(() => String, { nullable: true, description: 'Why it must not be used; null when it may.' })
  unusableReason!: string | null;

  @Field(() => [VersionSourceType], { description: 'Files that its rows came from.' })
  sources!: VersionSourceType[];

  @Field(() => [PreprocessingStep], {
    description: 'Steps that its texts went through, in order; questions at serving go through the same.',
  })
  steps!: PreprocessingStep[];

  @Field(() => JsonScalar, { description: 'The manifest whose canonical JSON has the digest.' })
  manifest!: unknown;

  @Field(() => DateTime, { description: 'When it was made.' })
  createdAt!: Date;

  record!: VersionRecord;
}

@ObjectType({ description: 'How one version differs from another.' })
export class DatasetDiff {
  @Field(() => Int, { description: 'Rows that only this version has.' })
  added!: number;

  @Field(() => Int, { description: 'Rows that only the other version has.' })
  removed!: number;

  @Field(() => Int, { description: 'Rows that both have, with other content or in another split.' })
  changed!: number;

  @Field(() => Int, { description: 'Rows that are the same in both.' })
  unchanged!: number;

  before!: VersionRecord;
  after!: VersionRecord;
}

const toStatistics = (statistics: VersionStatistics): DatasetStatistics => ({
  ...statistics,
  entityTypes: statistics.entityTypes.map(({ type, count }) => ({ name: type, count })),
  languages: statistics.languages.map(({ language, rows }) => ({ name: language, count: rows })),
});

export function toVersion(record: VersionRecord): DatasetVersion {
  const reason = unusableReason(record);
  return make(DatasetVersion, {
    id: toGlobalId('DatasetVersion', record.id),
    version: record.version,
    digest: record.digest,
    counts: record.counts,
    statistics: toStatistics(record.statistics),
    report: toReport(record.report, record.sources),
    usable: reason === null,
    unusableReason: reason,
    sources: record.sources,
    steps: [...record.manifest.steps],
    manifest: record.manifest,
    createdAt: record.createdAt,
    record,
  });
}

/** A version by row id, batched over the request. */
export async function loadVersion(context: GraphContext, data: Data, id: string): Promise<DatasetVersion | null> {
  const loader = context.loader<string, VersionRecord>('data.versionsById', async (ids) =>
    inOrder(ids, await data.store.versionsByIds(context.workspaceId, ids)),
  );
  const row = await loader.load(id);
  return row && toVersion(row);
}
