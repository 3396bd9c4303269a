import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { StoredFileRow } from '../../../platform/artifacts/index.js';
import { isFinished, type RunRow } from '../../../platform/runs/index.js';
import type { Caller, Groups } from '../../../kernel/caller.js';
import { GraftError, isGraftError, notFound } from '../../../kernel/errors.js';
import { newId, type Uuid, type WorkspaceId } from '../../../kernel/ids.js';
import { RefusedField } from '../errors.js';
import { fieldsOf, note, optionalNotes, optionalText, refuseOthers, requiredText, type Fields } from '../fields.js';
import { fileIdOf, fileRowId, requireFile, requireFileFor } from '../files.js';
import { secondsOf } from '../http.js';
import { pageOf, rowIdOf, spanOf, type ListRequest } from '../lists.js';
import {
  FILE_KEY,
  FILE_STATUSES,
  namePrefix,
  type FileDocument,
  type FileSelection,
  type FileStatus,
  type StoreFileRow,
} from './rows.js';
import { collectionOfStore, countsOf, namedIn, storeById, storeIdOf, type StoreParts } from './stores.js';

type Attributes = Record<string, string | number | boolean>;

const BATCH_PREFIX = 'vsfb_';
const MOST_FILES = 100;
/** A document's name has at most 200 characters. */
const LONGEST_FILENAME = 150;

/** Within which a run ends once its last file is ready. */
const ENDING_MS = 2_000;
const POLL_MS = 50;
const CHUNKING = { chunking_strategy: [{ type: 'auto' }] };

/** What went wrong with a file, as far as OpenAI tells it apart. */
const ERRORS: Readonly<Record<string, string>> = {
  UNSUPPORTED_MEDIA_TYPE: 'unsupported_file',
  DOCUMENT_UNREADABLE: 'invalid_file',
  PAYLOAD_TOO_LARGE: 'invalid_file',
  FORBIDDEN: 'invalid_file',
};

/** Two files of one name are two documents. */
const documentNameOf = ({ id, name }: StoredFileRow): string =>
  `${namePrefix(id)}${name.slice(-LONGEST_FILENAME).toWellFormed()}`;

/** The file that a document was made of; undefined for one that came in another way. */
function fileIdIn(name: string, metadata: Fields): string | undefined {
  const id = metadata[FILE_KEY];
  return typeof id === 'string' && name.startsWith(namePrefix(id)) ? id : undefined;
}

/** What a document's file is called. */
const filenameOf = (name: string, metadata: Fields): string =>
  fileIdIn(name, metadata) === undefined ? name : name.slice(name.indexOf('/') + 1);

const attributesOf = (metadata: Fields): Attributes =>
  Object.fromEntries(
    Object.entries(metadata).filter(
      (entry): entry is [string, Attributes[string]] =>
        entry[0] !== FILE_KEY && ['string', 'number', 'boolean'].includes(typeof entry[1]),
    ),
  );

/** What the documents of these row ids are to clients. */
export async function filesOfDocuments(
  { knowledge }: Pick<StoreParts, 'knowledge'>,
  workspaceId: WorkspaceId,
  documentIds: readonly string[],
) {
  const rows = await knowledge.documents.byIds(workspaceId, [...new Set(documentIds)]);
  const metadataById = new Map(rows.map((row) => [row.id, fieldsOf(row.metadata, 'metadata')]));
  return ({ documentId, documentName }: { documentId: string; documentName: string }) => {
    const metadata = metadataById.get(documentId) ?? {};
    return {
      file_id: fileIdIn(documentName, metadata) ?? `file-${documentId}`,
      filename: filenameOf(documentName, metadata),
      attributes: attributesOf(metadata),
    };
  };
}

