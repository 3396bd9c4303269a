import { z } from 'zod';
import { enumeration } from '../../kernel/enumeration.js';
import type { SearchScope } from '../collection.js';

/** Which scores rank the passages: vectors' cosine, BM25, or both fused. */
export const SearchMode = enumeration('DENSE', 'LEXICAL', 'HYBRID');
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
  /** How long the embedder took, in ms. */
  ms: number;
}

export const passageScores = z.object({
  /** Cosine similarity, -1 to 1; null when the passage is not among the dense candidates. */
  dense: z.number().nullable(),
  /** BM25, 0 or more; null when the passage is not among the lexical candidates. */
  lexical: z.number().nullable(),
  /** What the passages are ranked by, 0 to 1; comparable within one retrieval only. */
  fused: z.number(),
  /** 1-based places among the candidates. */
  denseRank: z.number().nullable(),
  lexicalRank: z.number().nullable(),
});
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
export const Degradation = enumeration('VECTOR_STORE_UNAVAILABLE', 'INDEX_OUTDATED');
export type Degradation = keyof typeof Degradation;

export interface Retrieval {
  passages: Passage[];
  queryVector: Float32Array | null;
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
