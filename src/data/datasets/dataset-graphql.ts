import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  Float,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import {
  connectionTypes,
  ConnectionArgs,
  cost,
  DateTime,
  fromGlobalId,
  JsonScalar,
  mapPage,
  NodeType,
  toConnection,
  toGlobalId,
  type ConnectionOf,
  type GraphContext,
  type NodeRegistry,
} from '../../graphql-kit/index.js';
import { badInput } from '../../kernel/errors.js';
import { encodeCursor, type Page } from '../../kernel/pagination.js';
import type { Data } from '../data.js';
import { Split } from '../importing/splits.js';
import type { SplitCounts, VersionStatistics } from '../making/statistics.js';
import { PreprocessingStep } from '../preprocessing/steps.js';
import { TaskKind } from '../tasks/task-kinds.js';
import { unusableReason, type DatasetRecord, type VersionRecord } from './dataset.js';
import { toReport, ValidationReportType } from './report-graphql.js';
import {
  DatasetRow,
  RowChangeType,
  RowFilterInput,
  RowOrderInput,
  RowSort,
  toDatasetRow,
  toRowChange,
} from './row-graphql.js';
import { changeCursor, rowCursor, type RowOrder } from './version-rows.js';

@ObjectType({ implements: NodeType, description: 'Examples of one task, in immutable versions.' })
export class Dataset extends NodeType {
  @Field(() => String, { description: 'Unique in the workspace.' })
  name!: string;

  @Field(() => String, { description: 'What it is, in the words of who made it; empty by default.' })
  description!: string;

  @Field(() => TaskKind, { description: 'What it teaches.' })
  task!: TaskKind;

  @Field(() => [String], { description: 'The labels that rows may have; empty when any may.' })
  labels!: string[];

  @Field(() => String, { nullable: true, description: 'Language of its texts (ISO 639-1); null when the rows decide.' })
  language!: string | null;

  @Field(() => DateTime, { description: 'When it was created.' })
  createdAt!: Date;

  rowId!: string;
}

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

const { Connection: DatasetConnection } = connectionTypes(Dataset);
const { Connection: DatasetVersionConnection } = connectionTypes(DatasetVersion);
const { Connection: DatasetRowConnection } = connectionTypes(DatasetRow);
const { Connection: RowChangeConnection } = connectionTypes(RowChangeType, 'RowChange');

@ArgsType()
class RowsArgs extends ConnectionArgs {
  @Field(() => Split, { nullable: true, description: 'Only rows of this split.' })
  split?: Split | null;

  @Field(() => RowFilterInput, { nullable: true, description: 'Only rows that pass it.' })
  filter?: RowFilterInput | null;

  @Field(() => RowOrderInput, { nullable: true, description: 'By place when left out.' })
  order?: RowOrderInput | null;
}

@InputType({ description: 'A new dataset.' })
export class CreateDatasetInput {
  @Field(() => String, {
    description: 'Unique in the workspace: 1 to 63 letters, digits, `.`, `_` or `-`, starting with a letter or digit.',
  })
  name!: string;

  @Field(() => TaskKind, { description: 'What it teaches; it decides which fields its rows have.' })
  task!: TaskKind;

  @Field(() => String, { nullable: true, description: 'What it is; at most 1,000 characters.' })
  description?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: 'The labels that rows may have: others are errors then. At most 10,000.',
  })
  labels?: string[] | null;

  @Field(() => String, { nullable: true, description: 'Language of its texts (ISO 639-1), e.g. `en`.' })
  language?: string | null;
}

@ObjectType({ description: 'What `createDataset` made.' })
export class CreateDatasetPayload {
  @Field(() => Dataset, { description: 'The new dataset, still without a version.' })
  dataset!: Dataset;
}

export const toDataset = (row: DatasetRecord): Dataset =>
  Object.assign(new Dataset(), {
    id: toGlobalId('Dataset', row.id),
    rowId: row.id,
    name: row.name,
    description: row.description,
    task: row.task,
    labels: row.labels,
    language: row.language,
    createdAt: row.createdAt,
  });

const toStatistics = (statistics: VersionStatistics): DatasetStatistics => ({
  ...statistics,
  entityTypes: statistics.entityTypes.map(({ type, count }) => ({ name: type, count })),
  languages: statistics.languages.map(({ language, rows }) => ({ name: language, count: rows })),
});

