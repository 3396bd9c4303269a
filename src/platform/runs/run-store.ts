import { GraftError, notFound, ofSameInput } from '../../kernel/errors.js';
import { digestOf } from '../../kernel/hashing.js';
import { isUuid, newId, type WorkspaceId } from '../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../kernel/pagination.js';
import { checkedText } from '../../kernel/text.js';
import { asSystem, type Database, type Transaction } from '../database/index.js';
import { currentAccount } from '../spending/index.js';
import { currentSpan } from '../tracing/index.js';
import { notify, type EventLog, type Json } from '../events/index.js';
import { isFinished, RUNS_TOPIC, type NewRun, type RunFilter, type RunRow } from './run.js';
import { tellStatus, writeSettlement, type LockedRun } from './settling.js';

/** SQL of those who ask for runs and watch them. Time is the database's (`now()`): gateways' clocks may differ. */
export class RunStore {
  constructor(
    private readonly database: Database,
    private readonly events: EventLog,
  ) {}

  /** @throws IDEMPOTENCY_CONFLICT, BAD_USER_INPUT on the key */
  async enqueue(kind: string, run: NewRun<Json>, tx?: Transaction): Promise<RunRow> {
    if (!tx) return this.database.prisma.$transaction((transaction) => this.enqueue(kind, run, transaction));
    const { workspaceId } = run;
    const idempotencyKey = checkedText(run.idempotencyKey, 'input.idempotencyKey', 200);
    const inputDigest = digestOf(run.input);
    const askedBy = currentAccount()?.caller.key?.lineId ?? null;
    const added = await tx.$executeRaw`
      INSERT INTO run (id, workspace_id, kind, status, subject_id, input, idempotency_key, input_digest, asked_by, begun_within)
      VALUES (${newId()}::uuid, ${workspaceId}::uuid, ${kind}, 'QUEUED', ${run.subjectId ?? null}::uuid,
              ${JSON.stringify(run.input)}::jsonb, ${idempotencyKey}, ${inputDigest}, ${askedBy}::uuid,
              ${currentSpan().traceparent})
      ON CONFLICT (workspace_id, kind, idempotency_key) DO NOTHING`;
    const row = await tx.run.findUniqueOrThrow({
      where: { workspaceId_kind_idempotencyKey: { workspaceId, kind, idempotencyKey } },
    });
    ofSameInput(row, inputDigest);
    if (added > 0) await notify(tx, RUNS_TOPIC);
    return row;
  }

  /** Ended runs of a subject no longer answer for their keys: what they made is gone. */
  async releaseKeys(kind: string, subjectId: string, tx: Transaction): Promise<void> {
    await tx.$executeRaw`
      UPDATE run SET idempotency_key = NULL
      WHERE kind = ${kind} AND subject_id = ${subjectId}::uuid AND finished_at IS NOT NULL`;
  }

  async releaseKeysOf(runIds: readonly string[], tx: Transaction): Promise<void> {
    const where = { id: { in: runIds.filter(isUuid) }, finishedAt: { not: null } };
    await tx.run.updateMany({ where, data: { idempotencyKey: null } });
  }

  /** Runs about these subjects that have not ended. */
  async unfinishedOf(workspaceId: WorkspaceId, subjectIds: readonly string[]): Promise<RunRow[]> {
    return this.database.prisma.run.findMany({
      where: { workspaceId, subjectId: { in: [...subjectIds] }, status: { in: ['QUEUED', 'RUNNING', 'PAUSED'] } },
    });
  }

  async get(workspaceId: WorkspaceId, runId: string): Promise<RunRow | null> {
    return isUuid(runId) ? this.database.prisma.run.findFirst({ where: { id: runId, workspaceId } }) : null;
  }

  async byKey(workspaceId: WorkspaceId, kind: string, idempotencyKey: string): Promise<RunRow | null> {
    return this.database.prisma.run.findFirst({ where: { workspaceId, kind, idempotencyKey } });
  }

  /** Newest first; the cursor is `encodeCursor([run.id])`. */
  async list(workspaceId: WorkspaceId, filter: RunFilter, page: PageRequest): Promise<Page<RunRow>> {
    const cursor = page.after === null ? null : idCursor(page.after);
    const rows = await this.database.prisma.run.findMany({
      where: {
        workspaceId,
        ...(filter.kind ? { kind: filter.kind } : {}),
        ...(filter.status ? { status: { in: [filter.status].flat() } } : {}),
        ...(filter.subjectId ? { subjectId: filter.subjectId } : {}),
        ...(cursor === null ? {} : { id: { lt: cursor } }),
      },
      orderBy: { id: 'desc' },
      take: page.first + 1,
    });
    return toPage(rows, page.first);
  }

