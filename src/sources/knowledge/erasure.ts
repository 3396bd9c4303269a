import { groupBy } from '../../kernel/group-by.js';
import { pause } from '../../platform/events/index.js';
import type { Dependant, Holder, ErasableSubject } from '../../platform/erasure/index.js';
import type { VectorStore } from '../../platform/vectors/index.js';
import type { CollectionStore } from './collection-store.js';
import type { DocumentStore } from './document-store.js';
import type { IngestionInputs } from './ingestion-inputs.js';

interface ErasedParts {
  collections: CollectionStore;
  documents: DocumentStore;
  inputs: IngestionInputs;
  vectors: VectorStore;
}

/** How long the deletion of a collection waits for ingestions that were told to let go. */
const LET_GO_MS = 30_000;
const LOOK_MS = 100;

const byCollection = <T extends { collectionId: string }>(rows: readonly T[]): Map<string, T[]> =>
  groupBy(rows, ({ collectionId }) => collectionId);

/** Passages in the vector store. By their chunks: those that went over to another document keep their vectors. */
export const vectorHolder = ({ collections: store, vectors }: ErasedParts): Holder => ({
  name: 'passages',
  async erase({ workspaceId, documents = [], collections = [] }) {
    for (const [collectionId, group] of byCollection(documents)) {
      const ids = group.flatMap(({ chunkIds }) => chunkIds);
      for (const index of await store.indexes(collectionId)) await vectors.delete(workspaceId, index.id, { ids });
    }
    for (const id of collections)
      for (const index of await store.indexes(id)) await vectors.drop(workspaceId, index.id);
    return documents.reduce((sum, { chunkIds }) => sum + chunkIds.length, 0);
  },
});

/** The runs that brought documents, as holders of what was said about them. */
export const ingestionHolder = ({ inputs }: ErasedParts): Holder => ({
  name: 'ingestion runs',
  async erase({ workspaceId, documents = [] }) {
    let count = 0;
    for (const [collectionId, group] of byCollection(documents))
      count += await inputs.eraseMetadata(
        workspaceId,
        collectionId,
        group.map(({ name }) => name),
      );
    return count;
  },
});

/** Documents need the file that they were made of, and runs the files that they will read. */
export const documentsNeedFiles = ({ documents, inputs }: ErasedParts): Dependant => ({
  async needs(workspaceId, contents, groups) {
    const documentsByDigest = await documents.madeOf(workspaceId, contents, groups);
    const awaited = await inputs.awaited(workspaceId, contents);
    return new Map([
      ...awaited.map((sha256) => [sha256, 'An ingestion that has not ended will read it.'] as const),
      ...[...documentsByDigest].map(
        ([sha256, document]) =>
          [
            sha256,
            document === null
              ? 'A document was made of it.'
              : `The document ${document.name} of ${document.collection} was made of it: delete it there too.`,
          ] as const,
      ),
    ]);
  },
});

/** Documents that were marked as deleted. Their rows are the reminder, and go last. */
export const deletedDocuments = ({ documents, inputs }: ErasedParts): ErasableSubject => ({
  name: 'documents',
  async *batches(workspaceId, ids) {
    for (;;) {
      const rows = await documents.deleted(workspaceId, { ids });
      if (rows.length === 0) return;
      for (const [collectionId, group] of byCollection(rows)) {
        const names = group.map(({ name }) => name);
        yield { workspaceId, documents: group, contents: await inputs.contents(workspaceId, collectionId, names) };
      }
      await documents.remove(rows.map(({ id }) => id));
    }
  },
  left: (workspaceId, ids) => documents.countDeleted(workspaceId, { ids }),
});

/**
 * Collections all of whose documents were marked as deleted: these go first, then what is left of the collection. It waits
 * for ingestions into it, which were told to let go: what they still bring in goes too.
 */
export const deletedCollections = ({ collections, documents, inputs }: ErasedParts): ErasableSubject => ({
  name: 'collections',
  async *batches(workspaceId, ids, signal) {
    for (const id of ids) {
      for (let waited = 0; ; waited += LOOK_MS) {
        const rows = await documents.deleted(workspaceId, { collectionId: id });
        if (rows.length > 0) {
          const contents = await inputs.contents(
            workspaceId,
            id,
            rows.map(({ name }) => name),
          );
          yield { workspaceId, documents: rows, contents };
          await documents.remove(rows.map((row) => row.id));
        } else if (waited >= LET_GO_MS || !(await inputs.areRead(id))) break;
        else await pause(LOOK_MS, signal);
        signal.throwIfAborted();
        await documents.retireAll(id);
      }
      const contents = await inputs.contents(workspaceId, id, null);
      yield { workspaceId, collections: [id], contents };
      await collections.remove(id);
    }
  },
  async left(workspaceId, ids) {
    let count = (await collections.byIds(workspaceId, ids)).length;
    for (const collectionId of ids) count += await documents.countDeleted(workspaceId, { collectionId });
    return count;
  },
});
