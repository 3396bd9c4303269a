import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { DatasetRow, loadDatasetRow, type Data } from '../../../sources/data/index.js';
import { cost, type GraphContext, recordType } from '../../../kit/graphql/index.js';
import { neighbourUsed } from '../answer.js';

const LabelledNeighbour = recordType(neighbourUsed);
type LabelledNeighbour = InstanceType<typeof LabelledNeighbour>;

@Resolver(() => LabelledNeighbour)
export class LabelledNeighbourResolver {
  constructor(private readonly parts: { data: Data }) {}

  @FieldResolver(() => DatasetRow, {
    nullable: true,
    description: 'The row itself; null once it was erased.',
    complexity: cost(2),
  })
  row(
    @Root() { datasetVersionId, ordinal }: LabelledNeighbour,
    @Ctx() context: GraphContext,
  ): Promise<DatasetRow | null> {
    return loadDatasetRow(context, this.parts.data, { versionId: datasetVersionId, ordinal });
  }
}
