import { z } from 'zod';
import {
  fieldsOf,
  fromGlobalId,
  make,
  runGraph,
  idempotencyKey,
  inputType,
  objectType,
  toOne,
} from '../../../../kit/graphql/index.js';
import type { Data } from '../../data.js';
import { DatasetVersion, loadVersion } from '../../datasets/version-graphql.js';
import { labelIndexing } from './label-index-run.js';
import { float, date, id } from '../../../../kernel/record.js';

const IndexDatasetInput = inputType('IndexDatasetInput', 'Whose labelled rows to index.', {
  datasetVersion: id('Id of a `DatasetVersion` of a dataset for `CLASSIFICATION`.'),
  idempotencyKey,
});

export const labelIndexingRuns = runGraph(
  labelIndexing.handledBy(({ labelIndexes }: Data, context) => labelIndexes.index(context)),
);

const LabelIndex = objectType(
  'LabelIndex',
  'Labelled rows of a version as vectors: those nearest to a text say its label.',
  {
    rows: z.int().describe('Rows in it: those for training.'),
    accuracy: float(
      'Share of up to 500 of its rows that the others label rightly, 0 to 1; how votes are weighed was chosen on them.',
    ),
    createdAt: date('When it was made.'),
  },
);

export const LabelIndexingResolver = labelIndexingRuns.startedBy('indexDataset', {
  description:
    'Embeds the labelled rows of a version, as a run. Then `ask` with `dataset` and `RAG` answers by the nearest of them, and with `HYBRID` by them and an adapter together.',
  input: IndexDatasetInput,
  argument: 'Which version.',
  payload: 'The run that indexes.',
  run: (data: Data, input, { workspaceId }) => {
    const versionId = fromGlobalId(input.datasetVersion, 'DatasetVersion', 'input.datasetVersion');
    return data.labelIndexes.start(workspaceId, versionId, input.idempotencyKey);
  },
  fields: {
    version: toOne(
      () => DatasetVersion,
      'The version whose rows it indexes.',
      ({ row }, context, data: Data) => loadVersion(context, data, labelIndexing.inputOf(row).datasetVersionId),
      { cost: 5 },
    ),
  },
});

export const VersionLabelIndexResolver = fieldsOf<DatasetVersion, Data>(() => DatasetVersion, {
  labelIndex: toOne(
    () => LabelIndex,
    'Its labelled rows as vectors; null until `indexDataset` made them with the embedder in use.',
    async ({ record }, { workspaceId }, { labelIndexes }) => {
      const index = await labelIndexes.find(workspaceId, { datasetVersionId: record.id });
      return index && make(LabelIndex, { rows: index.rows, accuracy: index.fit.accuracy, createdAt: index.createdAt });
    },
    { cost: 3 },
  ),
});
