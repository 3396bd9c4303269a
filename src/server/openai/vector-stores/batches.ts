/** Batches of a vector store's files: each is one run of ingestion. */
import { isGraftError, notFound } from '../../../kernel/errors.js';
import type { Caller } from '../../../kernel/caller.js';
import { isFinished } from '../../../platform/runs/index.js';
import { RefusedField } from '../errors.js';
import { fieldsOf, refuseOthers, requiredText } from '../fields.js';
import { secondsOf } from '../http.js';
import { rowIdOf } from '../lists.js';
import type { Attributes } from './documents.js';
import {
  attachedFiles,
  checkedAttributes,
  CHUNKING,
  ingestFiles,
  listOfIds,
  pageOfFiles,
  type FileListRequest,
} from './files.js';
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

/** What a batch is to attach: ids with attributes for all of them, or files with their own. */
function checkedBatch(body: unknown): { field: string; requestedFiles: { id: string; attributes: Attributes }[] } {
  const fields = fieldsOf(body);
  refuseOthers(fields, ['file_ids', 'files', 'attributes'], CHUNKING);
  const { files } = fields;
  if (files == null) {
    const attributes = checkedAttributes(fields);
    return { field: 'file_ids', requestedFiles: listOfIds(fields, 'file_ids').map((id) => ({ id, attributes })) };
  }
  if (!Array.isArray(files) || files.length === 0 || fields['file_ids'] != null || fields['attributes'] != null)
    throw new RefusedField('files', 'invalid_value', 'A batch has `file_ids` or a list `files`, and one of them.');
  const requestedFiles = files.map((file: unknown, i) => {
    const entry = fieldsOf(file, `files[${i}]`);
    refuseOthers(entry, ['file_id', 'attributes'], CHUNKING);
    return { id: requiredText(entry, 'file_id'), attributes: checkedAttributes(entry) };
  });
  return { field: 'files', requestedFiles: [...new Map(requestedFiles.map((file) => [file.id, file])).values()] };
}

/** @throws RefusedField, NOT_FOUND, PAYLOAD_TOO_LARGE */
export async function createBatch(
  parts: StoreParts,
  caller: Caller,
  { store, body, key }: { store: string; body: unknown; key: string | null },
) {
  const { field, requestedFiles } = checkedBatch(body);
  const collection = await collectionOfStore(parts.knowledge.collections, caller.workspaceId, store);
  const files = await attachedFiles(parts, caller, requestedFiles, field);
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
