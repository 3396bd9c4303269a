import type { NodeRegistry } from '../graphql-kit/index.js';
import { ChunkResolver, CollectionResolver, DocumentResolver, registerCollectionNodes } from './collection-graphql.js';
import {
  IngestedDocumentResolver,
  IngestionResolver,
  ReindexingRunResolver,
  registerIngestionNodes,
  type IngestionResolverParts,
} from './ingestion-graphql.js';
import type { Retriever } from './retrieval/retriever.js';
import { SearchResolver } from './search-graphql.js';

/** The classes of this domain's resolvers, for printing the schema without an instance of anything. */
export const knowledgeResolverClasses = [
  CollectionResolver,
  DocumentResolver,
  ChunkResolver,
  SearchResolver,
  IngestionResolver,
  IngestedDocumentResolver,
  ReindexingRunResolver,
] as const;

/** The resolvers of this domain; registers its types with `nodes`. */
export function knowledgeResolvers(
  parts: IngestionResolverParts & { retriever: Retriever },
  nodes: NodeRegistry,
): object[] {
  const { stores, retriever, runs } = parts;
  registerCollectionNodes(nodes, stores);
  registerIngestionNodes(nodes, runs);
  return [
    new CollectionResolver(stores),
    new DocumentResolver(stores),
    new ChunkResolver(stores),
    new SearchResolver(retriever, stores),
    new IngestionResolver(parts),
    new IngestedDocumentResolver(stores),
    new ReindexingRunResolver(stores),
  ];
}
