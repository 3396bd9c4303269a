import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  Float,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';
import { DatasetVersion, loadVersion, type Data } from '../../data/index.js';
import {
  SpendsBudget,
  Needs,
  BigIntScalar,
  cost,
  fromGlobalId,
  JsonScalar,
  runEvent,
  RunEventType,
  runGraph,
  runObject,
} from '../../graphql-kit/index.js';
import type { GraphContext } from '../../graphql-kit/index.js';
import { enumeration } from '../../kernel/enumeration.js';
import { loadVariant, ModelVariant, type AdapterRegistry, type ModelRegistry } from '../../registry/index.js';
import { loadAdapterVersion } from '../adapters/adapter-graphql.js';
import { AdapterVersion } from '../adapters/adapter-types.js';
import { ANSWER_FORMS } from '../recipes/recipe.js';
import { train, type TrainerParts } from './trainer.js';
import { training } from './training-run.js';
import type { TrainingService } from './training-service.js';

const AnswerForm = enumeration(...ANSWER_FORMS);
type AnswerForm = keyof typeof AnswerForm;
registerEnumType(AnswerForm, {
  name: 'AnswerForm',
  description: 'How an adapter learns to answer.',
  valuesConfig: {
    TEXT: { description: 'The answer as text, token by token.' },
    LABEL_TOKEN: { description: 'A label as one token of its own: no decoding, and a probability for each label.' },
  },
});

@ObjectType({ implements: RunEventType, description: 'What the supervision audit found before the first step.' })
export class TrainingAudited extends RunEventType {
  @Field(() => Int, { description: 'Rows that were looked at.' })
  examples!: number;

  @Field(() => Int, { description: 'Rows that are trained on.' })
  trained!: number;

  @Field(() => Int, { description: 'Rows that validation is measured on.' })
  validated!: number;

  @Field(() => JsonScalar, { description: 'Number of rows by fault, e.g. `NOTHING_TO_LEARN` or `TOO_LONG`.' })
  counts!: unknown;

  @Field(() => JsonScalar, { description: 'At most 100 rows of each fault: `ordinal`, `split`, `fault` and a `note`.' })
  findings!: unknown;
}

@ObjectType({ implements: RunEventType, description: 'One step of training: one update of the weights.' })
export class TrainingStepped extends RunEventType {
  @Field(() => Int, { description: 'Number of the step, from 1.' })
  step!: number;

  @Field(() => Int, { description: 'Steps of the whole run.' })
  steps!: number;

  @Field(() => Float, { description: 'The pass over the rows that the step belongs to, from 0.' })
  epoch!: number;

  @Field(() => Float, { description: 'Mean cross-entropy of the answers’ tokens, in nats.' })
  loss!: number;

  @Field(() => Float, { description: 'The same, smoothed over some twenty steps.' })
  smoothedLoss!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Mean divergence from the base model on general text, in nats a token; null without retention.',
  })
  replayKl!: number | null;

  @Field(() => Float, { description: 'Learning rate of the step.' })
  learningRate!: number;

  @Field(() => Float, { description: 'Norm of the gradient before clipping.' })
  gradientNorm!: number;

  @Field(() => Float, { description: 'Tokens learned a second since the run was last taken up, without padding.' })
  tokensPerSecond!: number;

  @Field(() => Float, { description: 'Seconds that are left, by the pace so far.' })
  etaSeconds!: number;

  @Field(() => BigIntScalar, { description: 'Memory of the train worker in bytes.' })
  memoryBytes!: bigint;
}

@ObjectType({ implements: RunEventType, description: 'A measurement on rows for validation.' })
export class TrainingValidated extends RunEventType {
  @Field(() => Int, { description: 'The step after which it was made.' })
  step!: number;

  @Field(() => Float, { description: 'Mean cross-entropy of the answers’ tokens, in nats.' })
  loss!: number;

