import { isGraftError } from '../../kernel/errors.js';
import type { VectorStore } from '../../platform/vectors/index.js';
import type { CollectionStore } from '../collection-store.js';
import type { DocumentStore } from '../document-store.js';

export interface SweepParts {
  collections: CollectionStore;
  documents: DocumentStore;
  vectors: VectorStore;
}

/**
 * Deletes what documents left behind that were replaced, deleted, or never became live: first the vectors, then the rows,
 * which are the reminder. Repeatable at any time; search never sees any of it.
 * @param ownRunId a run whose unfinished documents may go too; only its own handler passes it
 * @throws VECTOR_STORE_UNAVAILABLE, and keeps the reminder
 */
export async function sweep(
  { collections, documents, vectors }: SweepParts,
  ownRunId: string | null = null,
): Promise<void> {
  const rows = await documents.sweepable(ownRunId);
  const byCollection = new Map<string, typeof rows>();
  for (const row of rows) byCollection.set(row.collectionId, [...(byCollection.get(row.collectionId) ?? []), row]);
  for (const [collectionId, stale] of byCollection) {
    const [first] = stale;
    if (first === undefined) continue;
    const documentIds = stale.map(({ id }) => id);
    for (const index of await collections.indexes(collectionId))
      await vectors.delete(first.workspaceId, index.id, { documentIds });
    await documents.remove(documentIds);
  }
}

/** `sweep`, put off while the vector store can't be reached. */
export async function sweepIfPossible(parts: SweepParts, ownRunId: string | null = null): Promise<void> {
  try {
    await sweep(parts, ownRunId);
  } catch (error) {
    if (!isGraftError(error, 'VECTOR_STORE_UNAVAILABLE')) throw error;
  }
}
