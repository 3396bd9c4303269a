import { Arg, Args, ArgsType, Ctx, Field, FieldResolver, ID, Resolver, Root } from 'type-graphql';
import {
  Needs,
  connectionTypes,
  ConnectionArgs,
  cost,
  fromGlobalId,
  make,
  mapPage,
  toConnection,
  type ConnectionOf,
  type GraphContext,
  loadValue,
} from '../../../kit/graphql/index.js';
import { badInput } from '../../../kernel/errors.js';
import type { Data } from '../data.js';
import { Split } from './importing/splits.js';
import { Dataset, loadDataset } from './dataset-graphql.js';
import { DatasetRow, RowChangeType, RowFilterInput, RowOrderInput, toDatasetRow } from './row-graphql.js';
import { changeCursor, rowCursor, RowSort, type RowOrder } from './version-rows.js';
import { DatasetDiff, DatasetVersion, toVersion } from './version-graphql.js';

/** Where a version’s fields lead: its dataset, its parents, its rows, and how it differs from another. */

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

@Resolver(() => DatasetVersion)
export class DatasetVersionResolver {
  constructor(private readonly data: Data) {}

  @FieldResolver(() => Dataset, { description: 'The dataset that it is a state of.', complexity: cost(2) })
  async dataset(@Root() version: DatasetVersion, @Ctx() context: GraphContext): Promise<Dataset> {
    return (await loadDataset(context, this.data, version.record.datasetId))!;
  }

  @FieldResolver(() => [DatasetVersion], { description: 'Versions that it follows.', complexity: cost(5) })
  async parents(@Root() version: DatasetVersion, @Ctx() context: GraphContext): Promise<DatasetVersion[]> {
    const parents = await loadValue(context, 'data.parents', version.record.id, (ids) => this.data.store.parents(ids));
    return (parents ?? []).map(toVersion);
  }

  @Needs('EDIT')
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
    @Arg('against', () => ID, { description: 'Id of the other `DatasetVersion`: the one before.' }) againstId: string,
  ): Promise<DatasetDiff> {
    const { datasets, rows, store } = this.data;
    const otherVersion = await store.requireVersion(
      workspaceId,
      fromGlobalId(againstId, 'DatasetVersion', 'against'),
      'against',
    );
    if (otherVersion.datasetId !== record.datasetId)
      throw badInput('against', 'against is a version of another dataset.');
    const counts = await rows.diffCounts(
      await datasets.readableRowGroups(otherVersion),
      await datasets.readableRowGroups(record),
    );
    return make(DatasetDiff, { ...counts, before: otherVersion, after: record });
  }
}

@Resolver(() => DatasetDiff)
export class DatasetDiffResolver {
  constructor(private readonly data: Data) {}

  @Needs('EDIT')
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
    return toConnection(changes, changeCursor, page.after);
  }
}
