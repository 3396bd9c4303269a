import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import { StrategyValues as Strategy } from '../../answer/ask/index.js';
import { DatasetVersion, loadVersion, Split, type Data } from '../../sources/data/index.js';
import {
  cost,
  fromGlobalId,
  runGraph,
  type GraphContext,
  recordType,
  inputType,
  idempotencyKey,
} from '../../kit/graphql/index.js';
import { id, oneOf, int, string, list } from '../../kernel/record.js';
import { comparison, strategyComparison } from './comparison-run.js';
import { MOST_COMPARED_ROWS, type Comparer } from './comparer.js';

export const strategyComparisonRuns = runGraph(
  strategyComparison.handledBy(({ comparer }: { comparer: Comparer }, context) => comparer.compare(context)),
);
const StrategyComparisonRun = strategyComparisonRuns.Run;
type StrategyComparisonRun = InstanceType<typeof StrategyComparisonRun>;

const CompareStrategiesInput = inputType(
  'CompareStrategiesInput',
  'On which rows, and with what, strategies are compared.',
  {
    datasetVersion: id('Id of the dataset version whose rows are answered.'),
    split: oneOf(Split, 'Which of its rows; never those for training.').default(Split.TEST),
    rows: int(
      `Most rows, 1 to ${MOST_COMPARED_ROWS}, each answered once by each strategy; of more a sample is drawn.`,
    ).default(200),
    seed: int('Of the sample: the same seed draws the same rows.').default(1),
    adapter: string(
      'For `ADAPTER` and `HYBRID`: `name` (its production version), `name@candidate` or `name@3`. Without it neither is compared.',
    ).nullish(),
    collections: list(
      z.string(),
      'For `RAG` and `HYBRID`: names of the collections that are read, 1 to 50. By default labels are read off the dataset’s labelled rows, where `indexDataset` indexed them, and questions are answered from all collections.',
    )
      .max(50)
      .nullish(),
    strategies: list(
      z.enum(Strategy),
      `Which strategies, 2 to ${Object.keys(Strategy).length}; by default all that can answer these rows.`,
    )
      .max(4)
      .nullish(),
    idempotencyKey,
  },
);

const ComparisonReport = recordType(comparison);
type ComparisonReport = InstanceType<typeof ComparisonReport>;

interface ComparisonResolverParts {
  comparer: Comparer;
  data: Data;
}

@Resolver(() => StrategyComparisonRun)
export class StrategyComparisonResolver extends strategyComparisonRuns.startedBy('compareStrategies', {
  description:
    'Lets the base model, retrieval, an adapter and both together answer the same labelled rows, and says which to use, with paired tests, as a run. No answer of it is recorded.',
  input: CompareStrategiesInput,
  argument: 'On which rows, and with what.',
  payload: 'The run that compares.',
  run: (parts: ComparisonResolverParts, input, { workspaceId }) => {
    const { datasetVersion, adapter = null, collections = null, strategies = null, ...rest } = input;
    const datasetVersionId = fromGlobalId(datasetVersion, 'DatasetVersion', 'input.datasetVersion');
    const request = { ...rest, adapter, collections, strategies, datasetVersionId };
    return parts.comparer.start(workspaceId, request);
  },
}) {
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
    return strategyComparison.outputOf(row);
  }
}
