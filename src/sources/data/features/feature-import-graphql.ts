import { Arg, Ctx, FieldResolver, Int, Mutation, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import {
  SpendsBudget,
  Needs,
  cost,
  fromGlobalId,
  runGraph,
  runObject,
  type GraphContext,
  idempotencyKey,
  inputType,
  type StartedRun,
  type RunObject,
} from '../../../kit/graphql/index.js';
import type { Data } from '../data.js';
import { FeatureView, toView } from './feature-graphql.js';
import { importingFeatures } from './feature-import-run.js';
import { string, id } from '../../../kernel/record.js';

const ImportFeaturesInput = inputType('ImportFeaturesInput', 'A file with the history of a feature view.', {
  view: string('Name of the view.'),
  file: id('A CSV, TSV, JSONL or JSON file uploaded with `POST /files`, with a column for each value, by its name.'),
  entityColumn: z.string().default('entity').describe('Column of the entity.'),
  eventTimeColumn: z.string().default('event_time').describe('Column of the event time (ISO 8601).'),
  createdTimeColumn: z
    .string()
    .nullable()
    .default('created_time')
    .describe('Column of the creation time; null: the rows are known as of now, that is when the import is asked for.'),
  idempotencyKey,
});
type ImportFeaturesInput = InstanceType<typeof ImportFeaturesInput>;

export const featureImportRuns = runGraph(
  importingFeatures.handledBy(({ featureFiles }: Data, context) => featureFiles.run(context)),
);
const FeatureImportRun = featureImportRuns.Run;

const ImportFeaturesPayload = featureImportRuns.payload('ImportFeaturesPayload', 'The run that reads the file.');

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
  ): Promise<StartedRun> {
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
  async view(@Root() { row }: RunObject, @Ctx() { workspaceId }: GraphContext): Promise<FeatureView> {
    const { view } = importingFeatures.inputOf(row);
    return toView(await this.data.featureStore.requireView(workspaceId, view, 'view'));
  }

  @FieldResolver(() => Int, { nullable: true, description: 'Rows of the file; null before the end.' })
  rows(@Root() { row }: RunObject): number | null {
    return importingFeatures.outputOf(row)?.rows ?? null;
  }

  @FieldResolver(() => Int, {
    nullable: true,
    description:
      'How many of them were new: a row with the very same entity and times stays as it is. Null before the end.',
  })
  added(@Root() { row }: RunObject): number | null {
    return importingFeatures.outputOf(row)?.added ?? null;
  }
}
