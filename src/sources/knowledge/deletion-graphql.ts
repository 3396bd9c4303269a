import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { ErasureReportType, toErasureReport } from '../../kit/erasure/index.js';
import {
  Needs,
  cost,
  make,
  toGlobalId,
  type GraphContext,
  inputType,
  ofType,
  objectType,
} from '../../kit/graphql/index.js';
import type { KnowledgeService } from './knowledge-service.js';
import { string } from '../../kernel/record.js';

const DeleteCollectionInput = inputType('DeleteCollectionInput', 'Which collection to delete.', {
  collection: string('Name of the collection.'),
});
type DeleteCollectionInput = InstanceType<typeof DeleteCollectionInput>;

const DeleteCollectionPayload = objectType('DeleteCollectionPayload', 'What `deleteCollection` did.', {
  erasure: ofType(() => ErasureReportType).describe('Where the text of its documents was, and what had to stay.'),
});
type DeleteCollectionPayload = InstanceType<typeof DeleteCollectionPayload>;

@Resolver()
export class CollectionDeletionResolver {
  constructor(private readonly parts: { service: KnowledgeService }) {}

  @Needs('EDIT')
  @Mutation(() => DeleteCollectionPayload, {
    description:
      'Deletes a collection with its documents, their files and vectors, and the quotes of them in recorded answers. Ingestions into it are cancelled. Who may not see all of its documents may not delete it.',
    complexity: cost(20),
  })
  async deleteCollection(
    @Arg('input', () => DeleteCollectionInput, { description: 'Which collection.' })
    { collection }: DeleteCollectionInput,
    @Ctx() { caller, change }: GraphContext,
  ): Promise<DeleteCollectionPayload> {
    const report = await this.parts.service.deleteCollection(caller, collection);
    // Its description is in somebody's words, which are to be gone.
    const { id, name, language, denseWeight } = report.collection;
    change.subject = toGlobalId('Collection', id);
    change.before = { name, language, denseWeight };
    return make(DeleteCollectionPayload, { erasure: toErasureReport(report) });
  }
}
