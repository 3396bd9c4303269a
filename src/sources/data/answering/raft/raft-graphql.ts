import { z } from 'zod';
import {
  fromGlobalId,
  recordType,
  runGraph,
  ofType,
  idempotencyKey,
  inputType,
  toOne,
} from '../../../../kit/graphql/index.js';
import type { Data } from '../../data.js';
import { Dataset, loadDataset } from '../../datasets/dataset-graphql.js';
import { SplitRuleInput } from '../../datasets/import-graphql.js';
import { DatasetVersion, loadVersion } from '../../datasets/version-graphql.js';
import { RAFT_LIMITS } from './raft-maker.js';
import { raftMaking, raftOutput } from './raft-run.js';
import { string, id } from '../../../../kernel/record.js';

export const raftRuns = runGraph(raftMaking.handledBy(({ raft }: Data, context) => raft.make(context)));

const CreateRaftDatasetInput = inputType(
  'CreateRaftDatasetInput',
  'What an adapter is to learn to read, and on which questions.',
  {
    collection: string('Name of the collection whose passages are shown.'),
    dataset: string('Name of the dataset for `QUESTION_ANSWERING` that gets a version; made when there is none.'),
    questions: id(
      'Id of a `DatasetVersion` of questions with answers (and contexts, which make finding their passages surer) about the collection’s documents. Without it, questions are made of the passages.',
    ).nullish(),
    sample: z.int().default(400).describe('How many questions are made where none are given, 20 to 5,000.'),
    distractors: z
      .int()
      .default(RAFT_LIMITS.distractors)
      .describe('Passages that are shown beside the right one, 0 to 2: `ask` shows three in all.'),
    refusedShare: z
      .number()
      .default(0.25)
      .describe('Share of the rows whose passages lack the answer, so that it is to be refused; 0 to 0.8.'),
    keepSplits: z
      .boolean()
      .default(false)
      .describe(
        'Whether questions keep the split that they have in `questions`; no document may then have questions in two. Else each document has one split, by `splitRule`.',
      ),
    splitRule: ofType(() => SplitRuleInput)
      .nullish()
      .describe('By default a tenth each for validation and test.'),
    seed: z.int().default(1).describe('Of all draws: the same seed makes the same rows.'),
    idempotencyKey,
  },
);

const RaftDatasetResult = recordType(raftOutput);

export const RaftResolver = raftRuns.startedBy('createRaftDataset', {
  description:
    'Makes a dataset version that teaches an adapter to answer from a collection, as a run: questions, each with the passage that answers it and others that search finds for it, and a share without the right passage, to be refused (RAFT, retrieval-augmented fine-tuning). Train it with `startTraining` and ask it with `HYBRID`: both show passages in the same form. When the collection’s documents change, its answers say so.',
  cost: 100,
  input: CreateRaftDatasetInput,
  argument: 'Which collection, on which questions.',
  payload: 'The run that makes the version.',
  run: (data: Data, { questions = null, splitRule = null, ...input }, { workspaceId }) => {
    const questionsId = questions === null ? null : fromGlobalId(questions, 'DatasetVersion', 'input.questions');
    return data.raft.start(workspaceId, { ...input, questions: questionsId, splitRule });
  },
  fields: {
    dataset: toOne(
      () => Dataset,
      'The dataset that gets a version.',
      ({ row }, context, data: Data) => loadDataset(context, data, row.subjectId),
    ),
    version: toOne(
      () => DatasetVersion,
      'The version that it made, or found to exist already; null before its end.',
      ({ row }, context, data: Data) => loadVersion(context, data, raftMaking.outputOf(row)?.versionId ?? null),
      { cost: 5 },
    ),
    result: toOne(
      () => RaftDatasetResult,
      'What came of it; null until the run succeeded.',
      ({ row }) => raftMaking.outputOf(row),
      { cost: 1 },
    ),
  },
});
