import { Arg, Ctx, Int, Mutation, Query, Resolver } from 'type-graphql';
import { cost, Needs, type GraphContext, inputType, objectType } from '../../../kit/graphql/index.js';
import { int } from '../../../kernel/record.js';
import type { RetentionSweeper } from './retention.js';

const SetFeedbackRetentionInput = inputType('SetFeedbackRetentionInput', 'How long feedback is kept.', {
  days: int('Days, 1 to 36,500; null: for good.').nullish(),
});
type SetFeedbackRetentionInput = InstanceType<typeof SetFeedbackRetentionInput>;

const SetFeedbackRetentionPayload = objectType('SetFeedbackRetentionPayload', 'What `setFeedbackRetention` did.', {
  days: int('Days; null: for good.').nullable(),
});
type SetFeedbackRetentionPayload = InstanceType<typeof SetFeedbackRetentionPayload>;

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
    return { days };
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
