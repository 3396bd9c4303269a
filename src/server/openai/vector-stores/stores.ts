import type { z } from 'zod';
import type { PaidCall } from '../../../operate/access/index.js';
import type { RunQueue } from '../../../platform/runs/index.js';
import type { CollectionStore, Knowledge } from '../../../sources/knowledge/index.js';
import type { Caller } from '../../../kernel/caller.js';
import { notFound } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { note, notesOf, only, optionalObjectOf, storableText } from '../fields.js';
import type { FileParts } from '../files.js';
import { secondsOf } from '../http.js';
import { pageOf, rowIdOf, spanOf, type ListRequest } from '../lists.js';
import type { FileCounts, StoreRow } from './rows.js';

export interface StoreParts extends FileParts {
  knowledge: Pick<Knowledge, 'service' | 'collections' | 'documents' | 'retriever'>;
  runs: RunQueue;
  paying: { paid<T>(call: PaidCall, begin: () => Promise<T>): Promise<T> };
}

const PREFIX = 'vs_';
const LONGEST_NAME = 256;

export const storeIdOf = (collectionId: string): string => `${PREFIX}${collectionId}`;

const rowIdOfStore = (id: string, field = 'vector_store_id'): string => rowIdOf(PREFIX, id, 'The vector store', field);

/** The collection that a vector store's id stands for. @throws NOT_FOUND, also for a store of another workspace */
export async function collectionOfStore(
  collections: Pick<CollectionStore, 'byIds'>,
  workspaceId: WorkspaceId,
  id: string,
  field = 'vector_store_id',
): Promise<{ id: string; name: string; createdAt: Date }> {
  const [collection] = await collections.byIds(workspaceId, [rowIdOfStore(id, field)]);
  if (!collection) throw notFound('The vector store', id, field);
  return collection;
}

export const countsOf = ({ byStatus }: FileCounts) => ({
  ...byStatus,
  total: Object.values(byStatus).reduce((sum, count) => sum + count, 0),
});

const storeOf = (row: StoreRow, counts: FileCounts) => ({
  id: storeIdOf(row.id),
  object: 'vector_store',
  created_at: secondsOf(row.createdAt),
  name: row.name,
  metadata: row.metadata,
  usage_bytes: counts.bytes,
  file_counts: countsOf(counts),
  status: counts.byStatus.in_progress > 0 ? 'in_progress' : 'completed',
  last_active_at: null,
  expires_after: null,
  expires_at: null,
  graft: { collection: row.collection },
});

/** A store as OpenAI's clients read it. @throws NOT_FOUND */
export async function storeById({ stores }: StoreParts, { workspaceId, groups }: Caller, id: string) {
  const collectionIds = [rowIdOfStore(id)];
  const span = { lower: null, upper: null, limit: 1, descending: false };
  const [row] = await stores.stores(workspaceId, { ids: collectionIds, ...span });
  if (!row) throw notFound('The vector store', id, 'vector_store_id');
  return storeOf(row, (await stores.counts({ workspaceId, collectionIds, groups })).get(row.id)!);
}

export async function storesOf({ stores }: StoreParts, { workspaceId, groups }: Caller, request: ListRequest) {
  const span = await spanOf(request, rowIdOfStore);
  const rows = await stores.stores(workspaceId, span);
  const counts = await stores.counts({ workspaceId, collectionIds: rows.map(({ id }) => id), groups });
  return pageOf(rows, span, (row) => storeOf(row, counts.get(row.id)!));
}

/** What a store is said to be; the collection's name tells which it is. */
export const described = {
  name: storableText.max(LONGEST_NAME).optional(),
  metadata: notesOf(note).optional(),
  expires_after: only([]),
};

/** A body of `POST /v1/vector_stores/:store`. */
export const storeChanges = optionalObjectOf(described);

/** Another name, other metadata; what is left out stays. The collection keeps its own name. @throws RefusedField, NOT_FOUND */
export async function modifyStore(parts: StoreParts, caller: Caller, id: string, body: z.output<typeof storeChanges>) {
  const store = await storeById(parts, caller, id);
  const { metadata = store.metadata } = body;
  const name = body.name || store.name;
  await parts.stores.describe(caller.workspaceId, rowIdOfStore(id), { name, metadata });
  return storeById(parts, caller, id);
}

/** @throws NOT_FOUND, FORBIDDEN where it holds what the caller doesn't see */
export async function deleteStore({ knowledge }: StoreParts, caller: Caller, id: string) {
  const { name } = await collectionOfStore(knowledge.collections, caller.workspaceId, id);
  await knowledge.service.deleteCollection(caller, name);
  return { id, object: 'vector_store.deleted', deleted: true };
}
