import { z } from 'zod';
import type { Multipart } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../../kernel/caller.js';
import { GraftError, isGraftError, notFound } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { FileService, StoredFileRow } from '../../platform/artifacts/index.js';
import type { Erasure } from '../../platform/erasure/index.js';
import { fileName, tooLarge } from '../graphql/uploads.js';
import { RefusedField } from './errors.js';
import { checked, storableText } from './fields.js';
import { secondsOf } from './http.js';
import { listQuery, pageOf, rowIdOf, spanOf } from './lists.js';
import type { StoreRows } from './vector-stores/rows.js';

export interface FileParts {
  files: FileService;
  stores: StoreRows;
  erasure: Pick<Erasure, 'eraseFile' | 'reasonsToKeep'>;
  maxUploadBytes: number;
}

/** Rows to learn from, requests, or a document. */
export const filePurpose = z.enum(
  ['fine-tune', 'batch', 'assistants', 'user_data'],
  'Files are taken for the purposes "fine-tune" (rows), "batch" (requests), "assistants" and "user_data" (documents).',
);
export const fileForm = z.strictObject({ purpose: filePurpose, file: z.file() });

/** The query of `GET /v1/files`. */
export const filesQuery = listQuery(100, { purpose: storableText.optional() });

/** Says nothing: a document's name and content tell its format, as clients guess types that no parser knows. */
export const MEDIA_TYPE = 'application/octet-stream';
const PREFIX = 'file-';

export const fileIdOf = (row: Pick<StoredFileRow, 'id'>): string => `${PREFIX}${row.id}`;

/** The row id in a file's id. @throws NOT_FOUND */
export const fileRowId = (id: string, field = 'file_id'): string => rowIdOf(PREFIX, id, 'The file', field);

export const fileOf = (row: StoredFileRow) => ({
  id: fileIdOf(row),
  object: 'file',
  bytes: Number(row.bytes),
  created_at: secondsOf(row.createdAt),
  filename: row.name,
  purpose: row.purpose,
  status: 'processed',
  expires_at: null,
  status_details: null,
});

/** A file of `/v1`. @throws NOT_FOUND, also for one that Graft's own addresses alone know, or of a document that the caller doesn't see */
export async function requireFile(
  { files, stores }: FileParts,
  caller: Caller,
  id: string,
  field = 'file_id',
): Promise<StoredFileRow> {
  const [rowId] = await stores.fileIds(caller, { id: fileRowId(id, field) });
  if (rowId === undefined) throw notFound('The file', id, field);
  return files.get(caller.workspaceId, rowId, field);
}

const KINDS = { rows: 'fine-tune', requests: 'batch', document: 'assistants' } as const;

/** What a file is that has this purpose: what Graft wrote itself may be read as a document, too. */
const kindOf = (purpose: string | null): keyof typeof KINDS =>
  purpose === KINDS.rows ? 'rows' : purpose === KINDS.requests ? 'requests' : 'document';

/** A file of rows, for training, of requests, or of a document. @throws NOT_FOUND, RefusedField for a file of another kind */
export async function requireFileFor(
  kind: keyof typeof KINDS,
  { files, caller, id, field }: { files: FileParts; caller: Caller; id: string; field: string },
): Promise<StoredFileRow> {
  const row = await requireFile(files, caller, id, field);
  if (kindOf(row.purpose) !== kind)
    throw new RefusedField(
      field,
      'unsupported_value',
      `The file was uploaded with the purpose "${row.purpose}".`,
      `Upload it with the purpose "${KINDS[kind]}".`,
    );
  return row;
}

/** Stores the file of `POST /v1/files`. @throws as `storeForm` */
export async function storeFile(
  { files, maxUploadBytes: maxBytes }: FileParts,
  request: FastifyRequest,
): Promise<StoredFileRow> {
  const whole = (row: StoredFileRow, { purpose }: Record<string, string>) => files.setPurpose(row.id, purpose!);
  return storeForm(files, request, { form: fileForm, fileField: 'file', maxBytes, whole });
}

/** A form with one file, as it is read. */
interface FormReading {
  /** All that it has to hold. */
  form: z.ZodObject;
  fileField: string;
  maxBytes: number;
  /** What is done once all of it is there: the file isn't kept where this fails. */
  whole: (row: StoredFileRow, texts: Record<string, string>) => Promise<StoredFileRow>;
}

