import { Arg, Ctx, Field, InputType, Int, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import { cost, make, Needs, type GraphContext } from '../../graphql-kit/index.js';
import type { RetentionSweeper } from './retention.js';

@InputType({ description: 'How long feedback is kept.' })
export class SetFeedbackRetentionInput {
  @Field(() => Int, { nullable: true, description: 'Days, 1 to 36,500; null: for good.' })
  days?: number | null;
}

@ObjectType({ description: 'What `setFeedbackRetention` did.' })
export class SetFeedbackRetentionPayload {
  @Field(() => Int, { nullable: true, description: 'Days; null: for good.' })
  days!: number | null;
}

@Resolver()
export class RetentionResolver {
  constructor(private readonly parts: { retention: RetentionSweeper }) {}

  @Needs('OPERATE')
  @Mutation(() => SetFeedbackRetentionPayload, {
    description:
      'Says how long feedback and done reviews are kept. Older ones are deleted within the hour; of feedback that taught rows of a dataset only the words go, so that those still lead to it.',
    complexity: cost(5),
  })
  async setFeedbackRetention(
    @Arg('input', () => SetFeedbackRetentionInput, { description: 'How long.' })
    { days = null }: SetFeedbackRetentionInput,
    @Ctx() { workspaceId, change }: GraphContext,
  ): Promise<SetFeedbackRetentionPayload> {
    change.before = { days: await this.parts.retention.days(workspaceId) };
    await this.parts.retention.set(workspaceId, days);
    return make(SetFeedbackRetentionPayload, { days });
  }

  @Needs('EDIT')
  @Query(() => Int, {
    nullable: true,
    description: 'How many days feedback is kept; null: for good.',
    complexity: cost(2),
  })
  feedbackRetention(@Ctx() { workspaceId }: GraphContext): Promise<number | null> {
    return this.parts.retention.days(workspaceId);
  }
}
