import type { WorkspaceId } from '../../kernel/ids.js';
import type { Database } from '../../platform/database/index.js';
import type { VectorStore } from '../../platform/vectors/index.js';
import type { SearchedCollection } from '../collection.js';
import type { ScoredChunk } from './retrieval.js';

/** How often the search is widened when vectors of deleted documents, not yet swept, fill its first places. */
const MAX_WIDENINGS = 3;

/**
 * The best live chunks of one index by cosine similarity, best first. A vector counts only if its chunk still belongs
 * to a live document, so that what is deleted in PostgreSQL is gone from search at once. A vector's document is in
 * PostgreSQL until the vector is deleted: where no document is stale, none need be looked up. (A rebuild that failed may leave
 * a few that are not; they are dropped when the passages are read.)
 * @throws VECTOR_STORE_UNAVAILABLE
 */
export async function searchDense(
  { database, vectors }: { database: Database; vectors: VectorStore },
  target: { workspaceId: WorkspaceId; collection: Pick<SearchedCollection, 'id' | 'staleDocuments'>; indexId: string },
  vector: Float32Array,
  options: { limit: number; documentIds: readonly string[] | null; hidden: readonly string[] },
): Promise<ScoredChunk[]> {
  const { workspaceId, collection, indexId } = target;
  const { documentIds, hidden } = options;
  const where = { ...(documentIds && { documentIds }), ...(hidden.length > 0 && { notDocumentIds: hidden }) };
  for (let widening = 0, ask = options.limit; ; widening += 1, ask *= 4) {
    const hits = await vectors.query(workspaceId, indexId, vector, ask, where);
    const ids = hits.map(({ id }) => id);
    const live = collection.staleDocuments === 0 ? null : await liveChunks(database, workspaceId, collection.id, ids);
    const scored = hits
      .filter(({ id }) => live?.has(id) ?? true)
      .map(({ id, score }) => ({ chunkId: id, collectionId: collection.id, score }));
    if (scored.length >= options.limit || hits.length < ask || widening === MAX_WIDENINGS)
      return scored.slice(0, options.limit);
  }
}

async function liveChunks(
  database: Database,
  workspaceId: WorkspaceId,
  collectionId: string,
  ids: readonly string[],
): Promise<Set<string>> {
  const { rows } = await database.pool.query<{ id: string }>({
    name: 'knowledge-live-chunks',
    text: `SELECT c.id FROM chunk c JOIN document d ON d.id = c.document_id
            WHERE c.id = ANY($3::uuid[]) AND d.workspace_id = $1 AND d.collection_id = $2 AND d.live_name IS NOT NULL`,
    values: [workspaceId, collectionId, ids],
  });
  return new Set(rows.map(({ id }) => id));
}
