import { Arg, Args, ArgsType, Ctx, Field, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import {
  Needs,
  connectionTypes,
  ConnectionArgs,
  cost,
  DateTime,
  make,
  mapPage,
  toConnection,
  toGlobalId,
  type ConnectionOf,
  type GraphContext,
  type NodeRegistry,
  ofType,
  nodeType,
  objectType,
  inputType,
  recordInput,
  recordType,
} from '../../../kit/graphql/index.js';
import { encodeCursor } from '../../../kernel/pagination.js';
import type { Data } from '../data.js';
import { MAX_WRITE } from './feature-service.js';
import {
  featureField,
  featureRow,
  newFeatureRow,
  newView,
  type FeatureRow,
  type FeatureViewRecord,
  type NewView,
} from './feature-view.js';
import { string, date } from '../../../kernel/record.js';

export const FeatureView = nodeType(
  'FeatureView',
  'Named, typed values of an entity over time: the same in training and at serving.',
  {
    name: string('Unique in the workspace.'),
    description: string('What it is, in the words of who made it; empty by default.'),
    entity: string('What its entities are, e.g. `customer`.'),
    fields: z.array(featureField).describe('Its values, in order.'),
    ttlSeconds: z
      .int()
      .nullable()
      .describe('How long a value holds after its event time, in seconds; null: until the next.'),
    createdAt: date('When it was defined.'),
    record: z.custom<FeatureViewRecord>(),
  },
);
export type FeatureView = InstanceType<typeof FeatureView>;

const FeatureRowType = recordType(featureRow);

const EntityFeatures = objectType('EntityFeatures', 'What a view says of an entity.', {
  view: string('Name of the view.'),
  row: featureRow.nullable().describe('The row that holds; null when none does.'),
});
type EntityFeatures = InstanceType<typeof EntityFeatures>;

const { Connection: FeatureViewConnection } = connectionTypes(FeatureView);
const { Connection: FeatureRowConnection } = connectionTypes(FeatureRowType, 'FeatureRow');

@ArgsType()
class HistoryArgs extends ConnectionArgs {
  @Field(() => String, { description: 'The entity, e.g. `customer:42`.' })
  entity!: string;
}

const DefineFeatureViewInput = recordInput(newView);

const DefineFeatureViewPayload = objectType('DefineFeatureViewPayload', 'What `defineFeatureView` made.', {
  view: ofType(() => FeatureView).describe('The new view, still empty.'),
});
type DefineFeatureViewPayload = InstanceType<typeof DefineFeatureViewPayload>;

const WriteFeaturesInput = inputType('WriteFeaturesInput', 'Rows for a feature view.', {
  view: string('Name of the view.'),
  rows: z
    .array(newFeatureRow)
    .max(MAX_WRITE)
    .describe('At most 1,000 rows; a file of any length goes to `importFeatures`.'),
});
type WriteFeaturesInput = InstanceType<typeof WriteFeaturesInput>;

const WriteFeaturesPayload = objectType('WriteFeaturesPayload', 'What was written into a feature view.', {
  view: ofType(() => FeatureView).describe('The view.'),
  rows: z.int().describe('Rows that were sent.'),
  added: z.int().describe('How many of them were new: a row with the very same entity and times stays as it is.'),
});
type WriteFeaturesPayload = InstanceType<typeof WriteFeaturesPayload>;

export const toView = (record: FeatureViewRecord): FeatureView =>
  make(FeatureView, { ...record, id: toGlobalId('FeatureView', record.id), record });

@Resolver(() => FeatureView)
export class FeatureViewResolver {
  constructor(private readonly data: Data) {}

  @Needs('ASK')
  @Query(() => FeatureViewConnection, {
    description: 'The feature views of the workspace, by name.',
    complexity: cost(5),
  })
  async featureViews(
    @Ctx() { workspaceId }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<FeatureView>> {
    const page = args.request();
    return toConnection(
      mapPage(await this.data.featureStore.views(workspaceId, page), toView),
      (view) => encodeCursor([view.name]),
      page.after,
    );
  }

  @Needs('ASK')
  @Query(() => FeatureView, {
    nullable: true,
    description: 'The feature view of this name; null when there is none.',
    complexity: cost(2),
  })
  async featureView(
    @Ctx() { workspaceId }: GraphContext,
    @Arg('name', () => String, { description: 'Its name.' }) name: string,
  ): Promise<FeatureView | null> {
    const record = await this.data.featureStore.view(workspaceId, name);
    return record && toView(record);
  }

  @Needs('EDIT')
  @Query(() => [EntityFeatures], {
    description: 'What views say of an entity, in the order of their names as given: the online read.',
    complexity: cost(10),
  })
  async features(
    @Ctx() { workspaceId }: GraphContext,
    @Arg('entity', () => String, { description: 'The entity, e.g. `customer:42`.' }) entity: string,
    @Arg('views', () => [String], { description: 'Names of the views; at most 100.' }) views: string[],
    @Arg('at', () => DateTime, { nullable: true, description: 'As a reader at this moment saw it; now when left out.' })
    moment?: Date | null,
  ): Promise<EntityFeatures[]> {
    return this.data.features.read(workspaceId, entity, views, { at: moment });
  }

  @Needs('EDIT')
  @Mutation(() => DefineFeatureViewPayload, {
    description: 'Defines a feature view; its fields can’t be changed later.',
    complexity: cost(5),
  })
  async defineFeatureView(
    @Arg('input', () => DefineFeatureViewInput, { description: 'Its name and fields.' }) input: NewView,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<DefineFeatureViewPayload> {
    return { view: toView(await this.data.features.defineView(workspaceId, input)) };
  }

  @Needs('EDIT')
  @Mutation(() => WriteFeaturesPayload, {
    description: 'Adds rows to a feature view; they may come late and in any order.',
    complexity: cost(20),
  })
  async writeFeatures(
    @Arg('input', () => WriteFeaturesInput, { description: 'Which rows.' }) input: WriteFeaturesInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<WriteFeaturesPayload> {
    const added = await this.data.features.write(workspaceId, input.view, input.rows);
    return { view: await this.#view(workspaceId, input.view), rows: input.rows.length, added };
  }

  @Needs('EDIT')
  @FieldResolver(() => FeatureRowConnection, {
    description: 'The history of an entity, latest event first.',
    complexity: cost(5),
  })
  async history(
    @Root() { record }: FeatureView,
    @Args(() => HistoryArgs) args: HistoryArgs,
  ): Promise<ConnectionOf<FeatureRow>> {
    const page = args.request();
    const rows = await this.data.features.history(record, args.entity, page);
    return toConnection(rows, (row) => encodeCursor([row.eventTime.getTime(), row.createdTime.getTime()]), page.after);
  }

  async #view(workspaceId: GraphContext['workspaceId'], name: string): Promise<FeatureView> {
    return toView(await this.data.featureStore.requireView(workspaceId, name, 'input.view'));
  }
}

/** Lets `node(id)` find feature views. */
export function registerFeatureNodes(nodes: NodeRegistry, data: Data): void {
  nodes.register('FeatureView', async ({ workspaceId }, id) => {
    const [record] = await data.featureStore.viewsByIds(workspaceId, [id]);
    return record ? toView(record) : null;
  });
}
