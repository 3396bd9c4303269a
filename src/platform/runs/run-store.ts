import { GraftError, notFound } from '../../kernel/errors.js';
import { digestOf } from '../../kernel/hashing.js';
import { isUuid, newId, type WorkspaceId } from '../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../kernel/pagination.js';
import { checkedText } from '../../kernel/text.js';
import type { Database, Transaction } from '../database/index.js';
import { notify, type EventLog, type Json } from '../events/index.js';
import {
  isFinished,
  LeaseLost,
  runStream,
  type Lease,
  type NewRun,
  type RunFilter,
  type RunKind,
  type RunRow,
} from './run.js';

/** Rings when a run may be taken or was asked to stop. */
export const RUNS_TOPIC = 'runs';

/** How a run ended, or why it goes back to the queue. */
export type Settlement =
  | { status: 'SUCCEEDED'; output: Json }
  | { status: 'FAILED'; errorCode: string; errorMessage: string }
  | { status: 'CANCELLED' }
  | { status: 'QUEUED'; because: 'retry'; delayMs: number; message: string }
  | { status: 'QUEUED'; because: 'stop' };

const FENCED_TIMEOUT_MS = 120_000;

/** All SQL of the `run` table. Time is the database's (`now()`): runners' clocks may differ. */
export class RunStore {
  constructor(
    private readonly database: Database,
    private readonly events: EventLog,
  ) {}

  /** @throws IDEMPOTENCY_CONFLICT, BAD_USER_INPUT on the key */
  async enqueue(run: NewRun, tx?: Transaction): Promise<RunRow> {
    if (!tx) return this.database.prisma.$transaction((own) => this.enqueue(run, own));
    const { workspaceId, kind } = run;
    const idempotencyKey = checkedText(run.idempotencyKey, 'input.idempotencyKey', 200);
    const inputDigest = digestOf(run.input);
    const added = await tx.$executeRaw`
      INSERT INTO run (id, workspace_id, kind, status, subject_id, input, idempotency_key, input_digest)
      VALUES (${newId()}::uuid, ${workspaceId}::uuid, ${kind}, 'QUEUED', ${run.subjectId ?? null}::uuid,
              ${JSON.stringify(run.input)}::jsonb, ${idempotencyKey}, ${inputDigest})
      ON CONFLICT (workspace_id, kind, idempotency_key) DO NOTHING`;
    const row = await tx.run.findUniqueOrThrow({
      where: { workspaceId_kind_idempotencyKey: { workspaceId, kind, idempotencyKey } },
    });
    if (row.inputDigest !== inputDigest)
      throw new GraftError('IDEMPOTENCY_CONFLICT', 'This idempotency key was used before with other input.', {
        field: 'input.idempotencyKey',
      });
    if (added > 0) await notify(tx, RUNS_TOPIC);
    return row;
  }

  async get(workspaceId: WorkspaceId, runId: string): Promise<RunRow | null> {
    return isUuid(runId) ? this.database.prisma.run.findFirst({ where: { id: runId, workspaceId } }) : null;
  }

  async byKey(workspaceId: WorkspaceId, kind: RunKind, idempotencyKey: string): Promise<RunRow | null> {
    return this.database.prisma.run.findUnique({
      where: { workspaceId_kind_idempotencyKey: { workspaceId, kind, idempotencyKey } },
    });
  }

  /** Newest first; the cursor is `encodeCursor([run.id])`. */
  async list(workspaceId: WorkspaceId, filter: RunFilter, page: PageRequest): Promise<Page<RunRow>> {
    const after = page.after === null ? null : idCursor(page.after);
    const rows = await this.database.prisma.run.findMany({
      where: {
        workspaceId,
        ...(filter.kind ? { kind: filter.kind } : {}),
        ...(filter.status ? { status: filter.status } : {}),
        ...(filter.subjectId ? { subjectId: filter.subjectId } : {}),
        ...(after === null ? {} : { id: { lt: after } }),
      },
      orderBy: { id: 'desc' },
      take: page.first + 1,
    });
    return toPage(rows, page.first);
  }

  /** How many unfinished runs there are, by kind and status. */
  async unfinished(workspaceId: WorkspaceId): Promise<{ kind: string; status: string; count: number }[]> {
    const groups = await this.database.prisma.run.groupBy({
      by: ['kind', 'status'],
      where: { workspaceId, status: { in: ['QUEUED', 'RUNNING'] } },
      _count: true,
    });
    return groups.map(({ kind, status, _count }) => ({ kind, status, count: _count }));
  }

