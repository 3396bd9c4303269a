import { Args, Arg, Ctx, FieldResolver, Int, Query, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import {
  Needs,
  connectionTypes,
  ConnectionArgs,
  cost,
  fieldsOf,
  make,
  mapPage,
  toConnection,
  toGlobalId,
  toOne,
  type ConnectionOf,
  type GraphContext,
  type NodeRegistry,
  nodeType,
  loadRow,
  loadValue,
} from '../../kit/graphql/index.js';
import { encodeCursor } from '../../kernel/pagination.js';
import type { LabelStore, NameIn } from './access/label-store.js';
import type { Json } from '../../platform/events/index.js';
import type { CollectionRow } from './collection.js';
import type { CollectionCounts, CollectionStore } from './collection-store.js';
import type { ChunkRow, DocumentRow, DocumentStore } from './document-store.js';
import { string, float, date } from '../../kernel/record.js';

export const Collection = nodeType('Collection', 'A searchable set of documents.', {
  name: string('Unique in the workspace: 1 to 63 letters, digits, `.`, `_` or `-`.'),
  description: string('What it holds, in the words of who made it; empty by default.'),
  language: string('Text search configuration of PostgreSQL that stems its words, e.g. `english` or `simple`.'),
  denseWeight: float(
    'Share of the dense score in a hybrid one, 0 to 1; the rest is BM25’s. `tuneRetrieval` chooses it.',
  ),
  createdAt: date('When it was created.'),
  rowId: z.custom<string>(),
});
export type Collection = InstanceType<typeof Collection>;

export const Document = nodeType(
  'Document',
  'A document as it was ingested; new content of the same name is a new document.',
  {
    name: string('Unique in its collection.'),
    title: string('Its own title, its first heading, or else its name; at most 200 characters.'),
    mediaType: string('Media type that its content turned out to have.'),
    sha256: string('SHA-256 of the bytes that were ingested, 64 hexadecimal digits.'),
    bytes: z.bigint().describe('Size of what was ingested, in bytes.'),
    pages: z.int().nullable().describe('Number of pages; null where the format has none.'),
    chunkCount: z.int().describe('Number of its chunks.'),
    metadata: z
      .custom<Json>()
      .meta({ shown: 'JSON' })
      .describe('What `ingestDocuments` was given as metadata; `{}` by default.'),
    createdAt: date('When its content was read.'),
    rowId: z.custom<string>(),
    collectionId: z.custom<string>(),
  },
);
export type Document = InstanceType<typeof Document>;

export const Chunk = nodeType('Chunk', 'A passage of a document: what search finds and citations point into.', {
  ordinal: z.int().describe('Place in its document, from 0.'),
  text: string('Its text, exactly as in `Document.text`; at most 1,200 characters.'),
  start: z.int().describe('Where it starts in `Document.text`, in UTF-16 code units, as JavaScript counts.'),
  end: z.int().describe('Where it ends in `Document.text` (exclusive), in UTF-16 code units.'),
  headings: z.array(z.string()).describe('Headings that it stands under, outermost first.'),
  page: z.int().nullable().describe('Page where it starts, from 1; null where the format has none.'),
  documentId: z.custom<string>(),
});
export type Chunk = InstanceType<typeof Chunk>;

const { Connection: CollectionConnection } = connectionTypes(Collection);
const { Connection: DocumentConnection } = connectionTypes(Document);
const { Connection: ChunkConnection } = connectionTypes(Chunk);

export const toCollection = (row: CollectionRow): Collection =>
  make(Collection, { ...row, id: toGlobalId('Collection', row.id), rowId: row.id });

const toDocument = (row: DocumentRow): Document =>
  make(Document, { ...row, id: toGlobalId('Document', row.id), rowId: row.id });

/** From its row, or from a passage that retrieval returned. */
export const toChunk = (
  row: Pick<ChunkRow, 'documentId' | 'ordinal' | 'text' | 'start' | 'end' | 'headings' | 'page'> & { id: string },
): Chunk => make(Chunk, { ...row, id: toGlobalId('Chunk', row.id) });

export interface KnowledgeStores {
  labels: LabelStore;
  collections: CollectionStore;
  documents: DocumentStore;
}

/** Those of the rows whose documents the caller sees. */
async function seen<Row>(
  { workspaceId, caller }: GraphContext,
  { labels }: Pick<KnowledgeStores, 'labels'>,
  rows: readonly Row[],
  documentOf: (row: Row) => string,
): Promise<Row[]> {
  const hidden = await labels.hiddenOf(workspaceId, rows.map(documentOf), caller.groups);
  return rows.filter((row) => !hidden.has(documentOf(row)));
}

/** Whether the caller lacks the label of a name, batched over the request. */
export function isUnseen(
  context: GraphContext,
  { labels }: Pick<KnowledgeStores, 'labels'>,
  { collectionId, name }: NameIn,
): Promise<boolean> {
  const { workspaceId, caller } = context;
  const unseen = context.loader<string, boolean>('knowledge.areUnseen', (keys) =>
    labels.areUnseen(
      workspaceId,
      keys.map((key) => JSON.parse(key) as NameIn),
      caller.groups,
    ),
  );
  const key = JSON.stringify({ collectionId, name });
  // Not remembered: the context of a subscription lives for all of its events, and a label holds from the moment at which it is set.
  return unseen
    .load(key)
    .then(Boolean)
    .finally(() => unseen.clear(key));
}

/** A live document by row id, batched over the request; null when it was replaced or deleted. */
export async function loadDocument(
  context: GraphContext,
  stores: Pick<KnowledgeStores, 'documents' | 'labels'>,
  id: string,
): Promise<Document | null> {
  const row = await loadRow(context, 'knowledge.documentsById', id, async (ids) =>
    seen(context, stores, await stores.documents.byIds(context.workspaceId, ids), (document) => document.id),
  );
  return row && toDocument(row);
}

/** A chunk of a live document by row id, batched over the request; null when the document was replaced or deleted. */
export async function loadChunk(
  context: GraphContext,
  stores: Pick<KnowledgeStores, 'documents' | 'labels'>,
  id: string,
): Promise<Chunk | null> {
  const row = await loadRow(context, 'knowledge.chunksById', id, async (ids) =>
    seen(context, stores, await stores.documents.chunksByIds(context.workspaceId, ids), (chunk) => chunk.documentId),
  );
  return row && toChunk(row);
}

/** A collection by row id, batched over the request. */
export async function loadCollection(
  context: GraphContext,
  { collections }: Pick<KnowledgeStores, 'collections'>,
  id: string,
): Promise<Collection | null> {
  const row = await loadRow(context, 'knowledge.collectionsById', id, (ids) =>
    collections.byIds(context.workspaceId, ids),
  );
  return row && toCollection(row);
}

@Resolver(() => Collection)
export class CollectionResolver {
  constructor(private readonly parts: { stores: KnowledgeStores }) {}

  @Needs('ASK')
  @Query(() => CollectionConnection, { description: 'The collections of the workspace, by name.', complexity: cost(5) })
  async collections(
    @Ctx() context: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<Collection>> {
    const page = args.request();
    const rows = await this.parts.stores.collections.list(context.workspaceId, page);
    return toConnection(mapPage(rows, toCollection), ({ name }) => encodeCursor([name]), page.after);
  }

  @Needs('ASK')
  @Query(() => Collection, {
    nullable: true,
    description: 'The collection of this name; null when there is none.',
    complexity: cost(2),
  })
  async collection(
    @Ctx() context: GraphContext,
    @Arg('name', () => String, { description: 'Its name.' }) name: string,
  ): Promise<Collection | null> {
    const row = name.includes('\0') ? null : await this.parts.stores.collections.get(context.workspaceId, name);
    return row ? toCollection(row) : null;
  }

  @FieldResolver(() => Int, { description: 'Number of documents that search sees.', complexity: cost(2) })
  async documentCount(@Root() collection: Collection, @Ctx() context: GraphContext): Promise<number> {
    return (await this.counts(collection, context)).documents;
  }

  @FieldResolver(() => Int, { description: 'Number of chunks that search sees.', complexity: cost(2) })
  async chunkCount(@Root() collection: Collection, @Ctx() context: GraphContext): Promise<number> {
    return (await this.counts(collection, context)).chunks;
  }

  @FieldResolver(() => DocumentConnection, {
    description: 'Those of its documents that you may see, oldest first.',
    complexity: cost(5),
  })
  async documents(
    @Root() collection: Collection,
    @Ctx() context: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<Document>> {
    const page = args.request();
    const { workspaceId, caller } = context;
    const rows = await loadValue(context, `knowledge.documentsOf ${JSON.stringify(page)}`, collection.rowId, (ids) =>
      this.parts.stores.documents.pagesOfDocuments(workspaceId, ids, page, caller.groups),
    );
    return toConnection(mapPage(rows ?? NOTHING, toDocument), ({ rowId }) => encodeCursor([rowId]), page.after);
  }

  private async counts(collection: Collection, context: GraphContext): Promise<CollectionCounts> {
    const counts = await loadValue(context, 'knowledge.counts', collection.rowId, (ids) =>
      this.parts.stores.collections.counts(context.workspaceId, ids),
    );
    return counts ?? { documents: 0, chunks: 0 };
  }
}

const NOTHING = { items: [], hasNextPage: false };

@Resolver(() => Document)
export class DocumentResolver {
  constructor(private readonly parts: { stores: KnowledgeStores }) {}

  @FieldResolver(() => Collection, { description: 'The collection that holds it.', complexity: cost(2) })
  async collection(@Root() document: Document, @Ctx() context: GraphContext): Promise<Collection | null> {
    return loadCollection(context, this.parts.stores, document.collectionId);
  }

  @FieldResolver(() => String, {
    description: 'Its whole text as the parser read it: what all offsets count in. At most 5,000,000 characters.',
    complexity: cost(50),
  })
  async text(@Root() document: Document, @Ctx() context: GraphContext): Promise<string> {
    const text = await loadValue(context, 'knowledge.texts', document.rowId, (ids) =>
      this.parts.stores.documents.texts(context.workspaceId, ids),
    );
    return text ?? '';
  }

  @FieldResolver(() => ChunkConnection, { description: 'Its chunks, in order.', complexity: cost(5) })
  async chunks(
    @Root() document: Document,
    @Ctx() context: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
  ): Promise<ConnectionOf<Chunk>> {
    const page = args.request();
    const rows = await loadValue(context, `knowledge.chunksOf ${JSON.stringify(page)}`, document.rowId, (ids) =>
      this.parts.stores.documents.pagesOfChunks(context.workspaceId, ids, page),
    );
    return toConnection(mapPage(rows ?? NOTHING, toChunk), ({ ordinal }) => encodeCursor([ordinal]), page.after);
  }
}

export const ChunkResolver = fieldsOf<Chunk, { stores: KnowledgeStores }>(() => Chunk, {
  document: toOne(
    () => Document,
    'The document that it is a passage of; null when that was replaced or deleted meanwhile.',
    ({ documentId }, context, { stores }) => loadDocument(context, stores, documentId),
  ),
});

/** Lets `node(id)` find collections, documents and chunks. */
export function registerCollectionNodes(nodes: NodeRegistry, stores: KnowledgeStores): void {
  nodes.register('Collection', (context, id) => loadCollection(context, stores, id));
  nodes.register('Document', (context, id) => loadDocument(context, stores, id));
  nodes.register('Chunk', (context, id) => loadChunk(context, stores, id));
}
