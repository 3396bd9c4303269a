/** Collections of documents: parsing, chunking, indexing, retrieval. */
export { splitSentences, type Sentence } from './chunking/sentences.js';
export { embedderDigest, type CollectionRow, type SearchScope } from './collection.js';
export { CollectionStore, type CollectionCounts } from './collection-store.js';
export { DocumentStore, type ChunkRow, type DocumentRow } from './document-store.js';
export { lexicalText } from './indexing/lexical-text.js';
export { IngestionInputs } from './ingestion-inputs.js';
export type { DocumentReport, IngestionReport } from './indexing/ingestion-run.js';
export { DEFAULT_DENSE_WEIGHT } from './collection.js';
export { INGESTION_LIMITS, type NewDocument } from './ingestion.js';
export { KnowledgeService, type KnowledgeParts } from './knowledge-service.js';
export { IsolatedParser } from './parsing/isolated-parser.js';
export type { TermWeight } from './retrieval/lexical.js';
export { fuse } from './retrieval/fuse.js';
export { Retriever, type RetrieverParts } from './retrieval/retriever.js';
export {
  Degradation,
  passageScores,
  SearchMode,
  type Passage,
  type QueryVector,
  type Retrieval,
  type RetrievalRequest,
} from './retrieval/retrieval.js';
export {
  Chunk,
  Collection,
  Document,
  loadChunk,
  loadCollection,
  loadDocument,
  toChunk,
  toCollection,
} from './collection-graphql.js';
export type { KnowledgeStores } from './collection-graphql.js';
export { RetrievalScores } from './search-graphql.js';
export { knowledgeResolvers, knowledgeRuns } from './knowledge-graphql.js';
