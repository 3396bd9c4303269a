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
import { StrategyValues as Strategy } from '../../ask/index.js';
import { DatasetVersion, loadVersion, Split, type Data } from '../../data/index.js';
import {
  SpendsBudget,
  Needs,
  cost,
  fromGlobalId,
  IDEMPOTENCY_KEY,
  make,
  MaxItems,
  runGraph,
  runObject,
  type GraphContext,
} from '../../graphql-kit/index.js';
import { strategyComparison, type Comparison } from './comparison-run.js';
import { MOST_COMPARED_ROWS, type Comparer } from './comparer.js';

export const strategyComparisonRuns = runGraph(
  strategyComparison.handledBy(({ comparer }: { comparer: Comparer }, context) => comparer.compare(context)),
  {},
);
const StrategyComparisonRun = strategyComparisonRuns.Run;
type StrategyComparisonRun = InstanceType<typeof StrategyComparisonRun>;

@InputType({ description: 'On which rows, and with what, strategies are compared.' })
export class CompareStrategiesInput {
  @Field(() => ID, { description: 'Id of the dataset version whose rows are answered.' })
  datasetVersion!: string;

  @Field(() => Split, {
    nullable: true,
    defaultValue: Split.TEST,
    description: 'Which of its rows; never those for training.',
  })
  split!: Split;

  @Field(() => Int, {
    nullable: true,
    defaultValue: 200,
    description: `Most rows, 1 to ${MOST_COMPARED_ROWS}, each answered once by each strategy; of more a sample is drawn.`,
  })
  rows!: number;

  @Field(() => Int, {
    nullable: true,
    defaultValue: 1,
    description: 'Of the sample: the same seed draws the same rows.',
  })
  seed!: number;

  @Field(() => String, {
    nullable: true,
    description:
      'For `ADAPTER` and `HYBRID`: `name` (its production version), `name@candidate` or `name@3`. Without it neither is compared.',
  })
  adapter?: string | null;

  @MaxItems(50)
  @Field(() => [String], {
    nullable: true,
    description:
      'For `RAG` and `HYBRID`: names of the collections that are read, 1 to 50. By default labels are read off the dataset’s labelled rows, where `indexDataset` indexed them, and questions are answered from all collections.',
  })
  collections?: string[] | null;

  @MaxItems(4)
  @Field(() => [Strategy], {
    nullable: true,
    description: `Which strategies, 2 to ${Object.keys(Strategy).length}; by default all that can answer these rows.`,
  })
  strategies?: (keyof typeof Strategy)[] | null;

  @Field(() => ID, { description: IDEMPOTENCY_KEY })
  idempotencyKey!: string;
}

const CompareStrategiesPayload = strategyComparisonRuns.payload('CompareStrategiesPayload', 'The run that compares.');
type CompareStrategiesPayload = InstanceType<typeof CompareStrategiesPayload>;

@ObjectType({ description: 'What one strategy is worth on the rows, and what it costs.' })
export class StrategyFigure {
  @Field(() => Strategy, { description: 'The strategy.' })
  strategy!: keyof typeof Strategy;

  @Field(() => Float, { description: 'The metric of the task that decides.' })
  value!: number;

  @Field(() => Float, { description: 'Lower end of its 95 % interval.' })
  low!: number;

  @Field(() => Float, { description: 'Upper end.' })
  high!: number;

  @Field(() => Int, { description: 'Rows to which it gave no answer.' })
  abstained!: number;

  @Field(() => Float, { description: 'Median time of an answer, in milliseconds.' })
  medianMs!: number;
}

@ObjectType({ description: 'Rows that only one of two strategies has right (McNemar’s exact test).' })
export class RightOrWrong {
  @Field(() => Int, { description: 'Rows that only the first has right.' })
  onlyFirst!: number;

  @Field(() => Int, { description: 'Rows that only the second has right.' })
  onlySecond!: number;

  @Field(() => Float, { description: 'Probability of a split at least as uneven if both were equally good.' })
  p!: number;
}

@ObjectType({ description: 'Two strategies on the same rows.' })
export class StrategyPair {
  @Field(() => Strategy, { description: 'The first.' })
  first!: keyof typeof Strategy;

