import { z } from 'zod';
import { runGraph, recordType, inputType, idempotencyKey, toOne } from '../../../kit/graphql/index.js';
import { Collection, loadCollection, type KnowledgeStores } from '../collection-graphql.js';
import { labelledQuestion, TUNING_LIMITS, type RetrievalTuner } from './retrieval-tuner.js';
import { retrievalTuning, tuningResult } from './tuning-run.js';
import { string } from '../../../kernel/record.js';

export const retrievalTuningRuns = runGraph(
  retrievalTuning.handledBy(({ tuner }: { tuner: RetrievalTuner }, context) => tuner.tune(context)),
);

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

interface TuningResolverParts {
  tuner: RetrievalTuner;
  stores: KnowledgeStores;
}

export const RetrievalTuningResolver = retrievalTuningRuns.startedBy('tuneRetrieval', {
  description:
    'Chooses how much meaning counts against words in hybrid searches of a collection, as a run: on labelled questions, or on ones that are made of its own passages. To set a weight by hand, `setDenseWeight`.',
  input: TuneRetrievalInput,
  argument: 'Which collection, on which questions.',
  payload: 'The run that chooses a weight.',
  goesOn: 'It goes on by itself; search uses the old weight until it is done.',
  run: (parts: TuningResolverParts, { questions = null, ...input }, { workspaceId }) =>
    parts.tuner.start(workspaceId, { ...input, questions }),
  fields: {
    collection: toOne(
      () => Collection,
      'The collection; null when it was deleted.',
      ({ row }, context, { stores }: TuningResolverParts) =>
        row.subjectId === null ? null : loadCollection(context, stores, row.subjectId),
    ),
    result: toOne(
      () => RetrievalTuningResult,
      'What came of it; null until the run succeeded.',
      ({ row }) => retrievalTuning.outputOf(row),
      { cost: 1 },
    ),
  },
});
