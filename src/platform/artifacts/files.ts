import type { Readable } from 'node:stream';
import { notFound } from '../../kernel/errors.js';
import { isUuid, newId, type WorkspaceId } from '../../kernel/ids.js';
import { checkedText } from '../../kernel/text.js';
import { asSystem, inWorkspace, type Database, type Prisma, type Transaction } from '../database/index.js';
import type { ArtifactStore, StagedBytes } from './artifact-store.js';
import { Slots } from './slots.js';

export type StoredFileRow = Prisma.StoredFileGetPayload<object>;

interface NewFile {
  /** As the user calls it; shown, never used as a path. */
  name: string;
  mediaType: string;
  source: AsyncIterable<Uint8Array>;
  maxBytes: number;
}

/** Users' files: a row that names the file, and its bytes in the artifact store. An artifact lives while a row names it. */
export class FileService {
  readonly #removals = new Slots(REMOVALS_AT_ONCE);

  constructor(
    private readonly database: Database,
    private readonly artifacts: ArtifactStore,
  ) {}

  /**
   * Stores the bytes and then the row, so that a file that has an id is whole.
   * @throws PAYLOAD_TOO_LARGE, BAD_USER_INPUT on its name, STORAGE_FAILED; nothing is kept then
   */
  async store(workspaceId: WorkspaceId, file: NewFile): Promise<StoredFileRow> {
    const name = checkedText(file.name, 'name', 255);
    const mediaType = checkedText(file.mediaType, 'mediaType', 255);
    const staged = await this.artifacts.stage(file.source, { maxBytes: file.maxBytes });
    try {
      return await this.database.prisma.$transaction((tx) => this.adopt(tx, workspaceId, { name, mediaType }, staged));
    } finally {
      await staged.discard();
    }
  }

  /** Names staged bytes in a transaction of the caller's, so that they have a row exactly if it commits. */
  async adopt(
    tx: Transaction,
    workspaceId: WorkspaceId,
    { name, mediaType }: Pick<NewFile, 'name' | 'mediaType'>,
    staged: StagedBytes,
  ): Promise<StoredFileRow> {
    await lockDigest(tx, staged.sha256);
    await staged.commit();
    const { sha256, bytes } = staged;
    return tx.storedFile.create({
      data: { id: newId(), workspaceId, name, mediaType, sha256, bytes, home: this.artifacts.home },
    });
  }

  /** @throws NOT_FOUND, also for a file of another workspace */
  async get(workspaceId: WorkspaceId, id: string, field?: string): Promise<StoredFileRow> {
    const row = isUuid(id) ? await this.database.prisma.storedFile.findFirst({ where: { id, workspaceId } }) : null;
    if (!row) throw notFound('The file', id, field);
    return row;
  }

  /**
   * A file's name, size and bytes. `content` reads all of the bytes before it hands out the first, unless it did before.
   * @throws NOT_FOUND, and as `ArtifactStore.local` when the bytes are lost or elsewhere; `content` when they are damaged,
   * and its stream when they are damaged meanwhile
   */
  async open(
    workspaceId: WorkspaceId,
    id: string,
  ): Promise<{ name: string; bytes: bigint; content: () => Promise<Readable> }> {
    const { name, bytes, sha256 } = await this.get(workspaceId, id, 'id');
    if (!(await this.artifacts.has(sha256))) await this.artifacts.local(sha256);
    return { name, bytes, content: () => this.artifacts.openRead(sha256) };
  }

  /** Path of a stored file's bytes on this machine, for processes that open it themselves. @throws as `ArtifactStore.local` */
  local(file: StoredFileRow): Promise<string> {
    return this.artifacts.local(file.sha256);
  }

  /** Where the bytes of a file lie on this machine, and their digest, as workers take files. @throws as `get` and `local` */
  async localFile(workspaceId: WorkspaceId, id: string): Promise<{ path: string; sha256: string }> {
    const file = await this.get(workspaceId, id);
    return { path: await this.local(file), sha256: file.sha256 };
  }

