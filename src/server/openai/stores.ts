import { notFound } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { CollectionStore } from '../../sources/knowledge/index.js';
import { rowIdOf } from './lists.js';

const PREFIX = 'vs_';

export const storeIdOf = (collectionId: string): string => `${PREFIX}${collectionId}`;

/** The collection that a vector store's id stands for. @throws NOT_FOUND, also for a store of another workspace */
export async function collectionOfStore(
  collections: Pick<CollectionStore, 'byIds'>,
  workspaceId: WorkspaceId,
  id: string,
  field = 'vector_store_id',
): Promise<{ id: string; name: string; createdAt: Date }> {
  const [collection] = await collections.byIds(workspaceId, [rowIdOf(PREFIX, id, 'The vector store', field)]);
  if (!collection) throw notFound('The vector store', id, field);
  return collection;
}
