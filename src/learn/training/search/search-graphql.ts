import { Ctx, FieldResolver, Float, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import { DatasetVersion, loadVersion, type Data } from '../../../sources/data/index.js';
import {
  cost,
  fromGlobalId,
  JsonScalar,
  runEvent,
  RunEventType,
  runGraph,
  type GraphContext,
  recordType,
  ofType,
  idempotencyKey,
  inputType,
  type RunObject,
} from '../../../kit/graphql/index.js';
import { record, string, id } from '../../../kernel/record.js';
import { RecipeInput } from '../runs/training-graphql.js';
import { SEARCH_RATES, type RateSearcher } from './rate-searcher.js';
import { learningRateSearch, triedRate } from './search-run.js';

const TriedRate = recordType(triedRate);
type TriedRate = InstanceType<typeof TriedRate>;

const rateTried = record('LearningRateTried', 'One more learning rate was tried.', {
  tried: triedRate.describe('What it came to.'),
});

export const learningRateSearchRuns = runGraph(
  learningRateSearch.handledBy(({ searcher }: { searcher: RateSearcher }, context) => searcher.search(context)),
  { tried: runEvent(recordType(rateTried, RunEventType), (trial) => ({ tried: trial })) },
);
const LearningRateSearchRun = learningRateSearchRuns.Run;

const FindLearningRateInput = inputType(
  'FindLearningRateInput',
  'What is to be trained, and which learning rates are tried for it.',
  {
    datasetVersion: id('The dataset version; it needs rows for validation.'),
    model: string('The base model, `name` or `name@quantization`; by default the configured one.').nullish(),
    recipe: ofType(() => RecipeInput)
      .nullish()
      .describe('The recipe that the rate is for, as for `startTraining`.'),
    rates: z
      .array(z.number())
      .max(SEARCH_RATES.most)
      .nullish()
      .describe(
        `The rates, ${SEARCH_RATES.least} to ${SEARCH_RATES.most}; by default a third of the recipe’s, the recipe’s, and three times it.`,
      ),
    steps: z.int().nullish().describe('Steps of each short training, 5 to 1,000; 40 by default.'),
    idempotencyKey,
  },
);

interface RateSearchResolverParts {
  searcher: RateSearcher;
  data: Data;
}

@Resolver(() => LearningRateSearchRun)
export class RateSearchResolver extends learningRateSearchRuns.startedBy('findLearningRate', {
  description:
    'Trains a few steps at three to five learning rates, each anew, measures each on rows for validation, and says which to take. It keeps no adapter.',
  spends: 'TRAINING',
  cost: 50,
  input: FindLearningRateInput,
  argument: 'What is to be trained.',
  payload: 'The run that tries the learning rates.',
  run: (parts: RateSearchResolverParts, { datasetVersion, rates = null, steps = null, ...input }, { workspaceId }) => {
    const datasetVersionId = fromGlobalId(datasetVersion, 'DatasetVersion', 'input.datasetVersion');
    return parts.searcher.start(workspaceId, { ...input, datasetVersionId, rates, steps });
  },
}) {
  @FieldResolver(() => DatasetVersion, {
    nullable: true,
    description: 'The rows that it trains on.',
    complexity: cost(2),
  })
  datasetVersion(@Root() { row }: RunObject, @Ctx() context: GraphContext): Promise<DatasetVersion | null> {
    return loadVersion(context, this.parts.data, learningRateSearch.inputOf(row).datasetVersionId);
  }

  @FieldResolver(() => JsonScalar, { description: 'The recipe that the rate is for: every field, presets included.' })
  recipe(@Root() { row }: RunObject): unknown {
    return learningRateSearch.inputOf(row).recipe;
  }

  @FieldResolver(() => [TriedRate], { description: 'What was tried so far, the smallest rate first.' })
  tried(@Root() { row }: RunObject): TriedRate[] {
    return (learningRateSearch.outputOf(row) ?? learningRateSearch.checkpointOf(row))?.tried ?? [];
  }

  @FieldResolver(() => Float, {
    nullable: true,
    description: 'The rate to take, that of the least loss on rows for validation; null before the end.',
  })
  learningRate(@Root() { row }: RunObject): number | null {
    return learningRateSearch.outputOf(row)?.learningRate ?? null;
  }
}
