import type { ResolverList } from '../graphql-kit/index.js';
import { ChunkResolver, CollectionResolver, DocumentResolver, registerCollectionNodes } from './collection-graphql.js';
import { CollectionDeletionResolver } from './deletion-graphql.js';
import {
  IngestedDocumentResolver,
  IngestionResolver,
  ingestionRuns,
  ReindexingRunResolver,
  reindexingRuns,
  type IngestionResolverParts,
} from './ingestion-graphql.js';
import type { Retriever } from './retrieval/retriever.js';
import { SearchResolver } from './search-graphql.js';
import { RetrievalTuningResolver, type TuningResolverParts } from './tuning/tuning-graphql.js';

/** The kinds of runs of this domain; their parts are `KnowledgeService.parts`. */
export const knowledgeRuns = [ingestionRuns, reindexingRuns] as const;

/** The resolvers of this domain. */
export const knowledgeResolvers: ResolverList<IngestionResolverParts & TuningResolverParts & { retriever: Retriever }> =
  {
    classes: [
      CollectionResolver,
      DocumentResolver,
      ChunkResolver,
      SearchResolver,
      IngestionResolver,
      IngestedDocumentResolver,
      ReindexingRunResolver,
      CollectionDeletionResolver,
      RetrievalTuningResolver,
    ],
    registerNodes(nodes, { stores }) {
      registerCollectionNodes(nodes, stores);
    },
  };