export function toVersion(record: VersionRecord): DatasetVersion {
  const reason = unusableReason(record);
  return Object.assign(new DatasetVersion(), {
    id: toGlobalId('DatasetVersion', record.id),
    version: record.version,
    digest: record.digest,
    counts: record.counts,
    statistics: toStatistics(record.statistics),
    report: toReport(record.report, record.sources),
    usable: reason === null,
    unusableReason: reason,
    sources: record.sources,
    steps: record.manifest.steps,
    manifest: record.manifest,
    createdAt: record.createdAt,
    record,
  });
}

/** A dataset by row id, batched over the request. */
export async function loadDataset(context: GraphContext, data: Data, id: string): Promise<Dataset | null> {
  const loader = context.loader<string, DatasetRecord>('data.datasetsById', async (ids) =>
    inOrder(ids, await data.store.byIds(context.workspaceId, ids)),
  );
  const row = await loader.load(id);
  return row && toDataset(row);
}

/** A version by row id, batched over the request. */
export async function loadVersion(context: GraphContext, data: Data, id: string): Promise<DatasetVersion | null> {
  const loader = context.loader<string, VersionRecord>('data.versionsById', async (ids) =>
    inOrder(ids, await data.store.versionsByIds(context.workspaceId, ids)),
  );
  const row = await loader.load(id);
  return row && toVersion(row);
}

export function inOrder<T extends { id: string }>(ids: readonly string[], rows: readonly T[]): (T | null)[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? null);
}

@Resolver(() => Dataset)
export class DatasetResolver {
  constructor(private readonly data: Data) {}

