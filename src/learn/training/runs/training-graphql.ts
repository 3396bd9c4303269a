import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { DatasetVersion, loadVersion, type Data } from '../../../sources/data/index.js';
import {
  cost,
  fromGlobalId,
  JsonScalar,
  recordInput,
  runGraph,
  ofType,
  inputType,
  type RunObject,
  idempotencyKey,
} from '../../../kit/graphql/index.js';
import type { GraphContext } from '../../../kit/graphql/index.js';
import {
  loadVariant,
  ModelVariant,
  type AdapterRegistry,
  type ModelRegistry,
} from '../../../sources/registry/index.js';
import { loadAdapterVersion } from '../adapters/adapter-graphql.js';
import { AdapterVersion } from '../adapters/adapter-types.js';
import { recipeOverrides } from '../recipes/recipe.js';
import { train, type TrainerParts } from './trainer.js';
import { training } from './training-run.js';
import type { TrainingService } from './training-service.js';
import { string, id } from '../../../kernel/record.js';

/** The kind of runs of this domain; its parts are the trainer's. */
export const trainingRuns = runGraph(
  training.handledBy(({ trainer }: { trainer: TrainerParts }, context) => train(trainer, context)),
);
const TrainingRun = trainingRuns.Run;

export const RecipeInput = recordInput(recipeOverrides);
export type RecipeInput = InstanceType<typeof RecipeInput>;

const StartTrainingInput = inputType('StartTrainingInput', 'What to train, on which rows, and how.', {
  adapter: string(
    'Name of the adapter that gets a new version: 1 to 63 letters, digits, `.`, `_` or `-`. A new name makes a new adapter.',
  ),
  description: string('What it is for, at most 2,000 characters; kept when the adapter is new.').nullish(),
  datasetVersion: id('The dataset version whose rows for training are learned.'),
  model: string(
    'The base model, `name` or `name@quantization`; by default that of `parent`, else the configured one.',
  ).nullish(),
  parent: string(
    'An adapter version to go on from, `name` (production), `name@candidate` or `name@3`, such as `reader@1`: of the same task and base model; its shape and form of answers are kept. By default training begins at the base model.',
  ).nullish(),
  recipe: ofType(() => RecipeInput)
    .nullish()
    .describe('What is to be other than in the preset of the dataset’s task.'),
  idempotencyKey,
});

interface TrainingResolverParts {
  training: TrainingService;
  adapters: AdapterRegistry;
  registry: ModelRegistry;
  data: Data;
}

@Resolver(() => TrainingRun)
export class TrainingRunResolver extends trainingRuns.startedBy('startTraining', {
  description:
    'Trains a version of an adapter on a dataset version, in a worker of its own that stands aside for questions. One run works at a time, others wait in order.',
  spends: 'TRAINING',
  cost: 50,
  input: StartTrainingInput,
  argument: 'What to train.',
  payload: 'The run that trains.',
  goesOn: 'It goes on by itself; watch it with `trainingProgress`, stop it with `pauseRun` or `cancelRun`.',
  run: (parts: TrainingResolverParts, { datasetVersion, ...input }, { workspaceId }) => {
    const datasetVersionId = fromGlobalId(datasetVersion, 'DatasetVersion', 'input.datasetVersion');
    return parts.training.start(workspaceId, { ...input, datasetVersionId });
  },
}) {
  @FieldResolver(() => String, { description: 'Name of the adapter that gets a version.' })
  adapterName(@Root() { row }: RunObject): string {
    return training.inputOf(row).adapter;
  }

  @FieldResolver(() => JsonScalar, { description: 'How it trains: every field of the recipe, presets included.' })
  recipe(@Root() { row }: RunObject): unknown {
    return training.inputOf(row).recipe;
  }

  @FieldResolver(() => DatasetVersion, { nullable: true, description: 'The rows that it learns.', complexity: cost(2) })
  async datasetVersion(@Root() { row }: RunObject, @Ctx() context: GraphContext): Promise<DatasetVersion | null> {
    return loadVersion(context, this.parts.data, training.inputOf(row).datasetVersionId);
  }

  @FieldResolver(() => ModelVariant, {
    nullable: true,
    description: 'The stored form of the model that it trains against.',
    complexity: cost(2),
  })
  async model(@Root() { row }: RunObject, @Ctx() context: GraphContext): Promise<ModelVariant | null> {
    return loadVariant(context, this.parts.registry, training.inputOf(row).variantId);
  }

  @FieldResolver(() => AdapterVersion, {
    nullable: true,
    description: 'What it made; null until it succeeded.',
    complexity: cost(2),
  })
  async result(@Root() { row }: RunObject, @Ctx() context: GraphContext): Promise<AdapterVersion | null> {
    const output = training.outputOf(row);
    return output && loadAdapterVersion(context, this.parts.adapters, output.adapterVersionId);
  }
}
