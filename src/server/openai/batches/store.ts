import type { WorkspaceId } from '../../../kernel/ids.js';
import type { ArtifactStore, FileService, StagedBytes } from '../../../platform/artifacts/index.js';
import { inEachWorkspace, type Database, type Prisma, type Transaction } from '../../../platform/database/index.js';
import { MEDIA_TYPE } from '../files.js';
import type { NewLine } from './read-lines.js';

export type BatchRow = Prisma.BatchGetPayload<object>;
type LineRow = Prisma.BatchLineGetPayload<object>;

/** What is written for a request that has no answer; `code` and `message` are told of it. */
export interface Unanswered {
  code: string;
  message: string;
}

/** Lines that are read or written at once. */
const PAGE = 200;
/** What OpenAI calls what it writes. */
const PURPOSE = 'batch_output';

/** A line of a file of answers or errors. */
export const resultOf = (
  { batchId, number, customId }: Pick<LineRow, 'batchId' | 'number' | 'customId'>,
  result: { response?: { status_code: number; request_id: string; body: unknown }; error?: Unanswered },
): string =>
  JSON.stringify({
    id: `batch_req_${batchId}-${number}`,
    custom_id: customId,
    response: result.response ?? null,
    error: result.error ?? null,
  });

/** The tables `batch` and `batch_line`. Requests stay while their run works; then they are files, and gone here. */
export class BatchStore {
  constructor(private readonly parts: { database: Database; files: FileService; artifacts: ArtifactStore }) {}

  /** null before all requests of the file are known. */
  byId(workspaceId: WorkspaceId, id: string): Promise<BatchRow | null> {
    return this.parts.database.prisma.batch.findFirst({ where: { workspaceId, id } });
  }

  require(workspaceId: WorkspaceId, id: string): Promise<BatchRow> {
    return this.parts.database.prisma.batch.findFirstOrThrow({ where: { workspaceId, id } });
  }

  /** Whether requests wait to be answered, or to become files. */
  async hasLines(workspaceId: WorkspaceId, batchId: string): Promise<boolean> {
    return (await this.parts.database.prisma.batchLine.findFirst({ where: { workspaceId, batchId } })) !== null;
  }

  /** Keeps what is read; it is a batch only once `begin` says so. @throws what reading throws */
  async load(workspaceId: WorkspaceId, batchId: string, lines: AsyncIterable<NewLine>): Promise<number> {
    const { batchLine } = this.parts.database.prisma;
    await batchLine.deleteMany({ where: { workspaceId, batchId } });
    let page: Prisma.BatchLineCreateManyInput[] = [];
    let total = 0;
    const write = async (): Promise<void> => {
      if (page.length > 0) await batchLine.createMany({ data: page });
      total += page.length;
      page = [];
    };
    for await (const line of lines) if (page.push({ ...line, batchId, workspaceId }) === PAGE) await write();
    await write();
    return total;
  }

  begin(tx: Transaction, workspaceId: WorkspaceId, id: string, total: number): Promise<BatchRow> {
    return tx.batch.create({ data: { id, workspaceId, total } });
  }

  async forget(workspaceId: WorkspaceId, batchId: string): Promise<void> {
    await this.parts.database.prisma.batchLine.deleteMany({ where: { workspaceId, batchId } });
  }

  /** The first requests that wait for an answer, in order. */
  waiting(workspaceId: WorkspaceId, batchId: string, most: number): Promise<LineRow[]> {
    return this.parts.database.prisma.batchLine.findMany({
      where: { workspaceId, batchId, result: null },
      orderBy: { number: 'asc' },
      take: most,
    });
  }

  async answer(
    tx: Transaction,
    { batchId, number }: Pick<LineRow, 'batchId' | 'number'>,
    { result, failed }: { result: string; failed: boolean },
  ): Promise<void> {
    await tx.batchLine.update({ where: { batchId_number: { batchId, number } }, data: { result, failed } });
    const counted = failed ? { failed: { increment: 1 } } : { completed: { increment: 1 } };
    await tx.batch.update({ where: { id: batchId }, data: counted });
  }

  /**
   * Makes files of what was answered, unless that was done before.
   * @param unanswered is written for all others; null: nothing is
   */
  async collect(workspaceId: WorkspaceId, batchId: string, unanswered: Unanswered | null): Promise<void> {
    const staged: StagedBytes[] = [];
    try {
      for (const failed of [false, true]) {
        const lines = this.#results({ workspaceId, batchId, failed }, unanswered);
        staged.push(await this.parts.artifacts.stage(lines, { maxBytes: Number.MAX_SAFE_INTEGER }));
      }
      const [answers, errors] = staged as [StagedBytes, StagedBytes];
      await this.parts.database.prisma.$transaction(async (tx) => {
        await tx.$queryRaw`SELECT 1 FROM batch WHERE id = ${batchId}::uuid AND workspace_id = ${workspaceId}::uuid FOR UPDATE`;
        const { count } = await tx.batchLine.deleteMany({ where: { workspaceId, batchId } });
        const row = await tx.batch.findFirst({ where: { id: batchId, workspaceId } });
        if (count === 0 || row === null) return;
        const outputFileId = await this.#file(tx, row, { content: answers, of: 'output' });
        const errorFileId = await this.#file(tx, row, { content: errors, of: 'error' });
        const failed = unanswered === null ? row.failed : row.total - row.completed;
        await tx.batch.update({ where: { id: batchId }, data: { outputFileId, errorFileId, failed } });
      });
    } finally {
      for (const bytes of staged) await bytes.discard();
    }
  }

  /** Makes files of what was answered to batches that did not come to their end. Across workspaces. */
  async collectEnded(): Promise<void> {
    const { rows } = await this.parts.database.pool.query<{ id: string; workspaceId: WorkspaceId }>(
      `SELECT id, workspace_id AS "workspaceId" FROM run
        WHERE kind = 'BATCH' AND status IN ('CANCELLED', 'FAILED') AND id IN (SELECT DISTINCT batch_id FROM batch_line)`,
    );
    await inEachWorkspace(
      rows,
      ({ workspaceId }) => workspaceId,
      ({ workspaceId, id }) => this.collect(workspaceId, id, null),
    );
  }

  async *#results(
    { workspaceId, batchId, failed }: Pick<LineRow, 'batchId' | 'failed'> & { workspaceId: WorkspaceId },
    unanswered: Unanswered | null,
  ): AsyncGenerator<Buffer> {
    const answered = { result: { not: null }, failed };
    const wanted = failed && unanswered ? { OR: [answered, { result: null }] } : answered;
    for (let last = 0, full = true; full;) {
      const lines = await this.parts.database.prisma.batchLine.findMany({
        where: { workspaceId, batchId, number: { gt: last }, ...wanted },
        orderBy: { number: 'asc' },
        take: PAGE,
      });
      for (const line of lines) yield Buffer.from(`${line.result ?? resultOf(line, { error: unanswered! })}\n`);
      last = lines.at(-1)?.number ?? last;
      full = lines.length === PAGE;
    }
  }

  /** null for a file of nothing. */
  async #file(
    tx: Transaction,
    { id: batchId, workspaceId }: BatchRow,
    { content, of }: { content: StagedBytes; of: 'output' | 'error' },
  ): Promise<string | null> {
    if (content.bytes === 0) return null;
    const file = { name: `batch_${batchId}_${of}.jsonl`, mediaType: MEDIA_TYPE };
    const { id } = await this.parts.files.adopt(tx, workspaceId as WorkspaceId, file, content);
    await tx.storedFile.update({ where: { id }, data: { purpose: PURPOSE } });
    return id;
  }
}