  /**
   * How many unfinished runs there are, by kind and status.
   * @param workspaceId null: of all workspaces
   * @param readableBy those that wait for a file that this owner can't read aren't counted
   */
  async unfinished(
    workspaceId: WorkspaceId | null,
    readableBy?: string,
  ): Promise<{ kind: string; status: string; count: number }[]> {
    const count = () =>
      this.database.prisma.run.groupBy({
        by: ['kind', 'status'],
        where: {
          ...(workspaceId && { workspaceId }),
          status: { in: ['QUEUED', 'RUNNING', 'PAUSED'] },
          ...(readableBy !== undefined && { NOT: { status: 'QUEUED', unreadableBy: { has: readableBy } } }),
        },
        _count: true,
      });
    const groups = await (workspaceId === null ? asSystem(count) : count());
    return groups.map(({ kind, status, _count }) => ({ kind, status, count: _count }));
  }

  /** Ends a run that waits at once and asks the runner of a running one to stop. @throws NOT_FOUND, CONFLICT when it has ended */
  cancel(workspaceId: WorkspaceId, runId: string): Promise<RunRow> {
    return this.#change(workspaceId, runId, async (tx, row, locked) => {
      if (row.status === 'CANCELLED') return;
      if (isFinished(row.status)) throw hasEnded(row);
      if (row.status === 'RUNNING') await ask(tx, row, { cancelRequested: true });
      else await writeSettlement(this.events, tx, locked, { status: 'CANCELLED' });
    });
  }

  /** @throws NOT_FOUND, CONFLICT when it has ended or is of a kind that can't be paused */
  pause(workspaceId: WorkspaceId, runId: string, isPausable: (kind: string) => boolean): Promise<RunRow> {
    return this.#change(workspaceId, runId, async (tx, row, locked) => {
      if (row.status === 'PAUSED') return;
      if (isFinished(row.status)) throw hasEnded(row);
      if (!isPausable(row.kind))
        throw new GraftError('CONFLICT', `Runs of the kind ${row.kind} can’t be paused.`, {
          hint: 'Cancel it, or let it end.',
        });
      if (row.status === 'RUNNING') await ask(tx, row, { pauseRequested: true });
      else await writeSettlement(this.events, tx, locked, { status: 'PAUSED' });
    });
  }

  /** Queues a paused run again, and takes back the wish to pause of a running one. @throws NOT_FOUND, CONFLICT when it has ended */
  resume(workspaceId: WorkspaceId, runId: string): Promise<RunRow> {
    return this.#change(workspaceId, runId, async (tx, row, locked) => {
      if (isFinished(row.status)) throw hasEnded(row);
      if (row.status === 'RUNNING') await ask(tx, row, { pauseRequested: false });
      if (row.status !== 'PAUSED') return;
      await tx.$executeRaw`UPDATE run SET status = 'QUEUED', queued_at = clock_timestamp() WHERE id = ${row.id}::uuid`;
      await tellStatus(this.events, tx, locked, 'QUEUED', 'Waits for its turn again.');
      await notify(tx, RUNS_TOPIC);
    });
  }

  async #change(
    workspaceId: WorkspaceId,
    runId: string,
    write: (tx: Transaction, row: RunRow, locked: LockedRun) => Promise<void>,
  ): Promise<RunRow> {
    if (!isUuid(runId)) throw notFound('The run', runId);
    return this.database.prisma.$transaction(async (tx) => {
      await tx.$executeRaw`SELECT 1 FROM run WHERE id = ${runId}::uuid AND workspace_id = ${workspaceId}::uuid FOR UPDATE`;
      const row = await tx.run.findFirst({ where: { id: runId, workspaceId } });
      if (!row) throw notFound('The run', runId);
      await write(tx, row, { id: row.id, workspaceId, progress: row.progress });
      return tx.run.findUniqueOrThrow({ where: { id: runId } });
    });
  }
}

async function ask(tx: Transaction, row: RunRow, wish: { cancelRequested: true } | { pauseRequested: boolean }) {
  await tx.run.updateMany({ where: { id: row.id }, data: wish });
  await notify(tx, RUNS_TOPIC);
}

const hasEnded = (row: RunRow): GraftError => new GraftError('CONFLICT', `The run has already ended (${row.status}).`);
