import { z } from 'zod';
import { id, oneOf, string } from '../../kernel/record.js';
import { fromGlobalId, idempotencyKey, inputType, ofType, runGraph, toOne } from '../../kit/graphql/index.js';
import { RecipeInput, toVersion } from '../../learn/training/index.js';
import { DatasetVersion, loadVersion, SplitRuleInput, TaskKind, type Data } from '../../sources/data/index.js';
import type { AdapterRegistry } from '../../sources/registry/index.js';
import { tune, type TuneParts } from './tune.js';
import { fineTuning, stateOf } from './tuning-run.js';
import type { TuningService } from './tuning-service.js';

export const fineTuningRuns = runGraph(
  fineTuning.handledBy(({ tuner }: { tuner: TuneParts }, context) => tune(tuner, context)),
);

const StartFineTuningInput = inputType('StartFineTuningInput', 'Which files, and what they are to become.', {
  name: string(
    'Name of the adapter that gets a version, and of the dataset that the rows come into: 1 to 63 letters, digits, `.`, `_` or `-`. A new name makes both.',
  ),
  files: z
    .array(id('A file.'))
    .describe('Ids of 1 to 20 files uploaded with `POST /files`. A tenth of the rows is held out for the test.'),
  validationFiles: z
    .array(id('A file.'))
    .default([])
    .describe('At most 19 files whose rows choose among steps instead of a tenth of the others.'),
  task: oneOf(TaskKind, 'What the rows teach.'),
  splitRule: ofType(() => SplitRuleInput)
    .nullish()
    .describe('Which rows are held out; by default a tenth for the test, and one for validation unless files are.'),
  model: string('The base model, `name` or `name@quantization`; by default the configured one.').nullish(),
  recipe: ofType(() => RecipeInput)
    .nullish()
    .describe('What is to be other than in the preset of the task.'),
  idempotencyKey,
});

interface TuningParts {
  tuning: TuningService;
  data: Data;
  adapters: AdapterRegistry;
}

export const FineTuningResolver = fineTuningRuns.startedBy('startFineTuning', {
  description:
    'From files to a proven version in one run: imports the rows, trains, attests, evaluates, and says what the gate makes of it. It is evaluated beside the version in production, or else the base model. Nothing is promoted.',
  spends: 'TRAINING',
  cost: 100,
  input: StartFineTuningInput,
  argument: 'Which files, and what they are to become.',
  payload: 'The run that leads there.',
  run: ({ tuning }: TuningParts, { files, validationFiles, ...input }, { workspaceId }) =>
    tuning.start(workspaceId, {
      ...input,
      files: files.map((file) => fromGlobalId(file, 'File', 'input.files')),
      validationFiles: validationFiles.map((file) => fromGlobalId(file, 'File', 'input.validationFiles')),
    }),
  fields: {
    datasetVersion: toOne(
      () => DatasetVersion,
      'What the files became; null until then.',
      ({ row }, context, { data }: TuningParts) => loadVersion(context, data, stateOf(row).datasetVersionId),
    ),
    adapterVersion: toVersion(
      'The version that was trained; null until then. Its `gate` and `evaluations` say what it is worth.',
      ({ row }) => stateOf(row).adapterVersionId,
    ),
  },
});