function checkedAttributes(fields: Fields): Attributes {
  const attributes = optionalNotes(fields, 'attributes', z.union([note, z.number(), z.boolean()])) ?? {};
  if (FILE_KEY in attributes)
    throw new RefusedField('attributes', 'invalid_value', `The attribute ${FILE_KEY} is Graft’s own.`);
  return attributes;
}

/** Ids, each once. */
function listOfIds(fields: Fields, name: string): string[] {
  const { data } = z.array(z.string()).min(1).safeParse(fields[name]);
  if (!data) throw new RefusedField(name, 'invalid_value', `${name} must be a list of ids that is not empty.`);
  return [...new Set(data)];
}

interface AttachedFile {
  row: StoredFileRow;
  attributes: Attributes;
}

/** @throws RefusedField, NOT_FOUND for a file */
async function attachedFiles(
  files: StoreParts,
  caller: Caller,
  requestedFiles: readonly { id: string; attributes: Attributes }[],
  field: string,
): Promise<AttachedFile[]> {
  if (requestedFiles.length > MOST_FILES)
    throw new RefusedField(field, 'invalid_value', `A request takes at most ${MOST_FILES} files.`, 'Send several.');
  const attached: AttachedFile[] = [];
  for (const { id, attributes } of requestedFiles)
    attached.push({ row: await requireFileFor('document', { files, caller, id, field }), attributes });
  return attached;
}