  @Field(() => Strategy, { description: 'The second.' })
  second!: keyof typeof Strategy;

  @Field(() => Float, { description: 'The metric of the second minus that of the first.' })
  value!: number;

  @Field(() => Float, { description: 'Lower end of its 95 % interval (paired bootstrap).' })
  low!: number;

  @Field(() => Float, { description: 'Upper end.' })
  high!: number;

  @Field(() => Float, { description: 'Probability of a difference at least this large if there were none.' })
  p!: number;

  @Field(() => Float, {
    nullable: true,
    description:
      'The same, corrected for all pairs that were looked at (Holm), 0 to 1: what decides. Null in comparisons from before.',
  })
  adjustedP!: number | null;

  @Field(() => RightOrWrong, {
    nullable: true,
    description: 'Where each answer is right or wrong; null where answers are right in part.',
  })
  mcnemar!: RightOrWrong | null;
}

@ObjectType({ description: 'What a comparison of strategies found.' })
export class ComparisonReport {
  @Field(() => String, { description: 'Which to use, and why, in words.' })
  sentence!: string;

  @Field(() => Strategy, {
    description: 'Which to use: the best, or the quickest of those that can’t be told from it.',
  })
  recommended!: keyof typeof Strategy;

  @Field(() => Boolean, { description: 'Whether the best one is shown to be better than all others.' })
  decided!: boolean;

  @Field(() => String, { description: 'Name of the metric.' })
  metric!: string;

  @Field(() => Int, { description: 'Rows that were answered.' })
  rows!: number;

  @Field(() => [StrategyFigure], { description: 'Each strategy.' })
  strategies!: StrategyFigure[];

  @Field(() => [StrategyPair], { description: 'Each two of them.' })
  pairs!: StrategyPair[];
}

const toReport = ({ strategies, pairs, ...rest }: Comparison): ComparisonReport =>
  make(ComparisonReport, {
    ...rest,
    strategies: strategies.map((each) => make(StrategyFigure, each)),
    pairs: pairs.map(({ mcnemar, adjustedP = null, ...each }) =>
      make(StrategyPair, { ...each, adjustedP, mcnemar: mcnemar && make(RightOrWrong, mcnemar) }),
    ),
  });

export interface ComparisonResolverParts {
  comparer: Comparer;
  data: Data;
}

@Resolver(() => StrategyComparisonRun)
export class StrategyComparisonResolver {
  constructor(private readonly parts: ComparisonResolverParts) {}

  @Needs('EDIT')
  @SpendsBudget('RUN')
  @Mutation(() => CompareStrategiesPayload, {
    description:
      'Lets the base model, retrieval, an adapter and both together answer the same labelled rows, and says which to use, with paired tests, as a run. No answer of it is recorded.',
    complexity: cost(20),
  })
  async compareStrategies(
    @Arg('input', () => CompareStrategiesInput, { description: 'On which rows, and with what.' })
    input: CompareStrategiesInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<CompareStrategiesPayload> {
    const { datasetVersion, adapter = null, collections = null, strategies = null, ...rest } = input;
    const datasetVersionId = fromGlobalId(datasetVersion, 'DatasetVersion', 'input.datasetVersion');
    const wanted = { ...rest, adapter, collections, strategies, datasetVersionId };
    const run = await this.parts.comparer.start(workspaceId, wanted);
    return { run: runObject(run) };
  }

  @FieldResolver(() => DatasetVersion, {
    nullable: true,
    description: 'The version whose rows are answered.',
    complexity: cost(5),
  })
  version(@Root() { row }: StrategyComparisonRun, @Ctx() context: GraphContext): Promise<DatasetVersion | null> {
    return loadVersion(context, this.parts.data, strategyComparison.inputOf(row).datasetVersionId);
  }

  @FieldResolver(() => ComparisonReport, {
    nullable: true,
    description: 'What was found; null until the run succeeded.',
  })
  report(@Root() { row }: StrategyComparisonRun): ComparisonReport | null {
    const found = strategyComparison.outputOf(row);
    return found && toReport(found);
  }
}
