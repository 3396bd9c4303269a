/** The files of a vector store: attached, listed, changed, read and taken out. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { StoredFileRow } from '../../../platform/artifacts/index.js';
import type { RunRow } from '../../../platform/runs/index.js';
import type { Caller } from '../../../kernel/caller.js';
import { GraftError, notFound } from '../../../kernel/errors.js';
import { newId, type Uuid } from '../../../kernel/ids.js';
import { RefusedField } from '../errors.js';
import { filledText, note, notesOf, objectOf, only } from '../fields.js';
import { fileIdOf, fileRowId, requireFileFor } from '../files.js';
import { secondsOf } from '../http.js';
import { before, listQuery, pageOf, spanOf } from '../lists.js';
import { attributesOf, documentNameOf, fileIdIn, filenameOf, type Attributes } from './documents.js';
import { FILE_KEY, FILE_STATUSES, type FileSelection, type StoreFileRow } from './rows.js';
import { collectionOfStore, storeIdOf, type StoreParts } from './stores.js';

export const MOST_FILES = 100;
/** Within which a run ends once its last file is ready. */
const ENDING_MS = 2_000;
const POLL_MS = 50;

/** What went wrong with a file, as far as OpenAI tells it apart. */
const ERRORS: Readonly<Record<string, string>> = {
  UNSUPPORTED_MEDIA_TYPE: 'unsupported_file',
  DOCUMENT_UNREADABLE: 'invalid_file',
  PAYLOAD_TOO_LARGE: 'invalid_file',
  FORBIDDEN: 'invalid_file',
};

export const chunking = only([{ type: 'auto' }]);

const attributes = notesOf(z.union([note, z.number(), z.boolean()], 'must be a text, number or boolean.'))
  .refine((notes) => !(FILE_KEY in notes), `must not have ${FILE_KEY}, which is Graft’s own.`)
  .default({});

/** A body that attaches a file. */
export const fileToAttach = objectOf({ file_id: filledText, attributes, chunking_strategy: chunking });

/** A body of `POST /v1/vector_stores/:store/files/:file`. */
export const fileChanges = objectOf({ attributes });

interface AttachedFile {
  row: StoredFileRow;
  attributes: Attributes;
}

/** @throws RefusedField, NOT_FOUND for a file */
export async function attachedFiles(
  files: StoreParts,
  caller: Caller,
  requestedFiles: readonly { id: string; attributes: Attributes }[],
  field: string,
): Promise<AttachedFile[]> {
  const attached: AttachedFile[] = [];
  for (const { id, attributes } of requestedFiles)
    attached.push({ row: await requireFileFor('document', { files, caller, id, field }), attributes });
  return attached;
}

/** Begins to make documents of files, as one run. */
export function ingestFiles(
  { knowledge }: StoreParts,
  caller: Caller,
  { collection, files, key }: { collection: { name: string }; files: readonly AttachedFile[]; key: string | null },
): Promise<RunRow> {
  const documents = files.map(({ row, attributes }) => ({
    name: documentNameOf(row),
    fileId: row.id as Uuid,
    metadata: { ...attributes, [FILE_KEY]: fileIdOf(row) },
  }));
  return knowledge.service.ingestDocuments(caller, {
    collection: collection.name,
    documents,
    idempotencyKey: key ?? newId(),
  });
}

const storeFileOf = (row: StoreFileRow) => ({
  id: row.id,
  object: 'vector_store.file',
  created_at: secondsOf(row.createdAt),
  vector_store_id: storeIdOf(row.collectionId),
  status: row.status,
  last_error: row.error && { code: ERRORS[row.error.code] ?? 'server_error', message: row.error.message },
  usage_bytes: row.bytes,
  attributes: attributesOf(row.metadata),
  chunking_strategy: { type: 'other' },
});

/** A store and one of its files, by their ids. */
interface FileInStore {
  store: string;
  file: string;
}

async function requireStoreFile(parts: StoreParts, { workspaceId, groups }: Caller, { store, file }: FileInStore) {
  const collection = await collectionOfStore(parts.knowledge.collections, workspaceId, store);
  const selection = { workspaceId, collectionIds: [collection.id], groups };
  const [row] = file.includes('\0') ? [] : await parts.stores.files({ ...selection, ids: [file] });
  if (!row) throw notFound('The vector store’s file', file.slice(0, 200), 'file_id');
  return { collection, row };
}

/** @throws NOT_FOUND */
export const storeFileById = async (parts: StoreParts, caller: Caller, ids: FileInStore) =>
  storeFileOf((await requireStoreFile(parts, caller, ids)).row);

