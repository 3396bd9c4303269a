import { z } from 'zod';
import { enumeration } from '../../../kernel/enumeration.js';
import { storedJson } from '../../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../../platform/runs/index.js';
import { splitRule } from '../../datasets/importing/splits.js';

/** Where the questions of a RAFT set come from. */
export const RaftSource = enumeration('LABELLED', 'CLOZE');
export type RaftSource = keyof typeof RaftSource;

const raftOutput = z.object({
  versionId: z.string(),
  /** False when the rows were those of an existing version. */
  created: z.boolean(),
  source: z.enum(RaftSource),
  /** Rows that show the passage with the answer, and rows that don't and are to be refused. */
  answered: z.number().int(),
  refused: z.number().int(),
  /** Questions whose passage the collection lacks, or retrieval doesn't find. */
  leftOut: z.number().int(),
  /** Documents whose passages are right ones. */
  documents: z.number().int(),
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
