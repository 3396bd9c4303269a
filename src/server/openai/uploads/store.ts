import { createHash } from 'node:crypto';
import { HOUR_MS } from '../../../kernel/duration.js';
import { GraftError, notFound } from '../../../kernel/errors.js';
import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import type { ArtifactStore, FileService, StoredFileRow } from '../../../platform/artifacts/index.js';
import { inEachWorkspace, type Database, type Prisma, type Transaction } from '../../../platform/database/index.js';
import type { Erasure } from '../../../platform/erasure/index.js';
import { RefusedField } from '../errors.js';
import { MEDIA_TYPE } from '../files.js';

export type UploadRow = Prisma.UploadGetPayload<object>;

interface UploadStoreParts {
  database: Database;
  files: FileService;
  artifacts: ArtifactStore;
  erasure: Pick<Erasure, 'eraseFile'>;
}

/** What an upload is completed with. */
interface Completion {
  /** Row ids of the parts, in the order of their bytes. */
  partIds: readonly string[];
  /** Of the whole file, in hexadecimal digits. */
  md5: string | undefined;
}

/** How long parts are taken. */
export const LASTS_MS = HOUR_MS;
/** After so long an upload that has ended is forgotten, and so is what was answered to it. */
const FORGOTTEN_AFTER_MS = 24 * HOUR_MS;
const MOST_PARTS = 1_000;

/** What became of an upload that was neither completed nor cancelled is told by its age. */
export const statusOf = ({ status, createdAt }: UploadRow): string =>
  status === 'pending' && createdAt.getTime() + LASTS_MS <= Date.now() ? 'expired' : status;

/**
 * The table `upload`: files that come in parts. A part is a stored file without a purpose, so no other address knows it. It goes once its upload
 * has ended.
 */
export class UploadStore {
  constructor(private readonly parts: UploadStoreParts) {}

  create(workspaceId: WorkspaceId, upload: Pick<UploadRow, 'purpose' | 'name' | 'bytes'>): Promise<UploadRow> {
    return this.parts.database.prisma.upload.create({
      data: { id: newId(), workspaceId, status: 'pending', ...upload },
    });
  }

  /** @throws NOT_FOUND, CONFLICT once it has ended */
  async pending(workspaceId: WorkspaceId, id: string): Promise<UploadRow> {
    const row = await this.#get(workspaceId, id);
    const status = statusOf(row);
    if (status !== 'pending') throw hasEnded(status);
    return row;
  }

