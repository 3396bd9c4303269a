import type { WorkspaceId } from '../../../kernel/ids.js';
import type { Database } from '../../../platform/database/index.js';
import type { VectorFilter, VectorStore } from '../../../platform/vectors/index.js';
import { isSeen, seesAll, sightIn, type Sight } from '../access/sight.js';
import type { SearchedCollection } from '../collection.js';
import type { ScoredChunk } from './retrieval.js';

/** How often the search is widened when vectors of deleted documents, not yet swept, fill its first places. */
const MAX_WIDENINGS = 3;
/** How many are looked at where some may not be seen, before Chroma is told which: each is quicker than that, where enough are left. */
const WIDTHS = [250, 1_000, 2_500] as const;
/** How many times what is wanted must be expected among them: documents hang together, and a width that comes short was searched for nothing. */
const ROOM = 1.2;
/** So many chunks are told to Chroma by themselves: to find out whose documents' they are takes it twice as long as the search. */
const MOST_NAMED = 10_000;

/**
 * The best live chunks of one index by cosine similarity, best first. A vector counts only if its chunk still belongs
 * to a live document, so that what is deleted in PostgreSQL is gone from search at once. A vector's document is in
 * PostgreSQL until the vector is deleted: where no document is stale and none hidden, none need be looked up. (A rebuild that failed may leave
 * a few that are not; they are dropped when the passages are read.)
 * @throws VECTOR_STORE_UNAVAILABLE
 */
export async function searchDense(
  { database, vectors }: { database: Database; vectors: VectorStore },
  target: {
    workspaceId: WorkspaceId;
    collection: Pick<SearchedCollection, 'id' | 'documents' | 'staleDocuments'>;
    indexId: string;
  },
  vector: Float32Array,
  options: { limit: number; documentIds: readonly string[] | null; sight: Sight },
): Promise<ScoredChunk[]> {
  const { workspaceId, collection, indexId } = target;
  const { limit, documentIds } = options;
  const sight = sightIn(options.sight, collection.id);
  const search = async (ask: number, where?: VectorFilter) => {
    const hits = await vectors.query(workspaceId, indexId, vector, ask, where);
    const asItIs = collection.staleDocuments === 0 && (seesAll(sight) || where !== undefined);
    const ids = hits.map(({ id }) => id);
    const live = asItIs ? null : await liveChunks(database, workspaceId, collection.id, ids, sight);
    const scored = hits
      .filter(({ id }) => live?.has(id) ?? true)
      .map(({ id, score }) => ({ chunkId: id, collectionId: collection.id, score }));
    return { scored, all: hits.length < ask };
  };
  const visibleCount = sight.listed === 'SEEN' ? sight.ids.length : collection.documents - sight.ids.length;
  if (sight.listed === 'SEEN' && visibleCount === 0) return [];
  if (documentIds === null && !seesAll(sight))
    for (const width of WIDTHS) {
      if (width * visibleCount < ROOM * limit * collection.documents) continue;
      const { scored, all } = await search(width);
      if (scored.length >= limit || all) return scored.slice(0, limit);
    }
  const where = await filterOf(database, workspaceId, collection.id, documentIds, sight);
  for (let widening = 0, ask = limit; ; widening += 1, ask *= 4) {
    const { scored, all } = await search(ask, where);
    if (scored.length >= limit || all || widening === MAX_WIDENINGS) return scored.slice(0, limit);
  }
}

/** What may be searched: by chunks, where they are few enough. */
async function filterOf(
  database: Database,
  workspaceId: WorkspaceId,
  collectionId: string,
  documentIds: readonly string[] | null,
  sight: Sight,
): Promise<VectorFilter | undefined> {
  const { listed, ids } = sight;
  const only = documentIds ?? (listed === 'SEEN' ? ids : null);
  if (only === null) return ids.length === 0 ? undefined : { notDocumentIds: ids };
  if (only.length > MOST_NAMED) return { documentIds: only };
  const { rows } = await database.pool.query<{ id: string }>({
    name: `knowledge-chunks-of-${listed}`,
    text: `SELECT c.id FROM chunk c JOIN document d ON d.id = c.document_id
            WHERE d.workspace_id = $1 AND d.collection_id = $2 AND d.live_name IS NOT NULL AND d.id = ANY($3::uuid[])
              AND ${isSeen(sight, '$4')} LIMIT $5`,
    values: [workspaceId, collectionId, only, ids, MOST_NAMED + 1],
  });
  return rows.length > MOST_NAMED ? { documentIds: only } : { ids: rows.map(({ id }) => id) };
}

async function liveChunks(
  database: Database,
  workspaceId: WorkspaceId,
  collectionId: string,
  ids: readonly string[],
  sight: Sight,
): Promise<Set<string>> {
  const { rows } = await database.pool.query<{ id: string }>({
    name: `knowledge-live-chunks-${sight.listed}`,
    text: `SELECT c.id FROM chunk c JOIN document d ON d.id = c.document_id
            WHERE c.id = ANY($3::uuid[]) AND d.workspace_id = $1 AND d.collection_id = $2 AND d.live_name IS NOT NULL
              AND ${isSeen(sight, '$4')}`,
    values: [workspaceId, collectionId, ids, sight.ids],
  });
  return new Set(rows.map(({ id }) => id));
}
