import multipart, { type Multipart, type MultipartFile } from '@fastify/multipart';
import type { FastifyInstance } from 'fastify';
import type { Caller } from '../../kernel/caller.js';
import { GraftError, isGraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { UNSEEN } from '../../kernel/text.js';
import { toGlobalId, type Change } from '../../kit/graphql/index.js';

interface StoredFile {
  id: string;
  name: string;
  bytes: bigint | number;
  sha256: string;
  mediaType: string;
}

/** Where uploaded files go: `FileService` of the artifact store. */
export interface FileStore {
  store(
    workspaceId: WorkspaceId,
    file: { name: string; mediaType: string; source: AsyncIterable<Uint8Array>; maxBytes: number },
  ): Promise<StoredFile>;
}

/** Writes down who makes a change, around the change: `AccessHooks` of the access domain. */
export type AuditHook = <T>(
  call: { what: string; caller: Caller; requestId: string; input: unknown; change: Change },
  work: () => Promise<T>,
) => Promise<T>;

interface UploadParts {
  files: FileStore;
  /** Without it nobody writes down who uploads. */
  noted?: AuditHook | undefined;
  maxBytes: number;
  isDraining: () => boolean;
  /** Holds up the end of draining until the promise is settled. */
  underWay: <T>(work: Promise<T>) => Promise<T>;
}

/** A header that a form of another page can't send, so that no page can make a browser upload without a preflight. */
const UPLOAD_HEADER = 'graft-upload';

const LONGEST_NAME = 255;

/** The last part of what the client calls the file, without what can’t be seen: it is shown and stored, never used as a path. */
export function fileName(clientName = ''): string {
  const last = clientName.split(/[/\\]/).at(-1) ?? '';
  return last.replace(new RegExp(UNSEEN, 'gu'), '').toWellFormed().trim().slice(-LONGEST_NAME) || 'file';
}

/**
 * `POST /files`: one file as `multipart/form-data`, in a field of any name, streamed to the store. Answers 201 with the
 * file's global id (for `ingestDocuments`, `registerModel`), name, media type, bytes and SHA-256.
 */
export async function addUploads(
  server: FastifyInstance,
  { files, maxBytes, isDraining, underWay, noted = (_call, work) => work() }: UploadParts,
): Promise<void> {
  // One byte more than allowed, so that the store sees the excess and refuses it by its own code.
  await server.register(multipart, {
    limits: { files: 1, fields: 0, parts: 1, fileSize: maxBytes + 1 },
    throwFileSizeLimit: false,
  });

  server.post('/files', { bodyLimit: Number.MAX_SAFE_INTEGER, config: { role: 'EDIT' } }, async (request, reply) => {
    if (isDraining()) throw new GraftError('SHUTTING_DOWN', 'The gateway is shutting down.');
    if (!request.headers[UPLOAD_HEADER])
      throw new GraftError('BAD_REQUEST', `Send the header "${UPLOAD_HEADER}: 1" with an upload.`, {
        hint: 'Pages of other origins can’t send it, which is what it is for.',
      });
    if (!request.isMultipart())
      throw new GraftError('BAD_REQUEST', 'Send the file as multipart/form-data, in one field.');
    const declared = Number(request.headers['content-length']);
    if (declared > maxBytes + 16 * 1024) throw tooLarge(maxBytes);
    const parts: AsyncIterator<Multipart, undefined> = request.parts();
    const { value: part } = await parts.next().catch(unreadable);
    if (part?.type !== 'file') throw new GraftError('BAD_REQUEST', 'The form holds no file.');
    const { caller } = request;
    const change: Change = {};
    const input = { name: fileName(part.filename), mediaType: part.mimetype };
    const store = async (): Promise<StoredFile> => {
      const file = await keep(files, caller.workspaceId, part, parts, maxBytes);
      change.subject = toGlobalId('File', file.id);
      change.after = { name: file.name, bytes: Number(file.bytes), sha256: file.sha256 };
      return file;
    };
    const storedFile = await underWay(
      noted({ what: 'POST /files', caller, requestId: request.id, input, change }, store),
    );
    return reply
      .code(201)
      .header('cache-control', 'no-store')
      .send({
        id: toGlobalId('File', storedFile.id),
        name: storedFile.name,
        mediaType: storedFile.mediaType,
        bytes: Number(storedFile.bytes),
        sha256: storedFile.sha256,
      });
  });
}

function unreadable(cause: unknown): never {
  throw new GraftError(
    'BAD_REQUEST',
    'The form can’t be read: it has to hold one file in one field, and no other field.',
    { cause },
  );
}

/** The file's bytes. They end only if the form does too, so that the store keeps nothing of a form with more in it. */
async function* onlyFile(part: MultipartFile, parts: AsyncIterator<Multipart, undefined>): AsyncGenerator<Buffer> {
  yield* part.file as AsyncIterable<Buffer>;
  const hasMore = await parts.next().then(
    ({ done }) => !done,
    (error: { code?: string }) => (error.code?.endsWith('_LIMIT') ? true : unreadable(error)),
  );
  if (hasMore)
    throw new GraftError('BAD_USER_INPUT', 'The form holds more than one file or field.', {
      hint: 'Send each file in a form of its own, and nothing else in it.',
    });
}

async function keep(
  files: FileStore,
  workspaceId: WorkspaceId,
  part: MultipartFile,
  parts: AsyncIterator<Multipart, undefined>,
  maxBytes: number,
): Promise<StoredFile> {
  let cutShort: Error | undefined;
  part.file.once('error', (error) => (cutShort = error));
  const storedFile = await files
    .store(workspaceId, {
      name: fileName(part.filename),
      mediaType: part.mimetype,
      source: onlyFile(part, parts),
      maxBytes,
    })
    .catch((error: unknown) => {
      // A store that gives up ends the part early too, and then knows better why.
      if (cutShort && !isGraftError(error)) throw new GraftError('BAD_REQUEST', 'The form ended before the file did.');
      throw error;
    });
  if (part.file.truncated) throw tooLarge(maxBytes);
  return storedFile;
}

export const tooLarge = (maxBytes: number): GraftError =>
  new GraftError('PAYLOAD_TOO_LARGE', `The file is larger than ${maxBytes} bytes, the most that is taken.`, {
    hint: 'Raise GRAFT_MAX_UPLOAD_BYTES.',
  });
