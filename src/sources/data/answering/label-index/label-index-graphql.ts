import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import {
  cost,
  fromGlobalId,
  make,
  runGraph,
  type GraphContext,
  idempotencyKey,
  inputType,
  objectType,
  type RunObject,
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
const LabelIndexingRun = labelIndexingRuns.Run;

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
type LabelIndex = InstanceType<typeof LabelIndex>;

@Resolver(() => LabelIndexingRun)
export class LabelIndexingResolver extends labelIndexingRuns.startedBy('indexDataset', {
  description:
    'Embeds the labelled rows of a version, as a run. Then `ask` with `dataset` and `RAG` answers by the nearest of them, and with `HYBRID` by them and an adapter together.',
  input: IndexDatasetInput,
  argument: 'Which version.',
  payload: 'The run that indexes.',
  run: (data: Data, input, { workspaceId }) => {
    const versionId = fromGlobalId(input.datasetVersion, 'DatasetVersion', 'input.datasetVersion');
    return data.labelIndexes.start(workspaceId, versionId, input.idempotencyKey);
  },
}) {
  @FieldResolver(() => DatasetVersion, {
    nullable: true,
    description: 'The version whose rows it indexes.',
    complexity: cost(5),
  })
  version(@Root() { row }: RunObject, @Ctx() context: GraphContext): Promise<DatasetVersion | null> {
    return loadVersion(context, this.parts, labelIndexing.inputOf(row).datasetVersionId);
  }
}

@Resolver(() => DatasetVersion)
export class VersionLabelIndexResolver {
  constructor(private readonly data: Data) {}

  @FieldResolver(() => LabelIndex, {
    nullable: true,
    description: 'Its labelled rows as vectors; null until `indexDataset` made them with the embedder in use.',
    complexity: cost(3),
  })
  async labelIndex(
    @Root() { record }: DatasetVersion,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<LabelIndex | null> {
    const index = await this.data.labelIndexes.find(workspaceId, { datasetVersionId: record.id });
    return index && make(LabelIndex, { rows: index.rows, accuracy: index.fit.accuracy, createdAt: index.createdAt });
  }
}
