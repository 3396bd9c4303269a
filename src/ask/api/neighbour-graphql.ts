import { Ctx, Field, FieldResolver, Float, ObjectType, Resolver, Root } from 'type-graphql';
import { DatasetRow, loadRow, type Data } from '../../data/index.js';
import { cost, type GraphContext } from '../../graphql-kit/index.js';

@ObjectType({ description: 'A labelled row that a question is like.' })
export class LabelledNeighbour {
  @Field(() => String, { description: 'Its label.' })
  label!: string;

  @Field(() => Float, { description: 'Cosine similarity of its text and the question, -1 to 1.' })
  similarity!: number;

  datasetVersionId!: string;
  ordinal!: number;
}

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
    return loadRow(context, this.parts.data, { versionId: datasetVersionId, ordinal });
  }
}
