import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import {
  SpendsBudget,
  Needs,
  cost,
  fromGlobalId,
  type GraphContext,
  ofType,
  inputType,
  recordType,
} from '../../../kit/graphql/index.js';
import { RecipeInput } from '../runs/training-graphql.js';
import { trainingEstimate, type TrainingEstimate, type TrainingEstimator } from './training-estimator.js';
import { string, id } from '../../../kernel/record.js';

const EstimateTrainingInput = inputType(
  'EstimateTrainingInput',
  'What would be trained, on which rows, and how: as for `startTraining`.',
  {
    datasetVersion: id('The dataset version.'),
    model: string('The base model, `name` or `name@quantization`; by default the configured one.').nullish(),
    recipe: ofType(() => RecipeInput)
      .nullish()
      .describe('What is to be other than in the preset of the task.'),
  },
);
type EstimateTrainingInput = InstanceType<typeof EstimateTrainingInput>;

const TrainingEstimateType = recordType(trainingEstimate);

interface EstimateResolverParts {
  estimator: TrainingEstimator;
}

@Resolver()
export class EstimateResolver {
  constructor(private readonly parts: EstimateResolverParts) {}

  @Needs('EDIT')
  @SpendsBudget('RUN')
  @Query(() => TrainingEstimateType, {
    description: 'What a training would take in time and memory. Nothing is started.',
    complexity: cost(50),
  })
  async estimateTraining(
    @Arg('input', () => EstimateTrainingInput, { description: 'What would be trained.' })
    { datasetVersion, ...input }: EstimateTrainingInput,
    @Ctx() { workspaceId, signal }: GraphContext,
  ): Promise<TrainingEstimate> {
    const datasetVersionId = fromGlobalId(datasetVersion, 'DatasetVersion', 'input.datasetVersion');
    return this.parts.estimator.estimate(workspaceId, { ...input, datasetVersionId }, signal);
  }
}