/** @throws RefusedField, NOT_FOUND, PAYLOAD_TOO_LARGE */
export async function attachFile(
  parts: StoreParts,
  caller: Caller,
  { store, body, key }: { store: string; body: z.output<typeof fileToAttach>; key: string | null },
) {
  const { file_id: file, attributes: notes } = body;
  const collection = await collectionOfStore(parts.knowledge.collections, caller.workspaceId, store);
  const requestedFiles = [{ id: file, attributes: notes }];
  const files = await attachedFiles(parts, caller, requestedFiles, 'file_id');
  await ingestFiles(parts, caller, { collection, files, key });
  return storeFileById(parts, caller, { store, file });
}

/** Other attributes, by an ingestion that changes nothing else. @throws RefusedField, NOT_FOUND */
export async function modifyFile(
  parts: StoreParts,
  caller: Caller,
  ids: FileInStore,
  body: z.output<typeof fileChanges>,
) {
  const { collection, row } = await requireStoreFile(parts, caller, ids);
  if (fileIdIn(row.name, row.metadata) === undefined)
    throw new RefusedField(
      'file_id',
      'unsupported_value',
      'The document was ingested over GraphQL.',
      'Ingest it there again with other metadata.',
    );
  const files = await attachedFiles(parts, caller, [{ id: ids.file, ...body }], 'file_id');
  await ingestFiles(parts, caller, { collection, files, key: null });
  return storeFileById(parts, caller, ids);
}

/** A file that is ready may be taken out, though its run ends a moment later: that moment is waited for. */
async function settledFile(parts: StoreParts, caller: Caller, ids: FileInStore) {
  const until = Date.now() + ENDING_MS;
  for (;;) {
    const file = await requireStoreFile(parts, caller, ids);
    if (!file.row.hasOpenRun || file.row.status === 'in_progress' || Date.now() > until) return file;
    await sleep(POLL_MS);
  }
}

/** Takes a file out of a store; the file itself stays. @throws NOT_FOUND, CONFLICT while it is ingested */
export async function detachFile(parts: StoreParts, caller: Caller, ids: FileInStore) {
  const { collection, row } = await settledFile(parts, caller, ids);
  const { service } = parts.knowledge;
  if (row.hasOpenRun)
    throw new GraftError('CONFLICT', 'The ingestion of the file has not ended.', {
      field: 'file_id',
      hint: 'Wait for its end, or cancel its batch.',
    });
  if (row.documentId !== null)
    await service.deleteDocuments(caller, { collection: collection.name, names: [row.name] });
  // Of one that failed there is no document.
  await service.parts.inputs.eraseMetadata(caller.workspaceId, collection.id, [row.name]);
  return { id: ids.file, object: 'vector_store.file.deleted', deleted: true };
}

/** Text as the parser read it. @throws NOT_FOUND, RefusedField for a file without a document */
export async function contentOfFile(parts: StoreParts, caller: Caller, ids: FileInStore) {
  const { row } = await requireStoreFile(parts, caller, ids);
  const { documentId, status } = row;
  if (documentId === null)
    throw new RefusedField('file_id', 'invalid_value', `The file has no content: its status is "${status}".`);
  const texts = await parts.knowledge.documents.texts(caller.workspaceId, [documentId]);
  return {
    object: 'vector_store.file_content.page',
    file_id: row.id,
    filename: filenameOf(row.name, row.metadata),
    attributes: attributesOf(row.metadata),
    data: [{ type: 'text', text: texts.get(documentId) ?? '' }],
    has_more: false,
    next_page: null,
  };
}

/** The query of a list of files, of one status or any. */
export const storeFilesQuery = listQuery(20, { before, filter: z.enum(FILE_STATUSES).optional() });
export type FileListRequest = z.output<typeof storeFilesQuery>;

export async function pageOfFiles({ stores }: StoreParts, selection: FileSelection, request: FileListRequest) {
  const span = await spanOf(request, async (id, field) => {
    const [row] = id.includes('\0') ? [] : await stores.files({ ...selection, ids: [id] });
    // It may have been taken out since the page before.
    const key = row?.key ?? (await stores.formerKey(selection, fileRowId(id, field)));
    if (key === undefined) throw notFound('The vector store’s file', id.slice(0, 200), field);
    return key;
  });
  return pageOf(await stores.files(selection, { status: request.filter, span }), span, storeFileOf);
}

/** @throws NOT_FOUND */
export async function filesOfStore(parts: StoreParts, caller: Caller, store: string, request: FileListRequest) {
  const { workspaceId, groups } = caller;
  const { id } = await collectionOfStore(parts.knowledge.collections, workspaceId, store);
  return pageOfFiles(parts, { workspaceId, collectionIds: [id], groups }, request);
}
