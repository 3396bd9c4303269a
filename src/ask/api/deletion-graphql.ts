import { Arg, Ctx, Field, ID, InputType, Int, Mutation, ObjectType, Resolver } from 'type-graphql';
import { Needs, cost, fromGlobalId, make, type GraphContext } from '../../graphql-kit/index.js';
import type { AskService } from '../ask-service.js';

@InputType({ description: 'Which answers to delete: exactly one of both fields.' })
export class DeleteAnswersInput {
  @Field(() => [ID], {
    nullable: true,
    description:
      'Ids of 1 to 100 answers; those that are gone already, or that the caller may not see, stay out of it.',
  })
  ids?: string[] | null;

  @Field(() => ID, { nullable: true, description: 'A conversation, all of whose answers that the caller may see go.' })
  conversationId?: string | null;
}

@ObjectType({ description: 'What `deleteAnswers` did.' })
export class DeleteAnswersPayload {
  @Field(() => Int, { description: 'How many answers went, with their questions.' })
  deleted!: number;
}

@Resolver()
export class AnswerDeletionResolver {
  constructor(private readonly parts: { service: AskService }) {}

  @Needs('EDIT')
  @Mutation(() => DeleteAnswersPayload, {
    description:
      'Deletes recorded answers that the caller may see, and their questions; their request ids are free again.',
    complexity: cost(10),
  })
  async deleteAnswers(
    @Arg('input', () => DeleteAnswersInput, { description: 'Which answers.' }) input: DeleteAnswersInput,
    @Ctx() { caller }: GraphContext,
  ): Promise<DeleteAnswersPayload> {
    const ids = input.ids?.map((id, i) => fromGlobalId(id, 'Answer', `input.ids.${i}`)) ?? null;
    const { conversationId } = input;
    return make(DeleteAnswersPayload, {
      deleted: await this.parts.service.deleteAnswers(caller, { ids, conversationId }),
    });
  }
}
