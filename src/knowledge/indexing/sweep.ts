import { combined, type Erasure, type ErasureReport } from '../../erasure/index.js';
import { isGraftError } from '../../kernel/errors.js';
import type { VectorStore } from '../../platform/vectors/index.js';
import type { CollectionStore } from '../collection-store.js';
import type { DocumentStore, StaleDocument } from '../document-store.js';
import type { IngestionInputs } from '../ingestion-inputs.js';

export interface SweepParts {
  collections: CollectionStore;
  documents: DocumentStore;
  inputs: IngestionInputs;
  vectors: VectorStore;
  erasure: Erasure;
}

/**
 * Deletes what documents left behind that were replaced, deleted, or never became live: first the vectors, then what was
 * copied of deleted ones, then the rows, which are the reminder. Repeatable at any time; search never sees any of it.
 * @param ownRunId a run whose unfinished documents may go too; only its own handler passes it
 * @throws VECTOR_STORE_UNAVAILABLE, and keeps the reminder
 */
export async function sweep(parts: SweepParts, ownRunId: string | null = null): Promise<ErasureReport> {
  const { collections, documents, vectors } = parts;
  const reports: ErasureReport[] = [];
  for (;;) {
    const rows = await documents.sweepable(ownRunId);
    if (rows.length === 0) return combined(reports);
    for (const stale of byCollection(rows)) {
      const [{ workspaceId, collectionId }] = stale;
      // By their chunks: those that went over to another document keep their vectors.
      const ids = stale.flatMap(({ chunkIds }) => chunkIds);
      for (const index of await collections.indexes(collectionId)) await vectors.delete(workspaceId, index.id, { ids });
      const deleted = stale.filter((document) => document.deleted);
      if (deleted.length > 0) reports.push(await eraseCopies(parts, deleted));
      await documents.remove(stale.map(({ id }) => id));
    }
  }
}

/** @param deleted documents of one collection */
async function eraseCopies({ inputs, erasure }: SweepParts, deleted: readonly StaleDocument[]): Promise<ErasureReport> {
  const { workspaceId, collectionId } = deleted[0]!;
  const names = deleted.map(({ name }) => name);
  const contents = await inputs.contents(workspaceId, collectionId, names);
  return erasure.erase({ workspaceId, documents: deleted, contents });
}

function byCollection(rows: readonly StaleDocument[]): [StaleDocument, ...StaleDocument[]][] {
  const groups = new Map<string, [StaleDocument, ...StaleDocument[]]>();
  for (const row of rows) {
    const group = groups.get(row.collectionId);
    if (group) group.push(row);
    else groups.set(row.collectionId, [row]);
  }
  return [...groups.values()];
}

/** `sweep`, put off while the vector store can't be reached. @returns null then */
export async function sweepIfPossible(
  parts: SweepParts,
  ownRunId: string | null = null,
): Promise<ErasureReport | null> {
  try {
    return await sweep(parts, ownRunId);
  } catch (error) {
    if (!isGraftError(error, 'VECTOR_STORE_UNAVAILABLE')) throw error;
    return null;
  }
}
