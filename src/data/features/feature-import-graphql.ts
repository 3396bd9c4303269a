import { Arg, Ctx, Field, FieldResolver, ID, InputType, Int, Mutation, Resolver, Root } from 'type-graphql';
import {
  SpendsBudget,
  Needs,
  cost,
  fromGlobalId,
  IDEMPOTENCY_KEY,
  NullIsAValue,
  runGraph,
  runObject,
  type GraphContext,
} from '../../graphql-kit/index.js';
import type { Data } from '../data.js';
import { FeatureView, toView } from './feature-graphql.js';
import { importingFeatures } from './feature-import-run.js';

@InputType({ description: 'A file with the history of a feature view.' })
export class ImportFeaturesInput {
  @Field(() => String, { description: 'Name of the view.' })
  view!: string;

  @Field(() => ID, {
    description:
      'A CSV, TSV, JSONL or JSON file uploaded with `POST /files`, with a column for each value, by its name.',
  })
  file!: string;

  @Field(() => String, { defaultValue: 'entity', description: 'Column of the entity.' })
  entityColumn!: string;

  @Field(() => String, { defaultValue: 'event_time', description: 'Column of the event time (ISO 8601).' })
  eventTimeColumn!: string;

  @NullIsAValue()
  @Field(() => String, {
    nullable: true,
    defaultValue: 'created_time',
    description:
      'Column of the creation time; null: the rows are known as of now, that is when the import is asked for.',
  })
  createdTimeColumn?: string | null;

  @Field(() => ID, { description: IDEMPOTENCY_KEY })
  idempotencyKey!: string;
}

export const featureImportRuns = runGraph(
  importingFeatures.handledBy(({ featureFiles }: Data, context) => featureFiles.run(context)),
);
const FeatureImportRun = featureImportRuns.Run;
type FeatureImportRun = InstanceType<typeof FeatureImportRun>;

const ImportFeaturesPayload = featureImportRuns.payload('ImportFeaturesPayload', 'The run that reads the file.');
type ImportFeaturesPayload = InstanceType<typeof ImportFeaturesPayload>;

@Resolver(() => FeatureImportRun)
export class FeatureImportResolver {
  constructor(private readonly data: Data) {}

  @Needs('EDIT')
  @SpendsBudget('RUN')
  @Mutation(() => ImportFeaturesPayload, {
    description:
      'Adds the rows of a file to a feature view, as a run; nothing is written unless all of them are right.',
    complexity: cost(20),
  })
  async importFeatures(
    @Arg('input', () => ImportFeaturesInput, { description: 'Which file, and its columns.' })
    input: ImportFeaturesInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<ImportFeaturesPayload> {
    const run = await this.data.featureFiles.start(workspaceId, {
      view: input.view,
      fileId: fromGlobalId(input.file, 'File', 'input.file'),
      columns: {
        entity: input.entityColumn,
        eventTime: input.eventTimeColumn,
        createdTime: input.createdTimeColumn ?? null,
      },
      idempotencyKey: input.idempotencyKey,
    });
    return { run: runObject(run) };
  }

  @FieldResolver(() => FeatureView, { description: 'The view that gets the rows.', complexity: cost(2) })
  async view(@Root() { row }: FeatureImportRun, @Ctx() { workspaceId }: GraphContext): Promise<FeatureView> {
    const { view } = importingFeatures.inputOf(row);
    return toView(await this.data.featureStore.requireView(workspaceId, view, 'view'));
  }

  @FieldResolver(() => Int, { nullable: true, description: 'Rows of the file; null before the end.' })
  rows(@Root() { row }: FeatureImportRun): number | null {
    return importingFeatures.outputOf(row)?.rows ?? null;
  }

  @FieldResolver(() => Int, {
    nullable: true,
    description:
      'How many of them were new: a row with the very same entity and times stays as it is. Null before the end.',
  })
  added(@Root() { row }: FeatureImportRun): number | null {
    return importingFeatures.outputOf(row)?.added ?? null;
  }
}
