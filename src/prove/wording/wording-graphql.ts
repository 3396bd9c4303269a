import { z } from 'zod';
import { Split } from '../../sources/data/index.js';
import {
  fromGlobalId,
  recordType,
  runGraph,
  inputType,
  idempotencyKey,
  fieldsOf,
  toOne,
} from '../../kit/graphql/index.js';
import { string, id, oneOf, int, list } from '../../kernel/record.js';
import { measuredWording, Model, type ModelRegistry } from '../../sources/registry/index.js';
import { wordingComparison, wordingReport } from './wording-run.js';
import { LEAST_WORDED_ROWS, MOST_WORDED_ROWS, type WordingComparer } from './wording-comparer.js';

export const wordingComparisonRuns = runGraph(
  wordingComparison.handledBy(({ wordings }: { wordings: WordingComparer }, context) => wordings.compare(context)),
);

const CompareWordingsInput = inputType(
  'CompareWordingsInput',
  'Which model words answers, to which questions, from what.',
  {
    model: string('`name`, or `name@quantization`; at most 130 characters. By default the configured one.').nullish(),
    datasetVersion: id('Id of a dataset version for `QUESTION_ANSWERING` whose rows are asked.'),
    split: oneOf(Split, 'Which of its rows; never those for training.').default(Split.TEST),
    rows: int(`Most rows, ${LEAST_WORDED_ROWS} to ${MOST_WORDED_ROWS}; of more a sample is drawn.`).default(200),
    seed: int('Of the sample: the same seed draws the same rows.').default(1),
    collections: list(z.string(), 'Names of the collections that answer them, 1 to 50.').max(50),
    idempotencyKey,
  },
);

const MeasuredWording = recordType(measuredWording);
type MeasuredWording = InstanceType<typeof MeasuredWording>;
const WordingReport = recordType(wordingReport);
type WordingReport = InstanceType<typeof WordingReport>;

export const WordingComparisonResolver = wordingComparisonRuns.startedBy('compareWordings', {
  description:
    'Lets a model word answers from documents to labelled questions and holds them against the best quotes, as a run. Answers from documents take from then on the model’s words where these are shown to be right more often, else the quote. No answer of it is recorded.',
  input: CompareWordingsInput,
  argument: 'Which model, which questions.',
  payload: 'The run that compares.',
  run: (parts: { wordings: WordingComparer }, input, { workspaceId }) => {
    const { datasetVersion, model = null, ...rest } = input;
    const datasetVersionId = fromGlobalId(datasetVersion, 'DatasetVersion', 'input.datasetVersion');
    return parts.wordings.start(workspaceId, { ...rest, model, datasetVersionId });
  },
  fields: {
    report: toOne(
      () => WordingReport,
      'What was found; null until the run succeeded.',
      ({ row }) => wordingComparison.outputOf(row),
      { cost: 1 },
    ),
  },
});

export const WordedModelResolver = fieldsOf<Model, { registry: ModelRegistry }>(() => Model, {
  wording: toOne(
    () => MeasuredWording,
    'What `compareWordings` found of it last; null where it wasn’t run.',
    (model, context, { registry }) => {
      const wordings = context.loader<string, MeasuredWording | null>('evaluation.wordings', (ids) =>
        registry.measuredWordings(context.workspaceId, ids),
      );
      return wordings.load(model.rowId);
    },
  ),
});
