import { z } from 'zod';
import { choice, record, boolean, oneOf, int } from '../../../../kernel/record.js';
import { storedJson } from '../../../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../../../platform/runs/index.js';
import { splitRule } from '../../datasets/importing/splits.js';

/** Where the questions of a RAFT set come from. */
export const RaftSource = choice('RaftSource', 'Where the questions of a set came from.', {
  LABELLED: 'A dataset version brought them, with their answers.',
  CLOZE: 'Spans of the collection’s own sentences that recur elsewhere in it are hidden and asked for.',
});
export type RaftSource = keyof typeof RaftSource;

export const raftOutput = record('RaftDatasetResult', 'What came of a RAFT_DATASET run.', {
  versionId: z.string(),
  created: boolean('False when a version of the very same rows existed already.'),
  source: oneOf(RaftSource, 'Where the questions came from.'),
  answered: int('Rows that show the passage with their answer.'),
  refused: int('Rows that don’t, and are to be refused.'),
  /** The collection lacks it, or retrieval doesn't find it. */
  leftOut: int('Questions without a row, because no passage with their answer was found.'),
  documents: int('Documents that are asked about.'),
});
export type RaftOutput = z.infer<typeof raftOutput>;

export const raftMaking = defineRunKind({
  kind: 'RAFT_DATASET',
  description: 'Questions, the passages that answer them and others that retrieval finds become a dataset version.',
  subject: 'Dataset',
  input: storedJson(
    z.object({
      datasetId: z.string(),
      collectionId: z.string(),
      /** The version whose questions are asked; null: clozes are made. */
      questionsId: z.string().nullable(),
      sample: z.number().int(),
      distractors: z.number().int(),
      refusedShare: z.number(),
      keepSplits: z.boolean(),
      splitRule: splitRule,
      seed: z.number().int(),
    }),
  ),
  output: storedJson(raftOutput),
  /** The file of rows, once it is stored. */
  checkpoint: storedJson(
    raftOutput
      .omit({ versionId: true, created: true })
      .extend({ fileId: z.string(), digest: z.string(), names: z.array(z.string()) }),
  ),
});
export type RaftContext = ContextOf<typeof raftMaking>;
export type RaftInput = RaftContext['input'];