  @Query(() => DatasetConnection, { description: 'The datasets of the workspace, by name.', complexity: cost(5) })
  async datasets(
    @Ctx() { workspaceId }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<Dataset>> {
    const page = args.request();
    const rows = await this.data.store.list(workspaceId, page);
    return toConnection(mapPage(rows, toDataset), (dataset) => encodeCursor([dataset.name]), page.after);
  }

  @Query(() => Dataset, {
    nullable: true,
    description: 'The dataset of this name; null when there is none.',
    complexity: cost(2),
  })
  async dataset(
    @Ctx() { workspaceId }: GraphContext,
    @Arg('name', () => String, { description: 'Its name.' }) name: string,
  ): Promise<Dataset | null> {
    const row = await this.data.store.byName(workspaceId, name);
    return row && toDataset(row);
  }

  @Mutation(() => CreateDatasetPayload, {
    description: 'Makes a dataset without rows; `addDatasetVersion` brings some.',
    complexity: cost(5),
  })
  async createDataset(
    @Arg('input', () => CreateDatasetInput, { description: 'Its name and task.' }) input: CreateDatasetInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<CreateDatasetPayload> {
    return { dataset: toDataset(await this.data.datasets.createDataset(workspaceId, input)) };
  }

  @FieldResolver(() => DatasetVersionConnection, { description: 'Its versions, newest first.', complexity: cost(10) })
  async versions(
    @Root() dataset: Dataset,
    @Ctx() context: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<DatasetVersion>> {
    const page = args.request();
    const loader = context.loader<string, Page<VersionRecord>>(
      `data.versions:${page.first}:${page.after}`,
      async (ids) => {
        const pages = await this.data.store.versionsOf(ids, page);
        return ids.map((id) => pages.get(id) ?? null);
      },
    );
    const rows = (await loader.load(dataset.rowId))!;
    return toConnection(mapPage(rows, toVersion), (version) => encodeCursor([version.version]), page.after);
  }

  @FieldResolver(() => DatasetVersion, {
    nullable: true,
    description: 'The version of this number; null when there is none.',
    complexity: cost(5),
  })
  async version(
    @Root() dataset: Dataset,
    @Arg('number', () => Int, { description: 'Its number.' }) number: number,
  ): Promise<DatasetVersion | null> {
    const row = await this.data.store.versionByNumber(dataset.rowId, number);
    return row && toVersion(row);
  }

  @FieldResolver(() => DatasetVersion, {
    nullable: true,
    description: 'Its newest version; null while it has none.',
    complexity: cost(5),
  })
  async latestVersion(@Root() dataset: Dataset, @Ctx() context: GraphContext): Promise<DatasetVersion | null> {
    const loader = context.loader<string, VersionRecord>('data.latestVersions', async (ids) => {
      const latest = await this.data.store.latestOf(ids);
      return ids.map((id) => latest.get(id) ?? null);
    });
    const row = await loader.load(dataset.rowId);
    return row && toVersion(row);
  }
}

@Resolver(() => DatasetVersion)
export class DatasetVersionResolver {
  constructor(private readonly data: Data) {}

  @FieldResolver(() => Dataset, { description: 'The dataset that it is a state of.', complexity: cost(2) })
  async dataset(@Root() version: DatasetVersion, @Ctx() context: GraphContext): Promise<Dataset> {
    return (await loadDataset(context, this.data, version.record.datasetId))!;
  }

  @FieldResolver(() => [DatasetVersion], { description: 'Versions that it follows.', complexity: cost(5) })
  async parents(@Root() version: DatasetVersion, @Ctx() context: GraphContext): Promise<DatasetVersion[]> {
    const loader = context.loader<string, VersionRecord[]>('data.parents', async (ids) => {
      const parents = await this.data.store.parents(ids);
      return ids.map((id) => parents.get(id) ?? []);
    });
    return ((await loader.load(version.record.id)) ?? []).map(toVersion);
  }

  @FieldResolver(() => DatasetRowConnection, {
    description: 'Its rows, also those that are kept out of training.',
    complexity: cost(20),
  })
  async rows(
    @Root() { record }: DatasetVersion,
    @Ctx() context: GraphContext,
    @Args(() => RowsArgs) args: RowsArgs,
  ): Promise<ConnectionOf<DatasetRow>> {
    const page = args.request();
    const order: RowOrder = args.order ?? { by: RowSort.PLACE, descending: false };
    const groups = await this.data.datasets.readableRowGroups(record);
    const { task } = (await loadDataset(context, this.data, record.datasetId))!;
    const rows = await this.data.rows.page(task, groups, { ...args.filter, split: args.split }, order, page);
    return toConnection(
      mapPage(rows, (row) => toDatasetRow(row, record.sources)),
      ({ stored }) => rowCursor(order, stored),
      page.after,
    );
  }

  @FieldResolver(() => DatasetDiff, {
    description: 'How it differs from another version of the same dataset.',
    complexity: cost(50),
  })
  async diff(
    @Root() { record }: DatasetVersion,
    @Ctx() { workspaceId }: GraphContext,
    @Arg('against', () => ID, { description: 'Id of the other `DatasetVersion`: the one before.' }) against: string,
  ): Promise<DatasetDiff> {
    const { datasets, rows, store } = this.data;
    const other = await store.requireVersion(
      workspaceId,
      fromGlobalId(against, 'DatasetVersion', 'against'),
      'against',
    );
    if (other.datasetId !== record.datasetId) throw badInput('against', 'against is a version of another dataset.');
    const counts = await rows.diffCounts(
      await datasets.readableRowGroups(other),
      await datasets.readableRowGroups(record),
    );
    return Object.assign(new DatasetDiff(), counts, { before: other, after: record });
  }
}

@Resolver(() => DatasetDiff)
export class DatasetDiffResolver {
  constructor(private readonly data: Data) {}

  @FieldResolver(() => RowChangeConnection, {
    description: 'The rows that differ, by key and split.',
    complexity: cost(50),
  })
  async changes(
    @Root() { before, after }: DatasetDiff,
    @Ctx() context: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<RowChangeType>> {
    const page = args.request();
    const { datasets, rows } = this.data;
    const { task } = (await loadDataset(context, this.data, after.datasetId))!;
    const changes = await rows.changes(
      task,
      await datasets.readableRowGroups(before),
      await datasets.readableRowGroups(after),
      page,
    );
    return toConnection(mapPage(changes, toRowChange), changeCursor, page.after);
  }
}

/** Lets `node(id)` find datasets and versions. */
export function registerDatasetNodes(nodes: NodeRegistry, data: Data): void {
  nodes.register('Dataset', (context, id) => loadDataset(context, data, id));
  nodes.register('DatasetVersion', (context, id) => loadVersion(context, data, id));
}
