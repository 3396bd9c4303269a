/** `uploads`: a file of `/v1/files` that comes in parts, for whom one request is too large. */
import { z } from 'zod';
import type { Caller } from '../../../kernel/caller.js';
import { toGlobalId } from '../../../kit/graphql/index.js';
import { fileName, tooLarge } from '../../graphql/uploads.js';
import { fileOf, filePurpose, storeForm, type FileParts } from '../files.js';
import { anything, filledText, objectOf, only, storableText } from '../fields.js';
import { notedBy, ofId, secondsOf, type Addressing, type CheckedServer, type NotingParts } from '../http.js';
import { rowIdOf } from '../lists.js';
import { partShape, uploadShape } from '../shapes.js';
import { LASTS_MS, statusOf, type UploadRow, type UploadStore } from './store.js';

export interface UploadParts extends FileParts, NotingParts {
  uploads: UploadStore;
}

const uploadBody = objectOf({
  purpose: filePurpose,
  filename: filledText.pipe(storableText.max(255)),
  bytes: z.int('must be a whole number from 1 on.').min(1, 'must be a whole number from 1 on.'),
  mime_type: anything,
  expires_after: only([], 'a file stays until it is deleted'),
});

const LARGEST_PART = 64 * 1024 * 1024;
const partForm = z.strictObject({ data: z.file() });

const EACH_ONCE = 'must be a list of ids, each once.';
const completion = objectOf({
  part_ids: z
    .array(z.string(), EACH_ONCE)
    .min(1, EACH_ONCE)
    .refine((ids) => new Set(ids).size === ids.length, EACH_ONCE),
  md5: z
    .string()
    .regex(/^[\da-f]{32}$/i, 'must be a digest of 32 hexadecimal digits.')
    .optional(),
});

const PREFIX = 'upload_';
const PART = 'part_';

const uploadRowId = (id: string): string => rowIdOf(PREFIX, id, 'The upload', 'upload_id');

async function uploadOf({ files }: UploadParts, { workspaceId }: Caller, row: UploadRow) {
  const [file] = row.fileId === null ? [] : await files.find(workspaceId, { ids: [row.fileId] });
  return {
    id: PREFIX + row.id,
    object: 'upload',
    bytes: Number(row.bytes),
    created_at: secondsOf(row.createdAt),
    expires_at: secondsOf(new Date(row.createdAt.getTime() + LASTS_MS)),
    filename: row.name,
    purpose: row.purpose,
    status: statusOf(row),
    file: file ? fileOf(file) : null,
  };
}

export function addUploads(server: CheckedServer, parts: UploadParts, { optionsFor, answer }: Addressing): void {
  const { uploads, files, maxUploadBytes } = parts;
  const noted = notedBy(parts);
  const begins = optionsFor('EDIT', { summary: 'Begins an upload in parts', body: uploadBody, answer: uploadShape });
  server.post('/v1/uploads', begins, (request, reply) =>
    answer(reply, () =>
      noted(request, 'POST /v1/uploads', { body: request.body }, async () => {
        const { caller, body } = request;
        if (body.bytes > maxUploadBytes) throw tooLarge(maxUploadBytes);
        const upload = { purpose: body.purpose, name: fileName(body.filename), bytes: BigInt(body.bytes) };
        return uploadOf(parts, caller, await uploads.create(caller.workspaceId, upload));
      }),
    ),
  );
  const taken = { summary: 'Takes a part of an upload', params: ofId, form: partForm, answer: partShape };
  const takes = { ...optionsFor('EDIT', taken), bodyLimit: Number.MAX_SAFE_INTEGER };
  server.post('/v1/uploads/:id/parts', takes, (request, reply) =>
    answer(reply, () =>
      noted(request, 'POST /v1/uploads/:id/parts', request.params, async () => {
        const { caller, params } = request;
        const { id, bytes } = await uploads.pending(caller.workspaceId, uploadRowId(params.id));
        const maxBytes = Math.min(LARGEST_PART, Number(bytes));
        const part = await storeForm(files, request, {
          form: partForm,
          fileField: 'data',
          maxBytes,
          whole: (row) => uploads.addPart(caller.workspaceId, id, row),
        });
        const ids = { id: PART + part.id, upload_id: params.id };
        return { ...ids, object: 'upload.part', created_at: secondsOf(part.createdAt) };
      }),
    ),
  );
  addEnds(server, parts, { optionsFor, answer });
}

function addEnds(
  server: CheckedServer,
  parts: UploadParts,
  { optionsFor, answer }: Pick<Addressing, 'optionsFor' | 'answer'>,
): void {
  const { uploads } = parts;
  const noted = notedBy(parts);
  const completes = { summary: 'Makes a file of the parts', params: ofId, body: completion, answer: uploadShape };
  server.post('/v1/uploads/:id/complete', optionsFor('EDIT', completes), (request, reply) =>
    answer(reply, () =>
      noted(request, 'POST /v1/uploads/:id/complete', request.params, async (change) => {
        const { caller, params, body } = request;
        const id = uploadRowId(params.id);
        const partIds = body.part_ids.map((part) => rowIdOf(PART, part, 'The part', 'part_ids'));
        const upload = await uploads.complete(caller.workspaceId, id, { partIds, md5: body.md5 });
        change.subject = toGlobalId('File', upload.fileId!);
        await uploads.clear(caller.workspaceId, id);
        return uploadOf(parts, caller, upload);
      }),
    ),
  );
  const cancels = optionsFor('EDIT', { summary: 'Cancels an upload', params: ofId, answer: uploadShape });
  server.post('/v1/uploads/:id/cancel', cancels, (request, reply) =>
    answer(reply, () =>
      noted(request, 'POST /v1/uploads/:id/cancel', request.params, async () => {
        const { caller, params } = request;
        const id = uploadRowId(params.id);
        const upload = await uploads.cancel(caller.workspaceId, id);
        await uploads.clear(caller.workspaceId, id);
        return uploadOf(parts, caller, upload);
      }),
    ),
  );
}
