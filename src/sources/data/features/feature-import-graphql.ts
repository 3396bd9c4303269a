import { Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import {
  cost,
  fromGlobalId,
  runGraph,
  type GraphContext,
  idempotencyKey,
  inputType,
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

export const featureImportRuns = runGraph(
  importingFeatures.handledBy(({ featureFiles }: Data, context) => featureFiles.run(context)),
);
const FeatureImportRun = featureImportRuns.Run;

@Resolver(() => FeatureImportRun)
export class FeatureImportResolver extends featureImportRuns.startedBy('importFeatures', {
  description: 'Adds the rows of a file to a feature view, as a run; nothing is written unless all of them are right.',
  input: ImportFeaturesInput,
  argument: 'Which file, and its columns.',
  payload: 'The run that reads the file.',
  run: (data: Data, input, { workspaceId }) => {
    return data.featureFiles.start(workspaceId, {
      view: input.view,
      fileId: fromGlobalId(input.file, 'File', 'input.file'),
      columns: {
        entity: input.entityColumn,
        eventTime: input.eventTimeColumn,
        createdTime: input.createdTimeColumn ?? null,
      },
      idempotencyKey: input.idempotencyKey,
    });
  },
}) {
  @FieldResolver(() => FeatureView, { description: 'The view that gets the rows.', complexity: cost(2) })
  async view(@Root() { row }: RunObject, @Ctx() { workspaceId }: GraphContext): Promise<FeatureView> {
    const { view } = importingFeatures.inputOf(row);
    return toView(await this.parts.featureStore.requireView(workspaceId, view, 'view'));
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
