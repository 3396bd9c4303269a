import { Arg, Ctx, Field, Float, ID, InputType, Int, ObjectType, Query, Resolver } from 'type-graphql';
import {
  SpendsBudget,
  Needs,
  BigIntScalar,
  cost,
  fromGlobalId,
  make,
  type GraphContext,
} from '../../graphql-kit/index.js';
import { RecipeInput } from '../runs/training-graphql.js';
import type { TrainingEstimator } from './training-estimator.js';

@InputType({ description: 'What would be trained, on which rows, and how: as for `startTraining`.' })
export class EstimateTrainingInput {
  @Field(() => ID, { description: 'The dataset version.' })
  datasetVersion!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The base model, `name` or `name@quantization`; by default the configured one.',
  })
  model?: string | null;

  @Field(() => RecipeInput, { nullable: true, description: 'What is to be other than in the preset of the task.' })
  recipe?: RecipeInput | null;
}

@ObjectType({ description: 'What a training would take. `AdapterVersion.metrics` keeps beside it what then happened.' })
export class TrainingEstimate {
  @Field(() => Int, { description: 'Rows that would be learned; counted on a sample of at most 256.' })
  examples!: number;

  @Field(() => Float, { description: 'Mean length of an example in tokens, prompt and answer.' })
  meanTokens!: number;

  @Field(() => BigIntScalar, { description: 'Tokens of all steps, general text included, without padding.' })
  tokens!: bigint;

  @Field(() => Int, { description: 'Steps of the whole run.' })
  steps!: number;

  @Field(() => BigIntScalar, { description: 'Memory that the train worker would take at most, in bytes.' })
  memoryBytes!: bigint;

  @Field(() => BigIntScalar, { description: 'Memory that the machine has for it, in bytes.' })
  availableBytes!: bigint;

  @Field(() => Boolean, { description: 'Whether that is enough; a run that it isn’t enough for is refused.' })
  fits!: boolean;

  @Field(() => Float, {
    nullable: true,
    description: 'Tokens learned a second on this machine, as seen or timed; null before this model was trained here.',
  })
  tokensPerSecond!: number | null;

  @Field(() => Float, {
    nullable: true,
    description:
      'Seconds of all steps at that pace, without measurements on validation rows; null where it is unknown.',
  })
  seconds!: number | null;
}

export interface EstimateResolverParts {
  estimator: TrainingEstimator;
}

@Resolver()
export class EstimateResolver {
  constructor(private readonly parts: EstimateResolverParts) {}

  @Needs('EDIT')
  @SpendsBudget('RUN')
  @Query(() => TrainingEstimate, {
    description: 'What a training would take in time and memory. Nothing is started.',
    complexity: cost(50),
  })
  async estimateTraining(
    @Arg('input', () => EstimateTrainingInput, { description: 'What would be trained.' })
    { datasetVersion, ...input }: EstimateTrainingInput,
    @Ctx() { workspaceId, signal }: GraphContext,
  ): Promise<TrainingEstimate> {
    const datasetVersionId = fromGlobalId(datasetVersion, 'DatasetVersion', 'input.datasetVersion');
    const found = await this.parts.estimator.estimate(workspaceId, { ...input, datasetVersionId }, signal);
    const { examples, meanTokens, steps, memoryBytes, availableBytes, tokensPerSecond, seconds } = found;
    return make(TrainingEstimate, {
      examples,
      meanTokens,
      steps,
      tokensPerSecond,
      seconds,
      fits: memoryBytes <= availableBytes,
      tokens: BigInt(found.tokens),
      memoryBytes: BigInt(Math.round(memoryBytes)),
      availableBytes: BigInt(Math.round(availableBytes)),
    });
  }
}