  @Field(() => Float, {
    description: 'Mean divergence from the base model at the answers’ places, in nats: it foretells forgetting.',
  })
  klToBase!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Share of rows whose label is the most probable one, 0 to 1; null for other forms of answers.',
  })
  accuracy!: number | null;

  @Field(() => Boolean, { description: 'Whether it is the best so far, whose weights are kept.' })
  best!: boolean;
}

/** The kind of runs of this domain; its parts are the trainer's. */
export const trainingRuns = runGraph(
  training.handledBy(({ trainer }: { trainer: TrainerParts }, context) => train(trainer, context)),
  {
    audit: runEvent(TrainingAudited, ({ examples, trained, validated, counts, findings }) => ({
      examples,
      trained,
      validated,
      counts,
      findings,
    })),
    step: runEvent(TrainingStepped, ({ memoryBytes, ...step }) => ({
      ...step,
      memoryBytes: BigInt(memoryBytes),
    })),
    validation: runEvent(TrainingValidated, (validation) => ({ ...validation })),
  },
);
const TrainingRun = trainingRuns.Run;
type TrainingRun = InstanceType<typeof TrainingRun>;

@InputType({ description: 'What keeps an adapter from forgetting what its base model can.' })
export class RetentionInput {
  @Field(() => Float, {
    nullable: true,
    description: 'Weight of staying near the base model on general text, 0 (off) to 10; 1 by default.',
  })
  weight?: number | null;

  @Field(() => Int, { nullable: true, description: 'Tokens of general text a step, 16 to 512; 64 by default.' })
  tokens?: number | null;
}

@InputType({
  description: 'What is to be other than in the preset of the task. Every field is checked before a run exists.',
})
export class RecipeInput {
  @Field(() => AnswerForm, {
    nullable: true,
    description: 'How answers are learned; `LABEL_TOKEN` for classification, else `TEXT`.',
  })
  answer?: AnswerForm | null;

  @Field(() => Int, { nullable: true, description: 'Rank of the updates, 1 to 256; 16 by default.' })
  rank?: number | null;

  @Field(() => Float, { nullable: true, description: 'Updates are scaled by alpha / rank; up to 1024, 32 by default.' })
  alpha?: number | null;

  @Field(() => [String], {
    nullable: true,
    description: 'At most 7 linear layers by PEFT’s names (`q_proj` … `down_proj`); all by default.',
  })
  targets?: string[] | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Largest learning rate, up to 0.1; 0.001 by default. It matters most.',
  })
  learningRate?: number | null;

  @Field(() => Int, { nullable: true, description: 'Steps until it is reached, 0 to 10,000; 20 by default.' })
  warmupSteps?: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Passes over the rows, up to 100, also a part of one; 1 by default.',
  })
  epochs?: number | null;

  @Field(() => Int, { nullable: true, description: 'Rows of a step, 1 to 256; 16 by default.' })
  batchExamples?: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Most tokens that go through the model at once, 64 to 32,768: memory, and how long a question waits, grow with it.',
  })
  batchTokens?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Longest example in tokens, 16 to 8,192; longer ones are left out.',
  })
  maxTokens?: number | null;

  @Field(() => RetentionInput, { nullable: true, description: 'What keeps it from forgetting.' })
  retention?: RetentionInput | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Share of a pass between two measurements on validation rows, up to 1; 0.25 by default.',
  })
  validateEvery?: number | null;

  @Field(() => Int, { nullable: true, description: 'Validation rows that are measured, 0 to 10,000; 200 by default.' })
  validationRows?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Measurements without a better one after which training stops, 0 (never) to 100; 0 by default.',
  })
  patience?: number | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Of the weights at so many last measurements, 2 to 20, the average is tried at the end and kept if it is better on validation rows; 0 (none) by default.',
  })
  averageCheckpoints?: number | null;

  @Field(() => Float, {
    nullable: true,
    description: 'The same seed gives the same weights on the same machine; 0 to 4294967295, 1 by default.',
  })
  seed?: number | null;
}

@InputType({ description: 'What to train, on which rows, and how.' })
export class StartTrainingInput {
  @Field(() => String, {
    description:
      'Name of the adapter that gets a new version: 1 to 63 letters, digits, `.`, `_` or `-`. A new name makes a new adapter.',
  })
  adapter!: string;

