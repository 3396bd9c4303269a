import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { z } from 'zod';
import { Needs, cost, fromGlobalId, type GraphContext, inputType, objectType } from '../../../kit/graphql/index.js';
import { list, id, int } from '../../../kernel/record.js';
import type { AskService } from '../ask-service.js';

const DeleteAnswersInput = inputType('DeleteAnswersInput', 'Which answers to delete: exactly one of both fields.', {
  ids: list(
    z.string().meta({ shown: 'ID' }),
    'Ids of 1 to 100 answers; those that are gone already, or that the caller may not see, stay out of it.',
  ).nullish(),
  conversationId: id('A conversation, all of whose answers that the caller may see go.').nullish(),
});
type DeleteAnswersInput = InstanceType<typeof DeleteAnswersInput>;

const DeleteAnswersPayload = objectType('DeleteAnswersPayload', 'What `deleteAnswers` did.', {
  deleted: int('How many answers went, with their questions.'),
});
type DeleteAnswersPayload = InstanceType<typeof DeleteAnswersPayload>;

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
    return {
      deleted: await this.parts.service.deleteAnswers(caller, { ids, conversationId }),
    };
  }
}
