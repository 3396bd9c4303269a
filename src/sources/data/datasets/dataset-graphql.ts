import { Arg, Args, Ctx, FieldResolver, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import {
  Needs,
  connectionTypes,
  ConnectionArgs,
  cost,
  make,
  mapPage,
  toConnection,
  toGlobalId,
  type ConnectionOf,
  type GraphContext,
  type NodeRegistry,
  nodeType,
  inputType,
  ofType,
  objectType,
  loadRow,
  loadValue,
} from '../../../kit/graphql/index.js';
import { encodeCursor } from '../../../kernel/pagination.js';
import type { Data } from '../data.js';
import { TaskKind } from './tasks/index.js';
import type { DatasetRecord } from './dataset.js';
import { DatasetVersion, loadVersion, toVersion } from './version-graphql.js';
import { string, oneOf, date } from '../../../kernel/record.js';

export const Dataset = nodeType('Dataset', 'Examples of one task, in immutable versions.', {
  name: string('Unique in the workspace.'),
  description: string('What it is, in the words of who made it; empty by default.'),
  task: oneOf(TaskKind, 'What it teaches.'),
  labels: z.array(z.string()).describe('The labels that rows may have; empty when any may.'),
  language: string('Language of its texts (ISO 639-1); null when the rows decide.').nullable(),
  createdAt: date('When it was created.'),
  rowId: z.custom<string>(),
});
export type Dataset = InstanceType<typeof Dataset>;

const { Connection: DatasetConnection } = connectionTypes(Dataset);
const { Connection: DatasetVersionConnection } = connectionTypes(DatasetVersion);
const CreateDatasetInput = inputType('CreateDatasetInput', 'A new dataset.', {
  name: string('Unique in the workspace: 1 to 63 letters, digits, `.`, `_` or `-`, starting with a letter or digit.'),
  task: oneOf(TaskKind, 'What it teaches; it decides which fields its rows have.'),
  description: string('What it is; at most 1,000 characters.').nullish(),
  labels: z
    .array(z.string())
    .max(10_000)
    .nullish()
    .describe('The labels that rows may have: others are errors then. At most 10,000.'),
  language: string('Language of its texts (ISO 639-1), e.g. `en`.').nullish(),
});
type CreateDatasetInput = InstanceType<typeof CreateDatasetInput>;

const CreateDatasetPayload = objectType('CreateDatasetPayload', 'What `createDataset` made.', {
  dataset: ofType(() => Dataset).describe('The new dataset, still without a version.'),
});
type CreateDatasetPayload = InstanceType<typeof CreateDatasetPayload>;

const toDataset = (row: DatasetRecord): Dataset =>
  make(Dataset, { ...row, id: toGlobalId('Dataset', row.id), rowId: row.id });

/** A dataset by row id, batched over the request. */
export async function loadDataset(context: GraphContext, data: Data, id: string | null): Promise<Dataset | null> {
  const row = await loadRow(context, 'data.datasetsById', id, (ids) => data.store.byIds(context.workspaceId, ids));
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
    const key = `data.versions:${page.first}:${page.after}`;
    const rows = await loadValue(context, key, dataset.rowId, (ids) => this.data.store.versionsOf(ids, page));
    return toConnection(mapPage(rows!, toVersion), (version) => encodeCursor([version.version]), page.after);
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
    const row = await loadValue(context, 'data.latestVersions', dataset.rowId, (ids) => this.data.store.latestOf(ids));
    return row && toVersion(row);
  }
}

/** Lets `node(id)` find datasets and versions. */
export function registerDatasetNodes(nodes: NodeRegistry, data: Data): void {
  nodes.register('Dataset', (context, id) => loadDataset(context, data, id));
  nodes.register('DatasetVersion', (context, id) => loadVersion(context, data, id));
}