/**
 * Stores the file of a form, whose fields come in any order.
 * @throws BAD_REQUEST, BAD_USER_INPUT, PAYLOAD_TOO_LARGE and what `whole` throws; nothing is kept then
 */
export async function storeForm(
  files: FileService,
  request: FastifyRequest,
  reading: FormReading,
): Promise<StoredFileRow> {
  const names = Object.keys(reading.form.shape);
  // A page of another origin can send a form without asking; it can't send this header.
  if (!request.headers.authorization && !request.headers['graft-upload'])
    throw new GraftError(
      'BAD_REQUEST',
      'Send the file with the header "Authorization: Bearer …", as every OpenAI client does.',
    );
  if (!request.isMultipart()) throw new GraftError('BAD_REQUEST', `Send multipart/form-data with ${listed(names)}.`);
  const { workspaceId } = request.caller;
  const limits = { files: 1, fields: 4, parts: 5, fieldSize: 100, fileSize: reading.maxBytes + 1 };
  const content: FormContent = { file: null, texts: {}, isBroken: false };
  try {
    for await (const part of request.parts({ limits })) await takePart(part, content, { files, workspaceId, reading });
    const missing = names.find((name) => name !== reading.fileField && content.texts[name] === undefined);
    if (missing !== undefined) throw isMissing(missing);
    if (content.file === null) throw isMissing(reading.fileField);
    return await reading.whole(content.file, content.texts);
  } catch (error) {
    if (content.file) await files.remove(workspaceId, content.file.id);
    if (isGraftError(error) || !(content.isBroken || isOfForm(error))) throw error;
    throw new GraftError('BAD_REQUEST', `The form can’t be read: it holds ${listed(names)}, each once.`, {
      cause: error,
    });
  }
}

const listed = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(' and ');

const isMissing = (name: string): RefusedField => new RefusedField(name, 'invalid_value', `${name} is missing.`);

/** What a form had so far. */
interface FormContent {
  file: StoredFileRow | null;
  texts: Record<string, string>;
  /** Whether the file ended before its part did. */
  isBroken: boolean;
}

/** Its reader's own errors have no code. */
const OF_FORM = /^(Unexpected end of |Multipart: |Part terminated early|Malformed )/;

/** What the form's reader refuses: too many parts, no end, no boundary. */
const isOfForm = (error: unknown): boolean =>
  error instanceof Error &&
  (String((error as { code?: unknown }).code).startsWith('FST_') || OF_FORM.test(error.message));

async function takePart(
  part: Multipart,
  content: FormContent,
  { files, workspaceId, reading }: { files: FileService; workspaceId: WorkspaceId; reading: FormReading },
): Promise<void> {
  const { form, fileField, maxBytes } = reading;
  const name = part.fieldname;
  if (!Object.hasOwn(form.shape, name) || (part.type === 'file') !== (name === fileField))
    throw unknownField(name, Object.keys(form.shape));
  if (part.type !== 'file') {
    content.texts[name] = checked(form.pick({ [name]: true } as never), { [name]: part.value })[name] as string;
    return;
  }
  part.file.once('error', () => (content.isBroken = true));
  const called = fileName(part.filename);
  content.file = await files.store(workspaceId, { name: called, mediaType: MEDIA_TYPE, source: part.file, maxBytes });
  if (part.file.truncated) throw tooLarge(maxBytes);
}

const unknownField = (name: string, names: readonly string[]): RefusedField =>
  new RefusedField(name.slice(0, 100), 'unknown_parameter', `The form takes ${listed(names)} alone.`, 'Leave it out.');

/**
 * Oldest or newest first, those behind `after`.
 * @throws NOT_FOUND for an `after` that is no file
 */
export async function filesOf(
  { files, stores }: FileParts,
  caller: Caller,
  { purpose, ...request }: z.output<typeof filesQuery>,
) {
  const span = await spanOf(request, fileRowId);
  const ids = await stores.fileIds(caller, { purpose, span });
  const rows = new Map((await files.find(caller.workspaceId, { ids })).map((row) => [row.id, row]));
  const page = ids.flatMap((id) => rows.get(id) ?? []);
  return pageOf(page, span, fileOf);
}
