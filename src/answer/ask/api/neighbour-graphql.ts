import { DatasetRow, loadDatasetRow, type Data } from '../../../sources/data/index.js';
import { recordType, fieldsOf, toOne } from '../../../kit/graphql/index.js';
import { neighbourUsed } from '../answer.js';

const LabelledNeighbour = recordType(neighbourUsed);
type LabelledNeighbour = InstanceType<typeof LabelledNeighbour>;

export const LabelledNeighbourResolver = fieldsOf<LabelledNeighbour, { data: Data }>(() => LabelledNeighbour, {
  row: toOne(
    () => DatasetRow,
    'The row itself; null once it was erased.',
    ({ datasetVersionId, ordinal }, context, { data }) =>
      loadDatasetRow(context, data, { versionId: datasetVersionId, ordinal }),
  ),
});
