/** Collections of documents: parsing, chunking, indexing, retrieval. */
export { embedderDigest, type SearchScope } from './collection.js';
export { CollectionStore, lockCollection } from './collection-store.js';
export { DocumentStore, type NamedChunk } from './document-store.js';
export { lexicalText } from './indexing/lexical-text.js';
export { DEFAULT_DENSE_WEIGHT } from './collection.js';
export { checkedDocumentName, INGESTION_LIMITS, type NewDocument } from './ingestion.js';
export { ingestion } from './indexing/ingestion-run.js';
export { reindexing } from './indexing/rebuild-index.js';
export { IsolatedParser } from './parsing/isolated-parser.js';
export { fuse } from './retrieval/fuse.js';
export { Retriever } from './retrieval/retriever.js';
export {
  Degradation,
  passageScores,
  type Passage,
  type QueryVector,
  type Retrieval,
  type RetrievalRequest,
} from './retrieval/retrieval.js';
export { Chunk, Collection, Document, loadChunk, loadCollection, loadDocument, toChunk } from './collection-graphql.js';
export type { KnowledgeStores } from './collection-graphql.js';
export { RetrievalScores } from './search-graphql.js';
export { knowledgeDomain, openKnowledge, type Knowledge } from './open.js';
export { makeAnsweredQuestions } from './tuning/cloze-answers.js';
export { makeQuestions } from './tuning/make-questions.js';
export { sourceOf } from './access/label.js';
export { LabelStore } from './access/label-store.js';
export { ALL_SEEN, sightBy, type Sight } from './access/sight.js';
