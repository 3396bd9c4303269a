import { z } from 'zod';
import { PreprocessingStep, splitRule, TaskKind } from '../../data/index.js';
import { StrategyValues as Strategy, type AnswerFilter } from '../../ask/index.js';
import { storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';
import { LeftOut } from './lesson.js';

/** A filter of answers as runs keep it: times as ISO 8601. */
const keptFilter = z.object({
  strategy: z.enum(Strategy).nullish(),
  abstained: z.boolean().nullish(),
  conversationId: z.string().nullish(),
  adapterVersionId: z.string().nullish(),
  task: z.enum(TaskKind).nullish(),
  disagrees: z.boolean().nullish(),
  confidenceBelow: z.number().nullish(),
  from: z.string().nullish(),
  to: z.string().nullish(),
  sample: z.object({ rate: z.number(), seed: z.number() }).nullish(),
});
export type KeptFilter = z.infer<typeof keptFilter>;

export const keepFilter = ({ hasFeedback: _, from, to, sample, ...filter }: AnswerFilter): KeptFilter => ({
  ...filter,
  from: from?.toISOString() ?? null,
  to: to?.toISOString() ?? null,
  sample: sample ? { rate: sample.rate, seed: sample.seed } : null,
});

export const toAnswerFilter = ({ from, to, ...filter }: KeptFilter): AnswerFilter => ({
  ...filter,
  hasFeedback: true,
  from: from ? new Date(from) : null,
  to: to ? new Date(to) : null,
});

const counts = z.object({
  /** Answers with feedback that were looked at. */
  answers: z.number().int(),
  /** Rows of what somebody said is right, and of what people said is. */
  demonstrated: z.number().int(),
  confirmed: z.number().int(),
  /** Of these, rows that the dataset doesn't have like this. */
  fresh: z.number().int(),
  leftOut: z.array(z.object({ reason: z.enum(LeftOut), answers: z.number().int() })),
  /** Labels whose older rows say what is no longer true: see `movedLabels`. */
  moved: z
    .array(
      z.object({
        from: z.string(),
        to: z.string().nullable(),
        lessons: z.number().int(),
        contrary: z.number().int(),
      }),
    )
    .default([]),
  /** Labels of which that can't be told, and why. */
  undecided: z
    .array(z.object({ label: z.string(), lessons: z.number().int(), contrary: z.number().int(), reason: z.string() }))
    .default([]),
});
export type CurationCounts = z.infer<typeof counts>;

const curationOutput = counts.extend({
  /** null where there was nothing new, or too little. */
  versionId: z.string().nullable(),
  /** False where there was nothing new, or the rows were those of an existing version. */
  created: z.boolean(),
});
export type CurationOutput = z.infer<typeof curationOutput>;

export const curation = defineRunKind({
  kind: 'CURATION',
  description: 'What people demonstrated or confirmed as answers becomes a dataset version.',
  subject: 'Dataset',
  input: storedJson(
    z.object({
      datasetId: z.string(),
      filter: keptFilter,
      extend: z.boolean(),
      leastProbability: z.number(),
      leastRows: z.number().int(),
      steps: z.array(z.enum(PreprocessingStep)),
      splitRule: splitRule.nullable(),
    }),
  ),
  output: storedJson(curationOutput),
  /** The file of rows, once it is stored; null: there was too little for one. */
  checkpoint: storedJson(counts.extend({ fileId: z.string().nullable() })),
});
export type CurationContext = ContextOf<typeof curation>;

export const unlearning = defineRunKind({
  kind: 'UNLEARNING',
  description:
    'Rows that were made of erased answers are taken out of their dataset, and versions that hold them withdrawn.',
  subject: 'Dataset',
  input: storedJson(z.object({ datasetId: z.string(), answerIds: z.array(z.string()) })),
  output: storedJson(
    z.object({
      /** The run that made the version without them; null where no version held any. */
      importRunId: z.string().nullable(),
      withdrawn: z.number().int(),
    }),
  ),
});
export type UnlearningContext = ContextOf<typeof unlearning>;
