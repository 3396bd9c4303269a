import { Arg, Ctx, FieldResolver, Mutation, ObjectType, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import { ErasureReportType, toErasureReport } from '../../kit/erasure/index.js';
import {
  Needs,
  cost,
  fieldsOf,
  fromGlobalId,
  recordType,
  RunEventType,
  runEvent,
  runGraph,
  type GraphContext,
  inputType,
  ofType,
  objectType,
  idempotencyKey,
  toMany,
  toOne,
} from '../../kit/graphql/index.js';
import type { Json } from '../../kernel/stored-json.js';
import {
  Collection,
  Document,
  isUnseen,
  loadCollection,
  loadDocument,
  toCollection,
  type KnowledgeStores,
} from './collection-graphql.js';
import { indexDocuments } from './indexing/index-documents.js';
import { documentReport, ingestion, type DocumentProgress } from './indexing/ingestion-run.js';
import { rebuildIndex, reindexing } from './indexing/rebuild-index.js';
import type { KnowledgeService } from './knowledge-service.js';
import { string, float, id } from '../../kernel/record.js';

const CreateCollectionInput = inputType('CreateCollectionInput', 'A new collection.', {
  name: string('Unique in the workspace: 1 to 63 letters, digits, `.`, `_` or `-`, starting with a letter or digit.'),
  description: string('What it holds; at most 1,000 characters, empty by default.').nullish(),
  language: z
    .string()
    .default('english')
    .describe(
      'Text search configuration of PostgreSQL that stems its words; `simple` fits any language. It can’t be changed later.',
    ),
  denseWeight: z
    .number()
    .default(0.6)
    .describe('Share of the dense score in a hybrid one, 0 to 1; the rest is BM25’s.'),
});
type CreateCollectionInput = InstanceType<typeof CreateCollectionInput>;

const CreateCollectionPayload = objectType('CreateCollectionPayload', 'What `createCollection` made.', {
  collection: ofType(() => Collection).describe('The new collection, still empty.'),
});
type CreateCollectionPayload = InstanceType<typeof CreateCollectionPayload>;

const DocumentInput = inputType(
  'DocumentInput',
  'A document to ingest: its content comes from exactly one of `text` and `file`.',
  {
    name: string(
      'Unique in the collection, one line of 1 to 200 characters. An existing document of this name is replaced.',
    ),
    text: string('Inline text, 1 to 1,000,000 characters.').nullish(),
    file: id('A file uploaded with `POST /files`, at most 64 MiB.').nullish(),
    mediaType: string(
      'Media type, where the name does not end in it: `text/plain`, `text/markdown`, `text/html`, `application/pdf` or that of DOCX. By default the content tells.',
    ).nullish(),
    metadata: z
      .custom<Json>()
      .meta({ shown: 'JSON' })
      .nullish()
      .describe(
        'An object of your own, kept with the document; at most 10,000 characters as JSON and 32 levels, `{}` by default.',
      ),
  },
);

const IngestDocumentsInput = inputType('IngestDocumentsInput', 'Documents for a collection.', {
  collection: string('Name of the collection.'),
  documents: z
    .array(ofType(() => DocumentInput))
    .describe('1 to 100 documents with different names; inline texts of at most 4,000,000 characters together.'),
  idempotencyKey,
});

const IngestedDocument = recordType(documentReport);
type IngestedDocument = InstanceType<typeof IngestedDocument>;

@ObjectType({ implements: RunEventType, description: 'Something that an ingestion reported.' })
class IngestionEvent extends RunEventType {
  readonly detail!: DocumentProgress | null;
}

interface Service {
  service: KnowledgeService;
}

export const ingestionRuns = runGraph(
  ingestion.handledBy(({ service }: Service, context) => indexDocuments(service.parts, context)),
  {
    progress: runEvent(IngestionEvent, (detail) => ({ detail: detail ?? null })),
  },
);
const IngestionRun = ingestionRuns.Run;

export const reindexingRuns = runGraph(
  reindexing.handledBy(({ service }: Service, context) => rebuildIndex(service.parts, context)),
);

const DeleteDocumentsInput = inputType('DeleteDocumentsInput', 'Documents to delete.', {
  collection: string('Name of the collection.'),
  names: z.array(z.string()).describe('Names of 1 to 100 documents; if one does not exist, none is deleted.'),
});
type DeleteDocumentsInput = InstanceType<typeof DeleteDocumentsInput>;

const DeleteDocumentsPayload = objectType('DeleteDocumentsPayload', 'What `deleteDocuments` did.', {
  collection: ofType(() => Collection).describe('The collection without them.'),
  deleted: z.array(z.string()).describe('Names of the deleted documents.'),
  erasure: ofType(() => ErasureReportType).describe(
    'Where else their text was, in every version that was ingested, and what had to stay.',
  ),
});
type DeleteDocumentsPayload = InstanceType<typeof DeleteDocumentsPayload>;

const SetDenseWeightInput = inputType('SetDenseWeightInput', 'How a collection ranks.', {
  collection: string('Name of the collection.'),
  denseWeight: float('Share of the dense score in a hybrid one, 0 to 1; a new collection has 0.6.'),
});
type SetDenseWeightInput = InstanceType<typeof SetDenseWeightInput>;

const SetDenseWeightPayload = objectType('SetDenseWeightPayload', 'What `setDenseWeight` changed.', {
  collection: ofType(() => Collection).describe('The collection as it is now.'),
});
type SetDenseWeightPayload = InstanceType<typeof SetDenseWeightPayload>;

const RebuildIndexInput = inputType('RebuildIndexInput', 'Which index to rebuild.', {
  collection: string('Name of the collection.'),
  idempotencyKey,
});

/** What the resolvers of this domain's changes need. */
interface IngestionResolverParts {
  service: KnowledgeService;
  stores: KnowledgeStores;
}

@Resolver(() => IngestionRun)
export class IngestionResolver extends ingestionRuns.startedBy('ingestDocuments', {
  description:
    'Adds documents to a collection, or replaces those of the same names, which you may see, as a run: plain text, Markdown, HTML, PDF and DOCX. Search sees the old content of a document until all of the new one is there.',
  input: IngestDocumentsInput,
  argument: 'Which documents, and where to.',
  payload: 'The run that `ingestDocuments` started.',
  run: (parts: IngestionResolverParts, input, { caller }) => {
    const documents = input.documents.map(({ file, ...document }, index) => ({
      ...document,
      fileId: file ? fromGlobalId(file, 'File', `input.documents.${index}.file`) : null,
    }));
    return parts.service.ingestDocuments(caller, { ...input, documents });
  },
  fields: {
    collection: toOne(
      () => Collection,
      'The collection that the documents are for.',
      ({ row }, context, { stores }: IngestionResolverParts) =>
        row.subjectId === null ? null : loadCollection(context, stores, row.subjectId),
    ),
    documents: toMany(
      () => IngestedDocument,
      'The documents that are done so far, whatever became of them; without those that you may not see.',
      async ({ row }, context, { stores }: IngestionResolverParts) => {
        const { documents } = ingestion.outputOf(row) ?? ingestion.checkpointOf(row) ?? { documents: [] };
        const { collectionId } = ingestion.inputOf(row);
        const unseen = await Promise.all(
          documents.map(({ name }) => isUnseen(context, stores, { collectionId, name })),
        );
        return documents.filter((_, i) => !unseen[i]);
      },
      { cost: 2 },
    ),
  },
}) {
  @Needs('EDIT')
  @Mutation(() => CreateCollectionPayload, { description: 'Makes an empty collection.', complexity: cost(5) })
  async createCollection(
    @Arg('input', () => CreateCollectionInput, { description: 'Its name and how it ranks.' })
    input: CreateCollectionInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<CreateCollectionPayload> {
    return { collection: toCollection(await this.parts.service.createCollection({ ...input, workspaceId })) };
  }

  @Needs('EDIT')
  @Mutation(() => DeleteDocumentsPayload, {
    description:
      'Deletes documents by name, with their files, earlier versions and quotes. Search finds none of them from then on.',
    complexity: cost(10),
  })
  async deleteDocuments(
    @Arg('input', () => DeleteDocumentsInput, { description: 'Which documents.' }) input: DeleteDocumentsInput,
    @Ctx() { caller, change }: GraphContext,
  ): Promise<DeleteDocumentsPayload> {
    const { collection, deleted, erasure } = await this.parts.service.deleteDocuments(caller, input);
    change.before = { collection: collection.name, documents: deleted.length };
    change.after = { collection: collection.name, documents: 0 };
    return {
      collection: toCollection(collection),
      deleted: deleted.map(({ name }) => name),
      erasure: toErasureReport(erasure),
    };
  }

  @Needs('EDIT')
  @Mutation(() => SetDenseWeightPayload, {
    description:
      'Sets how much meaning counts against words in hybrid searches of a collection; `tuneRetrieval` finds a good value.',
    complexity: cost(5),
  })
  async setDenseWeight(
    @Arg('input', () => SetDenseWeightInput, { description: 'The weight.' }) input: SetDenseWeightInput,
    @Ctx() { workspaceId, change }: GraphContext,
  ): Promise<SetDenseWeightPayload> {
    const { denseWeight } = await this.parts.service.collection(workspaceId, input.collection);
    change.before = { denseWeight };
    return { collection: toCollection(await this.parts.service.setDenseWeight(workspaceId, input)) };
  }
}

@Resolver(() => IngestionEvent)
export class IngestionEventResolver {
  constructor(private readonly parts: { stores: KnowledgeStores }) {}

  @FieldResolver(() => String, {
    nullable: true,
    description: 'Name of the document that it is about; null when it is about the run, or about what you may not see.',
    complexity: cost(1),
  })
  async document(@Root() { detail }: IngestionEvent, @Ctx() context: GraphContext): Promise<string | null> {
    return (await this.#seen(detail, context))?.document ?? null;
  }

  @FieldResolver(() => IngestedDocument, {
    nullable: true,
    description: 'What became of the document; null until it is done, and of what you may not see.',
    complexity: cost(1),
  })
  async result(@Root() { detail }: IngestionEvent, @Ctx() context: GraphContext): Promise<IngestedDocument | null> {
    return (await this.#seen(detail, context))?.report ?? null;
  }

  async #seen(detail: DocumentProgress | null, context: GraphContext): Promise<DocumentProgress | null> {
    if (detail === null) return null;
    const { collectionId, document: name } = detail;
    if (collectionId === undefined) return context.caller.groups === null ? detail : null;
    return (await isUnseen(context, this.parts.stores, { collectionId, name })) ? null : detail;
  }
}

export const IngestedDocumentResolver = fieldsOf<IngestedDocument, { stores: KnowledgeStores }>(
  () => IngestedDocument,
  {
    document: toOne(
      () => Document,
      'The document itself; null when it failed, or was replaced or deleted since.',
      ({ documentId }, context, { stores }) => (documentId ? loadDocument(context, stores, documentId) : null),
    ),
  },
);

export const ReindexingRunResolver = reindexingRuns.startedBy('rebuildIndex', {
  description:
    'Embeds a collection again, as a run: after the embedder was changed (GRAFT_EMBEDDER), or when the vector store lost its data.',
  input: RebuildIndexInput,
  argument: 'Which collection.',
  payload: 'The run that `rebuildIndex` started.',
  goesOn: 'It goes on by itself; search uses the old index until it is done.',
  run: ({ service }: IngestionResolverParts, input, { workspaceId }) => service.rebuildIndex(workspaceId, input),
  fields: {
    collection: toOne(
      () => Collection,
      'The collection whose index it rebuilds.',
      ({ row }, context, { stores }: IngestionResolverParts) =>
        row.subjectId === null ? null : loadCollection(context, stores, row.subjectId),
    ),
  },
});