  /** The workspace's files with one of these ids or one of these contents. */
  find(
    workspaceId: WorkspaceId,
    { ids = [], digests = [] }: { ids?: readonly string[]; digests?: readonly string[] },
  ): Promise<StoredFileRow[]> {
    return this.database.prisma.storedFile.findMany({
      where: { workspaceId, OR: [{ id: { in: [...ids] } }, { sha256: { in: [...digests] } }] },
      orderBy: { id: 'asc' },
    });
  }

  /** Says what a file is for, from when on it stays until it is deleted itself. */
  setPurpose(id: string, purpose: string): Promise<StoredFileRow> {
    return this.database.prisma.storedFile.update({ where: { id }, data: { purpose } });
  }

  /** Keeps files with these contents from being removed until the transaction ends. @returns those that the workspace has */
  async hold(tx: Transaction, workspaceId: WorkspaceId, digests: readonly string[]): Promise<Set<string>> {
    const rows = await tx.$queryRaw<{ sha256: string }[]>`
      SELECT sha256 FROM stored_file WHERE workspace_id = ${workspaceId}::uuid AND sha256 = ANY(${[...digests]}::text[]) FOR SHARE`;
    return new Set(rows.map(({ sha256 }) => sha256));
  }

  /**
   * Removes the row, and the bytes unless another row names them: together, so that it can be repeated until both are gone.
   * @param isNeeded is asked once nobody can `hold` the file any more; when it says so, the file stays
   */
  async remove(
    workspaceId: WorkspaceId,
    id: string,
    isNeeded: () => Promise<boolean> = async () => false,
  ): Promise<void> {
    const [file] = await this.find(workspaceId, { ids: [id] });
    if (!file) return;
    const remove = async (tx: Transaction): Promise<void> => {
      await lockDigest(tx, file.sha256);
      await tx.$queryRaw`SELECT 1 FROM stored_file WHERE id = ${id}::uuid FOR UPDATE`;
      if (await isNeeded()) return;
      await tx.storedFile.deleteMany({ where: { id, workspaceId } });
      // Other workspaces may have files with these bytes: what is left of the transaction sees them.
      await tx.$executeRaw`SELECT set_config('graft.workspace', 'system', true)`;
      if ((await tx.storedFile.count({ where: { sha256: file.sha256 } })) === 0)
        await this.artifacts.remove(file.sha256);
    };
    await this.#removals.within(() => inWorkspace(workspaceId, () => this.database.prisma.$transaction(remove)));
  }

  /**
   * Removes bytes of this home that no row names: what a crash or a rolled back transaction left, and what another gateway
   * on the same database deleted while its copy lay here. @returns how many artifacts went
   */
  collectOrphans(ageMs = ORPHANED_AFTER_MS): Promise<number> {
    return asSystem(() => this.#collectOrphans(ageMs));
  }

  async #collectOrphans(ageMs: number): Promise<number> {
    let collected = 0;
    let batch: string[] = [];
    for await (const sha256 of this.artifacts.olderThan(ageMs)) {
      if (batch.push(sha256) < ORPHANS_PER_QUERY) continue;
      collected += await this.#removeUnnamed(batch);
      batch = [];
    }
    return collected + (await this.#removeUnnamed(batch));
  }

  async #removeUnnamed(digests: readonly string[]): Promise<number> {
    const rows = await this.database.prisma.storedFile.findMany({
      where: { sha256: { in: [...digests] } },
      distinct: ['sha256'],
    });
    const listedDigests = new Set(rows.map(({ sha256 }) => sha256));
    let removed = 0;
    for (const sha256 of digests.filter((digest) => !listedDigests.has(digest)))
      await this.database.prisma.$transaction(async (tx) => {
        await lockDigest(tx, sha256);
        if ((await tx.storedFile.count({ where: { sha256 } })) > 0) return;
        await this.artifacts.remove(sha256);
        removed += 1;
      });
    return removed;
  }
}

/** A removal holds a connection and asks over another who needs the file: as many as there are connections would wait for each other. */
const REMOVALS_AT_ONCE = 4;

/** Longer than any transaction that has named its bytes and not yet committed. */
const ORPHANED_AFTER_MS = 60 * 60 * 1000;
const ORPHANS_PER_QUERY = 500;

/** Keeps `remove` from deleting bytes that `store` is just naming again. */
const lockDigest = (tx: Transaction, sha256: string) =>
  tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`artifact:${sha256}`}, 0))`;
