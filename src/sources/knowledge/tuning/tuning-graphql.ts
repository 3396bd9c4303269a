import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import {
  cost,
  runGraph,
  type GraphContext,
  recordType,
  inputType,
  idempotencyKey,
  type RunObject,
} from '../../../kit/graphql/index.js';
import { Collection, loadCollection, type KnowledgeStores } from '../collection-graphql.js';
import { labelledQuestion, TUNING_LIMITS, type RetrievalTuner } from './retrieval-tuner.js';
import { retrievalTuning, tuningResult } from './tuning-run.js';
import { string } from '../../../kernel/record.js';

export const retrievalTuningRuns = runGraph(
  retrievalTuning.handledBy(({ tuner }: { tuner: RetrievalTuner }, context) => tuner.tune(context)),
);
const RetrievalTuningRun = retrievalTuningRuns.Run;

const TuneRetrievalInput = inputType('TuneRetrievalInput', 'On which questions a collection’s weight is chosen.', {
  collection: string('Name of the collection.'),
  questions: z
    .array(labelledQuestion)
    .max(TUNING_LIMITS.questions)
    .nullish()
    .describe(
      '20 to 1,000 questions with what answers them: half of them choose, the other half checks. Without any, questions are made of the collection’s own passages.',
    ),
  sample: z.int().default(200).describe('How many passages questions are made of where none are sent, 20 to 1,000.'),
  seed: z.int().default(1).describe('Of the draw: the same seed draws the same passages and halves.'),
  idempotencyKey,
});

const RetrievalTuningResult = recordType(tuningResult);
type RetrievalTuningResult = InstanceType<typeof RetrievalTuningResult>;

interface TuningResolverParts {
  tuner: RetrievalTuner;
  stores: KnowledgeStores;
}

@Resolver(() => RetrievalTuningRun)
export class RetrievalTuningResolver extends retrievalTuningRuns.startedBy('tuneRetrieval', {
  description:
    'Chooses how much meaning counts against words in hybrid searches of a collection, as a run: on labelled questions, or on ones that are made of its own passages. To set a weight by hand, `setDenseWeight`.',
  input: TuneRetrievalInput,
  argument: 'Which collection, on which questions.',
  payload: 'The run that chooses a weight.',
  goesOn: 'It goes on by itself; search uses the old weight until it is done.',
  run: (parts: TuningResolverParts, { questions = null, ...input }, { workspaceId }) =>
    parts.tuner.start(workspaceId, { ...input, questions }),
}) {
  @FieldResolver(() => Collection, {
    nullable: true,
    description: 'The collection; null when it was deleted.',
    complexity: cost(2),
  })
  async collection(@Root() { row }: RunObject, @Ctx() context: GraphContext): Promise<Collection | null> {
    return row.subjectId === null ? null : loadCollection(context, this.parts.stores, row.subjectId);
  }

  @FieldResolver(() => RetrievalTuningResult, {
    nullable: true,
    description: 'What came of it; null until the run succeeded.',
  })
  result(@Root() { row }: RunObject): RetrievalTuningResult | null {
    return retrievalTuning.outputOf(row);
  }
}