  /** Takes the oldest run that waits or whose runner died, and starts an attempt at it; null when there is none. */
  async take(
    kinds: string[],
    owner: string,
    leaseMs: number,
    maxAttempts: number,
    held: string[],
  ): Promise<RunRow | null> {
    const taken = await this.database.prisma.$queryRaw<{ id: string }[]>`
      UPDATE run SET status = 'RUNNING', attempt = attempt + 1, fencing_token = fencing_token + 1, lease_owner = ${owner},
        lease_until = now() + ${leaseMs} * interval '1 millisecond', started_at = coalesce(started_at, now()), not_before = NULL
      WHERE id = (
        SELECT id FROM run
        WHERE kind = ANY(${kinds}::text[]) AND id <> ALL(${held}::uuid[]) AND (
          (status = 'QUEUED' AND (not_before IS NULL OR not_before <= now()))
          OR (status = 'RUNNING' AND lease_until < now() AND NOT cancel_requested AND attempt < ${maxAttempts}))
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING id`;
    return taken[0] ? this.database.prisma.run.findUniqueOrThrow({ where: { id: taken[0].id } }) : null;
  }

  /** Extends a lease. @returns what became of it meanwhile */
  async renew({ runId, token }: Lease, leaseMs: number): Promise<'held' | 'cancel' | 'lost'> {
    const rows = await this.database.prisma.$queryRaw<{ cancel_requested: boolean }[]>`
      UPDATE run SET lease_until = now() + ${leaseMs} * interval '1 millisecond'
      WHERE id = ${runId}::uuid AND fencing_token = ${token} AND status = 'RUNNING'
      RETURNING cancel_requested`;
    if (!rows[0]) return 'lost';
    return rows[0].cancel_requested ? 'cancel' : 'held';
  }

  /** @throws CONFLICT when the lease is lost; the work's writes are rolled back then */
  async fenced<T>({ runId, token }: Lease, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.prisma.$transaction(
      async (tx) => {
        // KEY SHARE keeps others from taking the run over before we commit, yet lets the heartbeat renew the lease.
        const rows = await tx.$queryRaw<unknown[]>`
          SELECT 1 FROM run WHERE id = ${runId}::uuid AND fencing_token = ${token} AND status = 'RUNNING' FOR KEY SHARE`;
        if (rows.length === 0) throw new LeaseLost();
        return work(tx);
      },
      { timeout: FENCED_TIMEOUT_MS, maxWait: 10_000 },
    );
  }

  /** @throws CONFLICT when the lease is lost */
  async progress(
    lease: Lease,
    workspaceId: WorkspaceId,
    fraction: number,
    message: string,
    detail?: Json,
  ): Promise<void> {
    const progress = Math.min(1, Math.max(0, Number.isFinite(fraction) ? fraction : 0));
    await this.fenced(lease, async (tx) => {
      const text = shown(message);
      await tx.run.updateMany({ where: { id: lease.runId }, data: { progress, message: text } });
      const payload = { progress, message: text, ...(detail === undefined ? {} : { detail }) };
      await this.events.append(workspaceId, runStream(lease.runId), 'progress', payload, tx);
    });
  }

  /** Ends this runner's work on the run; does nothing when the lease is lost. */
  async settle(lease: Lease, end: Settlement): Promise<void> {
    await this.database.prisma.$transaction(async (tx) => {
      const [row] = await tx.$queryRaw<{ workspace_id: WorkspaceId; cancel_requested: boolean; progress: number }[]>`
        SELECT workspace_id, cancel_requested, progress FROM run
        WHERE id = ${lease.runId}::uuid AND fencing_token = ${lease.token} AND status = 'RUNNING' FOR UPDATE`;
      if (!row) return;
      const cancelled = end.status === 'QUEUED' && row.cancel_requested;
      await this.#write(tx, lease.runId, row.workspace_id, row.progress, cancelled ? { status: 'CANCELLED' } : end);
    });
  }

