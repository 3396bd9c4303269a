import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import {
  Needs,
  connectionTypes,
  ConnectionArgs,
  cost,
  DateTime,
  inOrder,
  make,
  mapPage,
  MaxItems,
  NodeType,
  toConnection,
  toGlobalId,
  type ConnectionOf,
  type GraphContext,
  type NodeRegistry,
} from '../../graphql-kit/index.js';
import { encodeCursor, type Page } from '../../kernel/pagination.js';
import type { Data } from '../data.js';
import { TaskKind } from './tasks/index.js';
import type { DatasetRecord, VersionRecord } from './dataset.js';
import { DatasetVersion, loadVersion, toVersion } from './version-graphql.js';

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

const { Connection: DatasetConnection } = connectionTypes(Dataset);
const { Connection: DatasetVersionConnection } = connectionTypes(DatasetVersion);
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

  @MaxItems(10_000)
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

const toDataset = (row: DatasetRecord): Dataset =>
  make(Dataset, {
    id: toGlobalId('Dataset', row.id),
    rowId: row.id,
    name: row.name,
    description: row.description,
    task: row.task,
    labels: row.labels,
    language: row.language,
    createdAt: row.createdAt,
  });

/** A dataset by row id, batched over the request. */
export async function loadDataset(context: GraphContext, data: Data, id: string): Promise<Dataset | null> {
  const loader = context.loader<string, DatasetRecord>('data.datasetsById', async (ids) =>
    inOrder(ids, await data.store.byIds(context.workspaceId, ids)),
  );
  const row = await loader.load(id);
  return row && toDataset(row);
}

@Resolver(() => Dataset)
export class DatasetResolver {
  constructor(private readonly data: Data) {}

  @Needs('ASK')
  @Query(() => DatasetConnection, { description: 'The datasets of the workspace, by name.', complexity: cost(5) })
  async datasets(
    @Ctx() { workspaceId }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<Dataset>> {
    const page = args.request();
    const rows = await this.data.store.list(workspaceId, page);
    return toConnection(mapPage(rows, toDataset), (dataset) => encodeCursor([dataset.name]), page.after);
  }

  @Needs('ASK')
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

  @Needs('EDIT')
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

/** Lets `node(id)` find datasets and versions. */
export function registerDatasetNodes(nodes: NodeRegistry, data: Data): void {
  nodes.register('Dataset', (context, id) => loadDataset(context, data, id));
  nodes.register('DatasetVersion', (context, id) => loadVersion(context, data, id));
}
