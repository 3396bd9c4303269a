import { type z } from 'zod';
import { choice, record, float, int } from '../../../kernel/record.js';
import type { SearchScope } from '../collection.js';

/** Which scores rank the passages: vectors' cosine, BM25, or both fused. */
export const SearchMode = choice('SearchMode', 'What passages are ranked by.', {
  DENSE: 'Similarity of meaning: the cosine of sentence embeddings.',
  LEXICAL: 'Words in common: BM25 over stemmed terms.',
  HYBRID: 'Both, weighted by the collection’s `denseWeight`.',
});
export type SearchMode = keyof typeof SearchMode;

export interface RetrievalRequest {
  /** Where: what `Retriever.scope` found. */
  scope: SearchScope;
  query: string;
  mode: SearchMode;
  /** How many passages to return at most, best first. */
  limit: number;
  /** The query's vector, when the caller has asked for it already; else it is made here. */
  vector?: Promise<QueryVector>;
  /** Whether `Passage.coverage` is wanted; left out, it is. With mode DENSE it costs more than the search itself. */
  coverage?: boolean;
  /** Only passages of these documents (row ids). */
  documentFilter?: readonly string[];
}

export interface QueryVector {
  vector: Float32Array;
  /** Whether it is of the query's beginning alone, because the embedder reads no more; missing where that isn't known. */
  cut?: boolean;
  /** How long the embedder took, in ms. */
  ms: number;
}

export const passageScores = record(
  'RetrievalScores',
  'How a passage was ranked. A candidate is one of the best 100 of an index.',
  {
    dense: float('Cosine similarity to the query, -1 to 1; null when it is no dense candidate.').nullable(),
    lexical: float('BM25 score, 0 or more; null when it is no lexical candidate.').nullable(),
    fused: float(
      'What it is ranked by, 0 to 1: the scores, each scaled over its candidates, weighted and added. Comparable within one search only.',
    ),
    denseRank: int('Place among the dense candidates, from 1; null when it is none.').nullable(),
    lexicalRank: int('Place among the lexical candidates, from 1; null when it is none.').nullable(),
  },
);
export type PassageScores = z.infer<typeof passageScores>;

export interface Passage {
  chunkId: string;
  documentId: string;
  documentName: string;
  collectionId: string;
  collectionName: string;
  language: string;
  ordinal: number;
  text: string;
  /** UTF-16 offsets in the document's text. */
  start: number;
  end: number;
  headings: string[];
  page: number | null;
  scores: PassageScores;
  /** How much of the query's terms, weighted by their rarity, the passage holds, 0 to 1; 0 where it was not asked for. */
  coverage: number;
}

/** Why a hybrid retrieval had to do with BM25 alone. */
export const Degradation = choice('RetrievalDegradation', 'Why a hybrid search had to do with BM25 alone.', {
  VECTOR_STORE_UNAVAILABLE: 'The vector store did not answer; it is tried again at the next search.',
  INDEX_OUTDATED: 'A collection was embedded by another model: run `rebuildIndex` on it.',
});
export type Degradation = keyof typeof Degradation;

export interface Retrieval {
  passages: Passage[];
  queryVector: Float32Array | null;
  /** Whether the vector is of the query's beginning alone, because the embedder reads no more; false where nobody embedded. */
  queryCut?: boolean;
  degraded: Degradation | null;
  /** Milliseconds; stages that run side by side don't add up. */
  timings: { embedMs: number; denseMs: number; lexicalMs: number; totalMs: number };
}

/** A chunk with its score from one of the two indexes. */
export interface ScoredChunk {
  chunkId: string;
  collectionId: string;
  score: number;
}
