import { z } from 'zod';
import { PreprocessingStep, splitRule, TaskKind } from '../../../sources/data/index.js';
import { StrategyValues as Strategy, type AnswerFilter } from '../../../answer/ask/index.js';
import { record, oneOf, int, list, boolean } from '../../../kernel/record.js';
import { storedJson } from '../../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../../platform/runs/index.js';
import { LeftOut } from './lesson.js';
import { movedLabel, undecidedLabel } from './moved-labels.js';

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
type KeptFilter = z.infer<typeof keptFilter>;

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

const leftOut = record('AnswersLeftOut', 'Answers that teach nothing, for one reason.', {
  reason: oneOf(LeftOut, 'The reason.'),
  answers: int('How many.'),
});

const counts = z.object({
  answers: int('Answers with feedback that were looked at, the newest first, at most 100,000.'),
  demonstrated: int('Answers of which somebody said what is right.'),
  confirmed: int('Answers that people said are right.'),
  fresh: int('Of both, those whose rows the dataset lacked.'),
  leftOut: list(leftOut, 'The others, by reason, most first.'),
  moved: list(
    movedLabel,
    'Labels whose rows in the version before say what is no longer true, as a person confirmed; at most one entry a label.',
  ).default([]),
  proposed: list(
    movedLabel,
    'Labels that have moved by their lessons, whose rows stay as they are until a person confirms it in the review queue (`LABEL_MOVED`). A label of which a person said that it hasn’t is missing.',
  ).default([]),
  /** Review items of `moved` and of `proposed`. */
  movedItems: z.array(z.string()).default([]),
  proposedItems: z.array(z.string()).default([]),
  undecided: list(
    undecidedLabel,
    'Labels of which the lessons can’t tell whether they moved, the most probable first.',
  ).default([]),
});
export type CurationCounts = z.infer<typeof counts>;

export const curationOutput = record('CurationResult', 'What came of a CURATION run.', {
  ...counts.shape,
  /** null where there was nothing new, or too little. */
  versionId: z.string().nullable(),
  created: boolean('False where nothing was new, or too little, or a version of the very same rows existed already.'),
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
      /** Null: those of the version that is extended, or none. */
      steps: z.array(z.enum(PreprocessingStep)).nullable(),
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
