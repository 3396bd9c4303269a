import { Field, Float, Int, ObjectType } from 'type-graphql';
import {
  DateTime,
  JsonScalar,
  inOrder,
  make,
  NodeType,
  toGlobalId,
  type GraphContext,
} from '../../graphql-kit/index.js';
import type { Data } from '../data.js';
import type { SplitCounts, VersionStatistics } from './making/statistics.js';
import { PreprocessingStep } from './preprocessing/steps.js';
import { unusableReason, type VersionRecord } from './dataset.js';
import { toReport, ValidationReportType } from './report-graphql.js';

/** What a version of a dataset says of itself. What its fields lead to is in `version-fields-graphql.ts`. */

@ObjectType('SplitCounts', { description: 'Number of usable rows by split, and of those kept out.' })
export class SplitCountsType implements SplitCounts {
  @Field(() => Int, { description: 'Rows for training.' })
  train!: number;

  @Field(() => Int, { description: 'Rows for choosing between checkpoints.' })
  validation!: number;

  @Field(() => Int, { description: 'Rows for measuring.' })
  test!: number;

  @Field(() => Int, { description: 'Rows that are kept out because of errors.' })
  quarantined!: number;
}

@ObjectType({ description: 'Number of usable rows with a label.' })
export class LabelCount {
  @Field(() => String, { description: 'The label.' })
  label!: string;

  @Field(() => Int, { description: 'Rows for training.' })
  train!: number;

  @Field(() => Int, { description: 'Rows for choosing between checkpoints.' })
  validation!: number;

  @Field(() => Int, { description: 'Rows for measuring.' })
  test!: number;
}

@ObjectType({ description: 'How often something occurs in the usable rows.' })
export class NamedCount {
  @Field(() => String, { description: 'What is counted: an entity type or a language (ISO 639-1).' })
  name!: string;

  @Field(() => Int, { description: 'How often.' })
  count!: number;
}

@ObjectType({ description: 'Lengths of a field over the usable rows, in characters.' })
export class LengthStatistics {
  @Field(() => String, { description: 'The field.' })
  field!: string;

  @Field(() => Float, { description: 'The mean.' })
  mean!: number;

  @Field(() => Float, { description: 'Half of the rows are shorter.' })
  median!: number;

  @Field(() => Float, { description: '95 % of the rows are shorter.' })
  p95!: number;

  @Field(() => Float, { description: 'The longest.' })
  max!: number;
}

@ObjectType({ description: 'Distributions over the usable rows of a version.' })
export class DatasetStatistics {
  @Field(() => [LabelCount], { description: 'The labels, most frequent first; at most 1,000.' })
  labels!: LabelCount[];

  @Field(() => [NamedCount], { description: 'Entity types, most frequent first; empty for other tasks.' })
  entityTypes!: NamedCount[];

  @Field(() => [NamedCount], { description: 'Languages of the rows whose language is sure.' })
  languages!: NamedCount[];

  @Field(() => [LengthStatistics], { description: 'Lengths of the text.' })
  lengths!: LengthStatistics[];

  @Field(() => Int, { description: 'Rows that the step DEDUPLICATE removed.' })
  deduplicated!: number;
}

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
  counts!: SplitCountsType;

  @Field(() => DatasetStatistics, { description: 'Distributions over its usable rows.' })
  statistics!: DatasetStatistics;

  @Field(() => ValidationReportType, { description: 'What was found wrong with it.' })
  report!: ValidationReportType;

  @Field(() => Boolean, { description: 'Whether it may be trained on.' })
  usable!: boolean;

  @Field(() => String, { nullable: true, description: 'Why it must not be trained on; null when it may.' })
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
