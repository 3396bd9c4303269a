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
  Resolver,
  Root,
} from 'type-graphql';
import { DatasetVersion, loadVersion, type Data } from '../../data/index.js';
import {
  SpendsBudget,
  Needs,
  cost,
  fromGlobalId,
  IDEMPOTENCY_KEY,
  JsonScalar,
  MaxItems,
  runEvent,
  RunEventType,
  runGraph,
  runObject,
  type GraphContext,
  recordType,
} from '../../graphql-kit/index.js';
import { RecipeInput } from '../runs/training-graphql.js';
import { SEARCH_RATES, type RateSearcher } from './rate-searcher.js';
import { learningRateSearch, triedRate } from './search-run.js';

const TriedRate = recordType(triedRate);
type TriedRate = InstanceType<typeof TriedRate>;

@ObjectType({ implements: RunEventType, description: 'One more learning rate was tried.' })
export class LearningRateTried extends RunEventType {
  @Field(() => TriedRate, { description: 'What it came to.' })
  tried!: TriedRate;
}

export const learningRateSearchRuns = runGraph(
  learningRateSearch.handledBy(({ searcher }: { searcher: RateSearcher }, context) => searcher.search(context)),
  { tried: runEvent(LearningRateTried, (tried) => ({ tried })) },
);
const LearningRateSearchRun = learningRateSearchRuns.Run;
type LearningRateSearchRun = InstanceType<typeof LearningRateSearchRun>;

@InputType({ description: 'What is to be trained, and which learning rates are tried for it.' })
export class FindLearningRateInput {
  @Field(() => ID, { description: 'The dataset version; it needs rows for validation.' })
  datasetVersion!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The base model, `name` or `name@quantization`; by default the configured one.',
  })
  model?: string | null;

  @Field(() => RecipeInput, { nullable: true, description: 'The recipe that the rate is for, as for `startTraining`.' })
  recipe?: RecipeInput | null;

  @Field(() => [Float], {
    nullable: true,
    description: `The rates, ${SEARCH_RATES.least} to ${SEARCH_RATES.most}; by default a third of the recipe’s, the recipe’s, and three times it.`,
  })
  @MaxItems(SEARCH_RATES.most)
  rates?: number[] | null;

  @Field(() => Int, { nullable: true, description: 'Steps of each short training, 5 to 1,000; 40 by default.' })
  steps?: number | null;

  @Field(() => ID, { description: IDEMPOTENCY_KEY })
  idempotencyKey!: string;
}

const FindLearningRatePayload = learningRateSearchRuns.payload(
  'FindLearningRatePayload',
  'The run that tries the learning rates.',
);
type FindLearningRatePayload = InstanceType<typeof FindLearningRatePayload>;

export interface RateSearchResolverParts {
  searcher: RateSearcher;
  data: Data;
}

@Resolver(() => LearningRateSearchRun)
export class RateSearchResolver {
  constructor(private readonly parts: RateSearchResolverParts) {}

  @Needs('EDIT')
  @SpendsBudget('TRAINING')
  @Mutation(() => FindLearningRatePayload, {
    description:
      'Trains a few steps at three to five learning rates, each anew, measures each on rows for validation, and says which to take. It keeps no adapter.',
    complexity: cost(50),
  })
  async findLearningRate(
    @Arg('input', () => FindLearningRateInput, { description: 'What is to be trained.' })
    { datasetVersion, rates = null, steps = null, ...input }: FindLearningRateInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<FindLearningRatePayload> {
    const datasetVersionId = fromGlobalId(datasetVersion, 'DatasetVersion', 'input.datasetVersion');
    return {
      run: runObject(await this.parts.searcher.start(workspaceId, { ...input, datasetVersionId, rates, steps })),
    };
  }

  @FieldResolver(() => DatasetVersion, {
    nullable: true,
    description: 'The rows that it trains on.',
    complexity: cost(2),
  })
  datasetVersion(@Root() { row }: LearningRateSearchRun, @Ctx() context: GraphContext): Promise<DatasetVersion | null> {
    return loadVersion(context, this.parts.data, learningRateSearch.inputOf(row).datasetVersionId);
  }

  @FieldResolver(() => JsonScalar, { description: 'The recipe that the rate is for: every field, presets included.' })
  recipe(@Root() { row }: LearningRateSearchRun): unknown {
    return learningRateSearch.inputOf(row).recipe;
  }

  @FieldResolver(() => [TriedRate], { description: 'What was tried so far, the smallest rate first.' })
  tried(@Root() { row }: LearningRateSearchRun): TriedRate[] {
    return (learningRateSearch.outputOf(row) ?? learningRateSearch.checkpointOf(row))?.tried ?? [];
  }

  @FieldResolver(() => Float, {
    nullable: true,
    description: 'The rate to take, that of the least loss on rows for validation; null before the end.',
  })
  learningRate(@Root() { row }: LearningRateSearchRun): number | null {
    return learningRateSearch.outputOf(row)?.learningRate ?? null;
  }
}
