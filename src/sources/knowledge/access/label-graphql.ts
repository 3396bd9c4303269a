import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import { cost, make, Needs, type GraphContext, inputType, objectType, loadValue } from '../../../kit/graphql/index.js';
import { callerName } from '../../../kernel/caller.js';
import { badInput, notFound } from '../../../kernel/errors.js';
import { checkedGroups } from '../../../kernel/groups.js';
import { Document, type KnowledgeStores } from '../collection-graphql.js';
import { checkedDocumentName } from '../ingestion.js';
import { string } from '../../../kernel/record.js';

const MOST_NAMES = 1_000;

const SetDocumentAccessInput = inputType('SetDocumentAccessInput', 'Who may see documents.', {
  collection: string('Name of the collection.'),
  names: z
    .array(z.string())
    .max(MOST_NAMES)
    .describe(
      'Names of 1 to 1,000 documents. There need not be any of a name yet: a document that is ingested later has the label from its beginning.',
    ),
  access: z
    .array(z.string())
    .max(100)
    .describe(
      'Groups, at most 100 names of 1 to 100 characters: who sees the documents has one of them (`ApiKey.groups`). Without any, everybody in the workspace does.',
    ),
});
type SetDocumentAccessInput = InstanceType<typeof SetDocumentAccessInput>;

const SetDocumentAccessPayload = objectType('SetDocumentAccessPayload', 'Who may see the documents now.', {
  access: z.array(z.string()).describe('The groups, each once.'),
});
type SetDocumentAccessPayload = InstanceType<typeof SetDocumentAccessPayload>;

@Resolver(() => Document)
export class DocumentAccessResolver {
  constructor(private readonly parts: { stores: KnowledgeStores }) {}

  @Needs('EDIT')
  @Mutation(() => SetDocumentAccessPayload, {
    description:
      'Says who may see documents, whatever version of them. It holds at once on every gateway: in search, answers and citations, in answers recorded before, in reviews, and in datasets made from now on, which take nothing of labelled documents.',
    complexity: cost(10),
  })
  async setDocumentAccess(
    @Arg('input', () => SetDocumentAccessInput, { description: 'Who sees what.' }) input: SetDocumentAccessInput,
    @Ctx() { caller, workspaceId, change }: GraphContext,
  ): Promise<SetDocumentAccessPayload> {
    if (input.names.length < 1 || input.names.length > MOST_NAMES)
      throw badInput('input.names', `input.names must have 1 to ${MOST_NAMES} entries, not ${input.names.length}.`);
    const names = [...new Set(input.names.map((name) => checkedDocumentName(name, 'input.names')))];
    const access = checkedGroups(input.access, 'input.access');
    const { collections, labels } = this.parts.stores;
    const collection = await collections.require(workspaceId, input.collection, 'input.collection');
    const places = names.map((name) => ({ collectionId: collection.id, name }));
    const unseen = await labels.areUnseen(workspaceId, places, caller.groups);
    const first = names.find((_, i) => unseen[i]);
    if (first !== undefined) throw notFound('The document', first, 'input.names');
    const oldAccess = await labels.accessNamed(workspaceId, collection.id, names);
    change.before = { collection: collection.name, documents: names.length, access: oldAccess.join('; ') };
    await labels.set(workspaceId, collection, { names, access, changedBy: callerName(caller) });
    change.after = { collection: collection.name, documents: names.length, access: access.join(', ') };
    return make(SetDocumentAccessPayload, { access });
  }

  @FieldResolver(() => [String], {
    description: 'Groups of which a reader has to have one; none where everybody in the workspace sees it.',
    complexity: cost(2),
  })
  async access(@Root() { rowId }: Document, @Ctx() context: GraphContext): Promise<string[]> {
    const access = await loadValue(context, 'knowledge.accessOf', rowId, (ids) =>
      this.parts.stores.labels.accessOf(context.workspaceId, ids),
    );
    return access ?? [];
  }
}
