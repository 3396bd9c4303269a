/** Batches of a vector store's files: each is one run of ingestion. */
import { z } from 'zod';
import { isGraftError, notFound } from '../../../kernel/errors.js';
import type { Caller } from '../../../kernel/caller.js';
import { isFinished } from '../../../platform/runs/index.js';
import { idsOf, objectOf } from '../fields.js';
import { secondsOf } from '../http.js';
import { rowIdOf } from '../lists.js';
import { attachedFiles, fileToAttach, ingestFiles, MOST_FILES, pageOfFiles, type FileListRequest } from './files.js';
import type { FileStatus } from './rows.js';
import { collectionOfStore, countsOf, type StoreParts } from './stores.js';

const PREFIX = 'vsfb_';

/** A store and one of its batches, by their ids. */
interface BatchInStore {
  store: string;
  batch: string;
}

async function requireBatch(parts: StoreParts, { workspaceId, groups }: Caller, { store, batch }: BatchInStore) {
  const collection = await collectionOfStore(parts.knowledge.collections, workspaceId, store);
  const run = await parts.runs.get(workspaceId, rowIdOf(PREFIX, batch, 'The batch', 'batch_id'));
  if (run?.kind !== 'INGESTION' || run.subjectId !== collection.id) throw notFound('The batch', batch, 'batch_id');
  return { run, selection: { workspaceId, collectionIds: [collection.id], groups, run: run.id } };
}

const BATCH_STATUS: Readonly<Record<string, FileStatus>> = {
  SUCCEEDED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
};

/** A batch as OpenAI's clients read it: one run of ingestion. @throws NOT_FOUND */
export async function batchById(parts: StoreParts, caller: Caller, ids: BatchInStore) {
  const { run, selection } = await requireBatch(parts, caller, ids);
  const counts = await parts.stores.counts(selection);
  return {
    id: ids.batch,
    object: 'vector_store.files_batch',
    created_at: secondsOf(run.createdAt),
    vector_store_id: ids.store,
    status: BATCH_STATUS[run.status] ?? 'in_progress',
    file_counts: countsOf(counts.get(run.subjectId!)!),
  };
}

const ONE_OF_THEM = 'A batch has `file_ids` or a list `files`, and one of them.';

/** A body of `POST /v1/vector_stores/:store/file_batches`: ids with attributes for all of them, or files with their own. */
export const newBatch = objectOf({
  file_ids: idsOf(MOST_FILES).optional(),
  files: z.array(fileToAttach).min(1).max(MOST_FILES).optional(),
  attributes: fileToAttach.out.shape.attributes.unwrap().optional(),
  chunking_strategy: fileToAttach.out.shape.chunking_strategy,
})
  .refine(({ files, file_ids: ids }) => (files ?? ids) !== undefined, { path: ['file_ids'], error: ONE_OF_THEM })
  .refine(({ files, file_ids: ids, attributes }) => !files || (ids ?? attributes) === undefined, {
    path: ['files'],
    error: ONE_OF_THEM,
  });

/** What a batch is to attach, each file once. */
function requestedIn({ files, file_ids: ids = [], attributes = {} }: z.output<typeof newBatch>) {
  const requested = files?.map(({ file_id: id, attributes: notes }) => ({ id, attributes: notes }));
  return [...new Map((requested ?? ids.map((id) => ({ id, attributes }))).map((file) => [file.id, file])).values()];
}

/** @throws RefusedField, NOT_FOUND, PAYLOAD_TOO_LARGE */
export async function createBatch(
  parts: StoreParts,
  caller: Caller,
  { store, body, key }: { store: string; body: z.output<typeof newBatch>; key: string | null },
) {
  const collection = await collectionOfStore(parts.knowledge.collections, caller.workspaceId, store);
  const files = await attachedFiles(parts, caller, requestedIn(body), body.files ? 'files' : 'file_ids');
  const run = await ingestFiles(parts, caller, { collection, files, key });
  return batchById(parts, caller, { store, batch: `${PREFIX}${run.id}` });
}

/** A batch that has ended stays as it is. @throws NOT_FOUND */
export async function cancelBatch(parts: StoreParts, caller: Caller, ids: BatchInStore) {
  const { run } = await requireBatch(parts, caller, ids);
  if (!isFinished(run.status))
    await parts.runs.cancel(caller.workspaceId, run.id).catch((error: unknown) => {
      // It may have ended just now.
      if (!isGraftError(error, 'CONFLICT')) throw error;
    });
  return batchById(parts, caller, ids);
}

/** @throws NOT_FOUND */
export async function filesOfBatch(parts: StoreParts, caller: Caller, ids: BatchInStore, request: FileListRequest) {
  const { selection } = await requireBatch(parts, caller, ids);
  return pageOfFiles(parts, selection, request);
}