  /**
   * Gives up one run whose runner died and that must not be taken again: it was cancelled, or it took the process with it too often.
   * @returns whether there was one
   */
  async giveUpOne(maxAttempts: number, held: string[]): Promise<boolean> {
    return this.database.prisma.$transaction(async (tx) => {
      const [row] = await tx.$queryRaw<
        { id: string; workspace_id: WorkspaceId; progress: number; cancel_requested: boolean; attempt: number }[]
      >`
        SELECT id, workspace_id, progress, cancel_requested, attempt FROM run
        WHERE status = 'RUNNING' AND lease_until < now() AND (cancel_requested OR attempt >= ${maxAttempts}) AND id <> ALL(${held}::uuid[])
        LIMIT 1 FOR UPDATE SKIP LOCKED`;
      if (!row) return false;
      await tx.$executeRaw`UPDATE run SET fencing_token = fencing_token + 1 WHERE id = ${row.id}::uuid`;
      const end: Settlement = row.cancel_requested
        ? { status: 'CANCELLED' }
        : {
            status: 'FAILED',
            errorCode: 'INTERNAL_ERROR',
            errorMessage: `Given up: the gateway died in the middle of this run ${row.attempt} times. Its log and the system’s (out of memory?) tell why.`,
          };
      await this.#write(tx, row.id, row.workspace_id, row.progress, end);
      return true;
    });
  }

  /** Lets go of what an earlier process of the same owner held when it died. */
  async reclaim(owner: string): Promise<void> {
    await this.database.prisma.$executeRaw`
      UPDATE run SET lease_until = now() - interval '1 millisecond' WHERE status = 'RUNNING' AND lease_owner = ${owner}`;
  }

  /** Ends a queued run at once and asks the runner of a running one to stop. @throws NOT_FOUND, CONFLICT when it has ended */
  async cancel(workspaceId: WorkspaceId, runId: string): Promise<RunRow> {
    if (!isUuid(runId)) throw notFound('The run', runId);
    return this.database.prisma.$transaction(async (tx) => {
      await tx.$executeRaw`SELECT 1 FROM run WHERE id = ${runId}::uuid AND workspace_id = ${workspaceId}::uuid FOR UPDATE`;
      const row = await tx.run.findFirst({ where: { id: runId, workspaceId } });
      if (!row) throw notFound('The run', runId);
      if (row.status === 'CANCELLED') return row;
      if (isFinished(row.status)) throw new GraftError('CONFLICT', `The run has already ended (${row.status}).`);
      if (row.status === 'QUEUED') await this.#write(tx, runId, workspaceId, row.progress, { status: 'CANCELLED' });
      else {
        await tx.$executeRaw`UPDATE run SET cancel_requested = true WHERE id = ${runId}::uuid`;
        await notify(tx, RUNS_TOPIC);
      }
      return tx.run.findUniqueOrThrow({ where: { id: runId } });
    });
  }

  /** The row and the event that tells of it, in one transaction; the caller holds the row's lock. */
  async #write(
    tx: Transaction,
    runId: string,
    workspaceId: WorkspaceId,
    progress: number,
    end: Settlement,
  ): Promise<void> {
    const tell = (type: string, payload: Json) => this.events.append(workspaceId, runStream(runId), type, payload, tx);
    if (end.status === 'QUEUED') {
      const [uncounted, delayMs] = end.because === 'stop' ? [1, 0] : [0, end.delayMs];
      await tx.$executeRaw`
        UPDATE run SET status = 'QUEUED', lease_owner = NULL, lease_until = NULL, attempt = attempt - ${uncounted},
          not_before = now() + ${delayMs} * interval '1 millisecond'
        WHERE id = ${runId}::uuid`;
      if (end.because === 'retry') {
        await tx.run.updateMany({ where: { id: runId }, data: { message: shown(end.message) } });
        await tell('progress', { progress, message: shown(end.message) });
      }
      return notify(tx, RUNS_TOPIC);
    }
    const failed = end.status === 'FAILED' ? { errorCode: end.errorCode, errorMessage: shown(end.errorMessage) } : {};
    const reached = end.status === 'SUCCEEDED' ? 1 : progress;
    const output = end.status === 'SUCCEEDED' && end.output !== null ? { output: end.output } : {};
    await tx.run.updateMany({
      where: { id: runId },
      data: { status: end.status, progress: reached, leaseOwner: null, leaseUntil: null, ...failed, ...output },
    });
    await tx.$executeRaw`UPDATE run SET finished_at = now() WHERE id = ${runId}::uuid`;
    await tell('finished', { status: end.status, progress: reached, ...failed });
  }
}

/** PostgreSQL takes no NUL, and a parser's message may quote one. */
const shown = (message: string): string => message.replaceAll('\0', '').toWellFormed().slice(0, 2_000);