  /** Makes a stored file a part. @throws as `pending`, PAYLOAD_TOO_LARGE, BAD_USER_INPUT with one part too many */
  addPart(workspaceId: WorkspaceId, id: string, part: StoredFileRow): Promise<StoredFileRow> {
    return this.#locked(workspaceId, id, async (tx, upload) => {
      const status = statusOf(upload);
      if (status !== 'pending') throw hasEnded(status);
      const { _sum, _count } = await tx.storedFile.aggregate({
        where: { workspaceId, uploadId: id },
        _sum: { bytes: true },
        _count: true,
      });
      if (_count >= MOST_PARTS)
        throw new RefusedField(
          'data',
          'invalid_value',
          `An upload has at most ${MOST_PARTS} parts.`,
          'Send larger ones.',
        );
      const total = (_sum.bytes ?? 0n) + part.bytes;
      if (total > upload.bytes)
        throw new GraftError(
          'PAYLOAD_TOO_LARGE',
          `The parts hold ${total} bytes, and the upload is of ${upload.bytes}.`,
          {
            field: 'data',
          },
        );
      return tx.storedFile.update({ where: { id: part.id }, data: { uploadId: id } });
    });
  }

  /**
   * Makes one file of the parts. May be repeated: the same file is answered.
   * @throws NOT_FOUND for the upload or a part, CONFLICT once it has ended otherwise, BAD_USER_INPUT where bytes or digest differ; it may be completed
   * anew then
   */
  async complete(workspaceId: WorkspaceId, id: string, { partIds, md5 }: Completion): Promise<UploadRow> {
    const upload = await this.#get(workspaceId, id);
    if (upload.status === 'completed') return upload;
    await this.pending(workspaceId, id);
    const parts = await this.#partsOf(upload, partIds);
    const total = parts.reduce((sum, { bytes }) => sum + bytes, 0n);
    if (total !== upload.bytes)
      throw new RefusedField(
        'part_ids',
        'invalid_value',
        `These parts hold ${total} bytes, and the upload is of ${upload.bytes}.`,
      );
    const hash = createHash('md5');
    const staged = await this.parts.artifacts
      .stage(this.#read(parts, hash), { maxBytes: Number(total) })
      .catch(async (error: unknown) => {
        // Who cancels it meanwhile takes its parts away.
        await this.pending(workspaceId, id);
        throw error;
      });
    try {
      if (md5 !== undefined && hash.digest('hex') !== md5.toLowerCase())
        throw new RefusedField('md5', 'invalid_value', 'md5 is not that of these parts in this order.');
      return await this.#locked(workspaceId, id, async (tx, row) => {
        if (row.status === 'completed') return row;
        if (row.status !== 'pending') throw hasEnded(row.status);
        const file = { name: upload.name, mediaType: MEDIA_TYPE };
        const { id: fileId } = await this.parts.files.adopt(tx, workspaceId, file, staged);
        await tx.storedFile.update({ where: { id: fileId }, data: { purpose: upload.purpose } });
        return tx.upload.update({ where: { id }, data: { status: 'completed', fileId } });
      });
    } finally {
      await staged.discard();
    }
  }

  /** @throws NOT_FOUND, CONFLICT once it has ended otherwise */
  cancel(workspaceId: WorkspaceId, id: string): Promise<UploadRow> {
    return this.#locked(workspaceId, id, (tx, row) => {
      const status = statusOf(row);
      if (status !== 'pending' && status !== 'cancelled') throw hasEnded(status);
      return tx.upload.update({ where: { id }, data: { status: 'cancelled' } });
    });
  }

  /** Removes the parts of an upload that has ended. */
  async clear(workspaceId: WorkspaceId, id: string): Promise<void> {
    const { database, erasure } = this.parts;
    for (const part of await database.prisma.storedFile.findMany({ where: { workspaceId, uploadId: id } }))
      await erasure.eraseFile(workspaceId, part.id, undefined, { copiesSuffice: true });
  }

  /** Removes what uploads have left that ended or weren't completed in time. Across workspaces. */
  async clearEnded(): Promise<void> {
    const { prisma } = this.parts.database;
    const endedBefore = (ms: number) => ({ createdAt: { lt: new Date(Date.now() - ms) } });
    const leftovers = await prisma.storedFile.findMany({
      where: { uploadId: { not: null } },
      distinct: ['uploadId'],
      select: { uploadId: true, workspaceId: true },
    });
    const ids = leftovers.flatMap(({ uploadId }) => uploadId ?? []);
    const pending = await prisma.upload.findMany({
      where: { id: { in: ids }, status: 'pending', NOT: endedBefore(LASTS_MS) },
      select: { id: true },
    });
    const pendingIds = new Set(pending.map(({ id }) => id));
    await inEachWorkspace(
      leftovers.filter(({ uploadId }) => !pendingIds.has(uploadId!)),
      ({ workspaceId }) => workspaceId as WorkspaceId,
      ({ workspaceId, uploadId }) => this.clear(workspaceId as WorkspaceId, uploadId!),
    );
    await prisma.upload.deleteMany({ where: endedBefore(FORGOTTEN_AFTER_MS) });
  }

  async #get(workspaceId: WorkspaceId, id: string): Promise<UploadRow> {
    const row = await this.parts.database.prisma.upload.findFirst({ where: { id, workspaceId } });
    if (!row) throw notFound('The upload', id, 'upload_id');
    return row;
  }

  async #partsOf({ id, workspaceId }: UploadRow, partIds: readonly string[]): Promise<StoredFileRow[]> {
    const found = await this.parts.files.find(workspaceId as WorkspaceId, { ids: partIds });
    const parts = new Map(found.map((part) => [part.id, part]));
    return partIds.map((partId) => {
      const part = parts.get(partId);
      if (part?.uploadId !== id) throw notFound('The part', partId, 'part_ids');
      return part;
    });
  }

  async *#read(parts: readonly StoredFileRow[], hash: { update(bytes: Uint8Array): unknown }): AsyncGenerator<Buffer> {
    for (const { sha256 } of parts)
      for await (const bytes of (await this.parts.artifacts.openRead(sha256)) as AsyncIterable<Buffer>) {
        hash.update(bytes);
        yield bytes;
      }
  }

  /** Works on an upload that nobody else changes meanwhile. @throws NOT_FOUND */
  #locked<T>(workspaceId: WorkspaceId, id: string, work: (tx: Transaction, row: UploadRow) => Promise<T>): Promise<T> {
    return this.parts.database.prisma.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1 FROM upload WHERE id = ${id}::uuid AND workspace_id = ${workspaceId}::uuid FOR UPDATE`;
      const row = await tx.upload.findFirst({ where: { id, workspaceId } });
      if (!row) throw notFound('The upload', id, 'upload_id');
      return work(tx, row);
    });
  }
}

const hasEnded = (status: string): GraftError =>
  new GraftError('CONFLICT', `The upload is ${status}.`, {
    field: 'upload_id',
    hint: 'Begin a new one at /v1/uploads.',
  });
