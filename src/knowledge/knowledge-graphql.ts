import type { ResolverList } from '../graphql-kit/index.js';
import { ChunkResolver, CollectionResolver, DocumentResolver, registerCollectionNodes } from './collection-graphql.js';
import { CollectionDeletionResolver } from './deletion-graphql.js';
import {
  IngestedDocumentResolver,
  IngestionResolver,
  ReindexingRunResolver,
  registerIngestionNodes,
  type IngestionResolverParts,
} from './ingestion-graphql.js';
import type { Retriever } from './retrieval/retriever.js';
import { SearchResolver } from './search-graphql.js';

/** The resolvers of this domain. */
export const knowledgeResolvers: ResolverList<IngestionResolverParts & { retriever: Retriever }> = {
  classes: [
    CollectionResolver,
    DocumentResolver,
    ChunkResolver,
    SearchResolver,
    IngestionResolver,
    IngestedDocumentResolver,
    ReindexingRunResolver,
    CollectionDeletionResolver,
  ],
  registerNodes(nodes, { stores, runs }) {
    registerCollectionNodes(nodes, stores);
    registerIngestionNodes(nodes, runs);
  },
};