  @Field(() => String, {
    nullable: true,
    description: 'What it is for, at most 2,000 characters; kept when the adapter is new.',
  })
  description?: string | null;

  @Field(() => ID, { description: 'The dataset version whose rows for training are learned.' })
  datasetVersion!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The base model, `name` or `name@quantization`; by default that of `parent`, else the configured one.',
  })
  model?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'An adapter version to go on from, `name` (production), `name@candidate` or `name@3`, such as `reader@1`: of the same task and base model; its shape and form of answers are kept. By default training begins at the base model.',
  })
  parent?: string | null;

  @Field(() => RecipeInput, {
    nullable: true,
    description: 'What is to be other than in the preset of the dataset’s task.',
  })
  recipe?: RecipeInput | null;

  @Field(() => ID, { description: 'The same key with the same input is the same run; 1 to 200 characters.' })
  idempotencyKey!: string;
}

const StartTrainingPayload = trainingRuns.payload(
  'StartTrainingPayload',
  'The run that trains.',
  'It goes on by itself; watch it with `trainingProgress`, stop it with `pauseRun` or `cancelRun`.',
);
type StartTrainingPayload = InstanceType<typeof StartTrainingPayload>;

export interface TrainingResolverParts {
  training: TrainingService;
  adapters: AdapterRegistry;
  registry: ModelRegistry;
  data: Data;
}

@Resolver(() => TrainingRun)
export class TrainingRunResolver {
  constructor(private readonly parts: TrainingResolverParts) {}

  @Needs('EDIT')
  @SpendsBudget('TRAINING')
  @Mutation(() => StartTrainingPayload, {
    description:
      'Trains a version of an adapter on a dataset version, in a worker of its own that stands aside for questions. One run works at a time, others wait in order.',
    complexity: cost(50),
  })
  async startTraining(
    @Arg('input', () => StartTrainingInput, { description: 'What to train.' }) input: StartTrainingInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<StartTrainingPayload> {
    const datasetVersionId = fromGlobalId(input.datasetVersion, 'DatasetVersion', 'input.datasetVersion');
    const { adapter, description, model, parent, idempotencyKey } = input;
    const run = await this.parts.training.start(workspaceId, {
      adapter,
      description,
      model,
      parent,
      idempotencyKey,
      datasetVersionId,
      recipe: input.recipe,
    });
    return { run: runObject(run) };
  }

  @FieldResolver(() => String, { description: 'Name of the adapter that gets a version.' })
  adapterName(@Root() { row }: TrainingRun): string {
    return training.inputOf(row).adapter;
  }

  @FieldResolver(() => JsonScalar, { description: 'How it trains: every field of the recipe, presets included.' })
  recipe(@Root() { row }: TrainingRun): unknown {
    return training.inputOf(row).recipe;
  }

  @FieldResolver(() => DatasetVersion, { nullable: true, description: 'The rows that it learns.', complexity: cost(2) })
  async datasetVersion(@Root() { row }: TrainingRun, @Ctx() context: GraphContext): Promise<DatasetVersion | null> {
    return loadVersion(context, this.parts.data, training.inputOf(row).datasetVersionId);
  }

  @FieldResolver(() => ModelVariant, {
    nullable: true,
    description: 'The stored form of the model that it trains against.',
    complexity: cost(2),
  })
  async model(@Root() { row }: TrainingRun, @Ctx() context: GraphContext): Promise<ModelVariant | null> {
    return loadVariant(context, this.parts.registry, training.inputOf(row).variantId);
  }

  @FieldResolver(() => AdapterVersion, {
    nullable: true,
    description: 'What it made; null until it succeeded.',
    complexity: cost(2),
  })
  async result(@Root() { row }: TrainingRun, @Ctx() context: GraphContext): Promise<AdapterVersion | null> {
    const output = training.outputOf(row);
    return output && loadAdapterVersion(context, this.parts.adapters, output.adapterVersionId);
  }
}
