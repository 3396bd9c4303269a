import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import { z } from 'zod';
import {
  SpendsBudget,
  Needs,
  cost,
  fromGlobalId,
  make,
  type GraphContext,
  givenId,
  typed,
  inputType,
  objectType,
} from '../../graphql-kit/index.js';
import { RecipeInput } from '../runs/training-graphql.js';
import type { TrainingEstimator } from './training-estimator.js';

const EstimateTrainingInput = inputType(
  'EstimateTrainingInput',
  'What would be trained, on which rows, and how: as for `startTraining`.',
  {
    datasetVersion: givenId.describe('The dataset version.'),
    model: z
      .string()
      .nullish()
      .describe('The base model, `name` or `name@quantization`; by default the configured one.'),
    recipe: typed(RecipeInput).nullish().describe('What is to be other than in the preset of the task.'),
  },
);
type EstimateTrainingInput = InstanceType<typeof EstimateTrainingInput>;

const TrainingEstimate = objectType(
  'TrainingEstimate',
  'What a training would take. `AdapterVersion.metrics` keeps beside it what then happened.',
  {
    examples: z.int().describe('Rows that would be learned; counted on a sample of at most 256.'),
    meanTokens: z.number().describe('Mean length of an example in tokens, prompt and answer.'),
    tokens: z.bigint().describe('Tokens of all steps, general text included, without padding.'),
    steps: z.int().describe('Steps of the whole run.'),
    memoryBytes: z.bigint().describe('Memory that the train worker would take at most, in bytes.'),
    availableBytes: z.bigint().describe('Memory that the machine has for it, in bytes.'),
    fits: z.boolean().describe('Whether that is enough; a run that it isn’t enough for is refused.'),
    tokensPerSecond: z
      .number()
      .nullable()
      .describe('Tokens learned a second on this machine, as seen or timed; null before this model was trained here.'),
    seconds: z
      .number()
      .nullable()
      .describe(
        'Seconds of all steps at that pace, without measurements on validation rows; null where it is unknown.',
      ),
  },
);
type TrainingEstimate = InstanceType<typeof TrainingEstimate>;

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
