import { defineDomain, offer, type Offer } from '../../kit/domain/index.js';
import type { NodeRegistry } from '../../kit/graphql/index.js';
import { MINUTE_MS } from '../../kernel/duration.js';
import type { Platform } from '../../platform/platform.js';
import type { EmbedderFiles } from '../../worker-protocol/index.js';
import {
  ChunkResolver,
  CollectionResolver,
  DocumentResolver,
  registerCollectionNodes,
  type KnowledgeStores,
} from './collection-graphql.js';
import { DocumentAccessResolver } from './access/label-graphql.js';
import { LabelStore } from './access/label-store.js';
import { CollectionStore } from './collection-store.js';
import { CollectionDeletionResolver } from './deletion-graphql.js';
import { DocumentStore } from './document-store.js';
import {
  IngestedDocumentResolver,
  IngestionEventResolver,
  IngestionResolver,
  ingestionRuns,
  ReindexingRunResolver,
  reindexingRuns,
} from './ingestion-graphql.js';
import { IngestionInputs } from './ingestion-inputs.js';
import { KnowledgeService } from './knowledge-service.js';
import { IsolatedParser } from './parsing/isolated-parser.js';
import { Retriever } from './retrieval/retriever.js';
import { SearchResolver } from './search-graphql.js';
import { RetrievalTuner } from './tuning/retrieval-tuner.js';
import { RetrievalTuningResolver, retrievalTuningRuns } from './tuning/tuning-graphql.js';

export const knowledgeDomain = defineDomain({
  classes: [
    CollectionResolver,
    DocumentResolver,
    DocumentAccessResolver,
    ChunkResolver,
    SearchResolver,
    IngestionResolver,
    IngestedDocumentResolver,
    IngestionEventResolver,
    ReindexingRunResolver,
    CollectionDeletionResolver,
    RetrievalTuningResolver,
  ],
  runs: [ingestionRuns, reindexingRuns, retrievalTuningRuns],
  registerNodes: (nodes: NodeRegistry, { stores }: { stores: KnowledgeStores }) =>
    registerCollectionNodes(nodes, stores),
});

/** Collections and the search in them. */
export interface Knowledge {
  readonly service: KnowledgeService;
  readonly collections: CollectionStore;
  readonly documents: DocumentStore;
  readonly labels: LabelStore;
  readonly retriever: Retriever;
  readonly tuner: RetrievalTuner;
  readonly offer: Offer;
}

/** @param lower the embedder of new indexes, from the registry beside it */
export function openKnowledge(platform: Platform, { embedder }: { embedder: () => EmbedderFiles }): Knowledge {
  const { database, runs } = platform;
  const stores = {
    collections: new CollectionStore(database),
    documents: new DocumentStore(database),
    labels: new LabelStore(database),
  };
  const parts = { ...platform, ...stores, embedder };
  const service = new KnowledgeService({
    ...parts,
    parser: new IsolatedParser(),
    inputs: new IngestionInputs(database),
  });
  const retriever = new Retriever(parts);
  const tuner = new RetrievalTuner({ ...parts, retriever });
  const hooks = {
    chores: [{ name: 'sweep collections', everyMs: MINUTE_MS, work: () => service.sweep() }],
    stop: () => service.stop(),
  };
  return {
    service,
    ...stores,
    retriever,
    tuner,
    offer: offer(knowledgeDomain, runs, { service, stores, retriever, tuner }, hooks),
  };
}
