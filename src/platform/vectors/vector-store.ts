import type { WorkspaceId } from '../../kernel/ids.js';

export interface VectorHit {
  id: string;
  /** Cosine similarity, -1..1. */
  score: number;
}

export interface VectorRecord {
  id: string;
  vector: Float32Array;
  /** `documentId` is what the filter of `query` goes by. */
  metadata: Record<string, string | number | boolean>;
}

/** The first of these that is given. */
export interface VectorFilter {
  /** Of records. */
  ids?: readonly string[];
  documentIds?: readonly string[];
  notDocumentIds?: readonly string[];
}

/**
 * Nearest neighbours by cosine, one index a set of vectors. Every method throws VECTOR_STORE_UNAVAILABLE when the store can't be
 * reached or does not answer in time, and works again as soon as the store does.
 */
export interface VectorStore {
  /** Creates the index unless it exists. */
  ensure(workspace: WorkspaceId, indexId: string, dimensions: number): Promise<void>;
  /** Writes records, replacing those with the same id. */
  upsert(workspace: WorkspaceId, indexId: string, records: readonly VectorRecord[]): Promise<void>;
  /** The nearest records, best first, at most `limit`. */
  query(
    workspace: WorkspaceId,
    indexId: string,
    vector: Float32Array,
    limit: number,
    where?: VectorFilter,
  ): Promise<VectorHit[]>;
  /** The metadata of the records that exist, by id. */
  metadata(
    workspace: WorkspaceId,
    indexId: string,
    ids: readonly string[],
  ): Promise<Map<string, VectorRecord['metadata']>>;
  /**
   * Records with their vectors: those of these ids that exist, at most 2,000, or a page of all of them in an order that holds while nothing is
   * written. None where there is no such index.
   */
  records(
    workspace: WorkspaceId,
    indexId: string,
    which: { ids: readonly string[] } | { from: number; most: number },
  ): Promise<VectorRecord[]>;
  /** Changes these fields of the records' metadata; the vectors stay. */
  relabel(
    workspace: WorkspaceId,
    indexId: string,
    ids: readonly string[],
    metadata: VectorRecord['metadata'],
  ): Promise<void>;
  /** Removes records by id or by document; what does not exist is no error. */
  delete(
    workspace: WorkspaceId,
    indexId: string,
    which: { ids: readonly string[] } | { documentIds: readonly string[] },
  ): Promise<void>;
  /** Removes the index with all its records, if it exists. */
  drop(workspace: WorkspaceId, indexId: string): Promise<void>;
  /** Resolves when the store answers, within two seconds. */
  ping(): Promise<void>;
}