/** Begins to make documents of files, as one run. */
function ingestFiles(
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

/** A name that collections may have, of what a client calls a store. */
const collectionNameOf = (name: string): string =>
  name
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replaceAll(/^[^A-Za-z0-9]+|-+$/g, '')
    .slice(0, 50) || `store-${newId().slice(-12)}`;

/** @throws RefusedField, NOT_FOUND for a file; no store is made then */
export async function createStore(parts: StoreParts, caller: Caller, body: unknown, key: string | null) {
  const fields = fieldsOf(body ?? {});
  refuseOthers(fields, ['name', 'description', 'file_ids', 'metadata'], {
    chunking_strategy: [{ type: 'auto' }],
    expires_after: [],
  });
  const { workspaceId } = caller;
  const name = namedIn(fields);
  const metadata = optionalNotes(fields, 'metadata', note) ?? {};
  const description = optionalText(fields, 'description');
  const ids = fields['file_ids'] == null ? [] : listOfIds(fields, 'file_ids');
  const files = await attachedFiles(
    parts,
    caller,
    ids.map((id) => ({ id, attributes: {} })),
    'file_ids',
  );
  const { service } = parts.knowledge;
  const make = (called: string) => service.createCollection({ workspaceId, name: called, description });
  const called = collectionNameOf(name ?? '');
  const collection = await make(called).catch((error: unknown) => {
    if (!isGraftError(error, 'ALREADY_EXISTS')) throw error;
    return make(`${called}-${newId().slice(-12)}`);
  });
  try {
    await parts.stores.describe(workspaceId, collection.id, { name: name || collection.name, metadata });
    if (files.length > 0) await ingestFiles(parts, caller, { collection, files, key });
  } catch (error) {
    await service.deleteCollection(caller, collection.name);
    throw error;
  }
  return storeById(parts, caller, storeIdOf(collection.id));
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
  { store, body, key }: { store: string; body: unknown; key: string | null },
) {
  const fields = fieldsOf(body);
  refuseOthers(fields, ['file_id', 'attributes'], CHUNKING);
  const file = requiredText(fields, 'file_id');
  const collection = await collectionOfStore(parts.knowledge.collections, caller.workspaceId, store);
  const requestedFiles = [{ id: file, attributes: checkedAttributes(fields) }];
  const files = await attachedFiles(parts, caller, requestedFiles, 'file_id');
  await ingestFiles(parts, caller, { collection, files, key });
  return storeFileById(parts, caller, { store, file });
}

/** Other attributes, by an ingestion that changes nothing else. @throws RefusedField, NOT_FOUND */
export async function modifyFile(parts: StoreParts, caller: Caller, ids: FileInStore, body: unknown) {
  const fields = fieldsOf(body);
  refuseOthers(fields, ['attributes'], {});
  const attributes = checkedAttributes(fields);
  const { collection, row } = await requireStoreFile(parts, caller, ids);
  if (fileIdIn(row.name, row.metadata) === undefined)
    throw new RefusedField(
      'file_id',
      'unsupported_value',
      'The document was ingested over GraphQL.',
      'Ingest it there again with other metadata.',
    );
  const files = await attachedFiles(parts, caller, [{ id: ids.file, attributes }], 'file_id');
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

/** Files of a list, of one status or any. */
type FileListRequest = ListRequest & { filter: FileStatus | null };

/** @throws RefusedField for what is no status */
export function checkedStatus(query: Fields): FileStatus | null {
  const text = optionalText(query, 'filter');
  const status = FILE_STATUSES.find((name) => name === text);
  if (text !== null && !status)
    throw new RefusedField('filter', 'invalid_value', `filter must be one of ${FILE_STATUSES.join(', ')}.`);
  return status ?? null;
}

async function pageOfFiles({ stores }: StoreParts, selection: FileSelection, request: FileListRequest) {
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

/** A store and one of its batches, by their ids. */
interface BatchInStore {
  store: string;
  batch: string;
}

async function requireBatch(parts: StoreParts, { workspaceId, groups }: Caller, { store, batch }: BatchInStore) {
  const collection = await collectionOfStore(parts.knowledge.collections, workspaceId, store);
  const run = await parts.runs.get(workspaceId, rowIdOf(BATCH_PREFIX, batch, 'The batch', 'batch_id'));
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
  return batchById(parts, caller, { store, batch: `${BATCH_PREFIX}${run.id}` });
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

/** Why a file stays even without its own documents; undefined where it may go. */
async function otherReason(
  { erasure, knowledge }: StoreParts,
  row: StoredFileRow,
  { groups, documents }: { groups: Groups; documents: readonly FileDocument[] },
): Promise<string | undefined> {
  const reasons = await erasure.reasonsToKeep(row, groups);
  if (reasons.length === 0) return undefined;
  const awaited = await knowledge.service.parts.inputs.awaited(row.workspaceId as WorkspaceId, [row.sha256]);
  if (awaited.length > 0) return 'An ingestion that has not ended will read it.';
  if (documents.some(({ isOwn }) => !isOwn))
    return 'A document was made of it over GraphQL: delete that document there.';
  // One reason may be the file's own documents: it names one of them.
  return reasons.find((reason) => !documents.some(({ name }) => reason.includes(name)));
}

/**
 * Deletes a file, and the documents that were made of it in vector stores.
 * @throws NOT_FOUND, CONFLICT where something else needs it, or the caller doesn't see one of these documents
 */
export async function deleteFile(parts: StoreParts, caller: Caller, id: string) {
  const { workspaceId, groups } = caller;
  const row = await requireFile(parts, caller, id);
  const documents = await parts.stores.documentsOf(row, groups);
  const ownDocuments = documents.filter(({ isOwn }) => isOwn);
  if (ownDocuments.some(({ isSeen }) => !isSeen)) throw fileStays('A document was made of it that you may not see.');
  const reason = await otherReason(parts, row, { groups, documents });
  if (reason !== undefined) throw fileStays(reason);
  for (const { collection, name } of ownDocuments)
    await parts.knowledge.service.deleteDocuments(caller, { collection, names: [name] });
  const { keptFiles } = await parts.erasure.eraseFile(workspaceId, row.id, groups, { copiesSuffice: true });
  const [keptFile] = keptFiles;
  if (keptFile) throw fileStays(keptFile.reason);
  return { id, object: 'file', deleted: true };
}

const fileStays = (reason: string): GraftError =>
  new GraftError('CONFLICT', `The file stays: ${reason}`, { field: 'file_id' });
