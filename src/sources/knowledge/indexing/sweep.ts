import { isGraftError } from '../../../kernel/errors.js';
import { groupBy } from '../../../kernel/group-by.js';
import type { VectorStore } from '../../../platform/vectors/index.js';
import type { CollectionStore } from '../collection-store.js';
import type { DocumentStore } from '../document-store.js';

export interface SweepParts {
  collections: CollectionStore;
  documents: DocumentStore;
  vectors: VectorStore;
}

interface OwnRun {
  runId: string;
  /** Id of a document. */
  goesOnWith?: string;
}

/**
 * Deletes what documents left behind that were replaced or never became live: first the vectors, then the rows, which are the
 * reminder. Repeatable at any time; search never sees any of it. What was deleted is an erasure's to remove.
 * @param ownRun a run whose unfinished documents may go too, but for one that it goes on with; only its own handler passes it
 * @throws VECTOR_STORE_UNAVAILABLE, and keeps the reminder
 */
export async function sweep({ collections, documents, vectors }: SweepParts, ownRun: OwnRun | null = null) {
  for (;;) {
    const rows = (await documents.replaced(ownRun?.runId ?? null)).filter(({ id }) => id !== ownRun?.goesOnWith);
    if (rows.length === 0) return;
    for (const [collectionId, stale] of groupBy(rows, (row) => row.collectionId)) {
      // By their chunks: those that went over to another document keep their vectors.
      const ids = stale.flatMap(({ chunkIds }) => chunkIds);
      const { workspaceId } = stale[0]!;
      for (const index of await collections.indexes(collectionId)) await vectors.delete(workspaceId, index.id, { ids });
      await documents.remove(stale.map(({ id }) => id));
    }
  }
}

/** `sweep`, put off while the vector store can't be reached. */
export async function sweepIfPossible(parts: SweepParts, ownRun: OwnRun): Promise<void> {
  try {
    await sweep(parts, ownRun);
  } catch (error) {
    if (!isGraftError(error, 'VECTOR_STORE_UNAVAILABLE')) throw error;
  }
}
