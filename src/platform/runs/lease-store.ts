import type { WorkspaceId } from '../../kernel/ids.js';
import type { Database, Transaction } from '../database/index.js';
import type { EventLog, Json } from '../events/index.js';
import {
  LeaseLost,
  runStream,
  shown,
  WAITS,
  type Judgement,
  type RunLease,
  type RunRow,
  type Settlement,
} from './run.js';
import { tellStatus, WITHOUT_WAITING, writeSettlement } from './settling.js';

/** A kind that may be taken, and after how many fruitless attempts its runs are given up. */
interface TakenKind {
  kind: string;
  attempts: number;
  brief: boolean;
}

/** Whose run of a kind had a slot. */
export interface Served {
  kind: string;
  workspaceId: WorkspaceId;
}

/** What a runner takes its next run by. */
interface Taking {
  kinds: readonly TakenKind[];
  /** From least to most recently; who isn't in it comes first. */
  served: readonly Served[];
  owner: string;
  leaseMs: number;
  /** Ids of runs that it works on already. */
  held: readonly string[];
}

interface AbandonedRun {
  id: string;
  workspace_id: WorkspaceId;
  progress: number;
  cancel_requested: boolean;
  pause_requested: boolean;
  stalled: number;
  lease_owner: string;
  attempts: number;
}

type SettledRun = Pick<AbandonedRun, 'cancel_requested' | 'pause_requested' | 'progress' | 'stalled'>;

/** Of a long queue those who wait longest are told first. */
const TOLD_AT_ONCE = 100;

const FENCED_TIMEOUT_MS = 120_000;

/** SQL of the runner: taking runs, keeping them, writing as their holder, letting go. Time is the database's. */
export class LeaseStore {
  constructor(
    private readonly database: Database,
    private readonly events: EventLog,
  ) {}

  /**
   * Takes a run that waits, or whose runner died, and starts an attempt at it; null when there is none. Brief ones go first, then those of
   * the workspace that was served least recently, then who has waited longest: nobody's many runs keep another's from beginning.
   */
  async take({ kinds, served, owner, leaseMs, held }: Taking): Promise<RunRow | null> {
    return this.database.prisma.$transaction(async (tx) => {
      const [row] = await tx.$queryRaw<{ id: string; waited: boolean }[]>`
        WITH next AS (
          SELECT run.id, message LIKE ${`${WAITS}%`} AS waited FROM run
          JOIN unnest(${kinds.map(({ kind }) => kind)}::text[], ${kinds.map(({ attempts }) => attempts)}::int[],
            ${kinds.map(({ brief }) => brief)}::bool[]) AS free (kind, attempts, brief) ON free.kind = run.kind
          LEFT JOIN unnest(${served.map(({ kind }) => kind)}::text[], ${served.map(({ workspaceId }) => workspaceId)}::uuid[])
            WITH ORDINALITY AS served (kind, workspace_id, place)
            ON served.kind = run.kind AND served.workspace_id = run.workspace_id
          WHERE run.id <> ALL(${held}::uuid[]) AND ${owner} <> ALL(unreadable_by) AND (
            (status = 'QUEUED' AND (not_before IS NULL OR not_before <= now()))
            OR (status = 'RUNNING' AND lease_until < now() AND NOT cancel_requested AND NOT pause_requested
                AND stalled < free.attempts))
          ORDER BY free.brief DESC, coalesce(served.place, 0), queued_at, run.id LIMIT 1 FOR UPDATE OF run SKIP LOCKED)
        UPDATE run SET status = 'RUNNING', attempt = attempt + 1, stalled = stalled + 1, fencing_token = fencing_token + 1,
          lease_owner = ${owner}, lease_until = now() + ${leaseMs} * interval '1 millisecond',
          started_at = coalesce(started_at, now()), not_before = NULL,
          message = ${WITHOUT_WAITING}
        FROM next WHERE run.id = next.id
        RETURNING run.id, next.waited`;
      if (!row) return null;
      const run = await tx.run.findUniqueOrThrow({ where: { id: row.id } });
      const { id, progress } = run;
      if (row.waited)
        await tellStatus(this.events, tx, { id, workspaceId: run.workspaceId as WorkspaceId, progress }, 'RUNNING', '');
      return run;
    });
  }

  /** Whether a run of these kinds waits to be taken by this runner. */
  async someoneWaits(kinds: readonly string[], owner: string): Promise<boolean> {
    const [row] = await this.database.prisma.$queryRaw<{ waits: boolean }[]>`
      SELECT EXISTS (
        SELECT 1 FROM run WHERE kind = ANY(${kinds}::text[]) AND status = 'QUEUED' AND ${owner} <> ALL(unreadable_by)
          AND (not_before IS NULL OR not_before <= now())) AS waits`;
    return row?.waits ?? false;
  }

  /**
   * Has the next runs that can't be taken, because one of a rival kind works, say so: to who looks at them and who follows them.
   * Rows that others hold are left for the next time, so that no two runners wait for each other.
   */
  async tellWaiting(blocked: readonly { kind: string; rival: string }[], owner: string): Promise<void> {
    await this.database.prisma.$transaction(async (tx) => {
      const waiting = await tx.$queryRaw<{ id: string; workspaceId: WorkspaceId; progress: number; message: string }[]>`
        WITH rivals AS (
          SELECT DISTINCT ON (pair.kind) pair.kind, ${WAITS}::text || working.kind || '.' AS message
          FROM unnest(${blocked.map(({ kind }) => kind)}::text[], ${blocked.map(({ rival }) => rival)}::text[])
            AS pair (kind, rival)
          JOIN run working ON working.kind = pair.rival AND working.status = 'RUNNING'
          ORDER BY pair.kind, working.started_at),
        next AS (
          SELECT run.id, rivals.message FROM run JOIN rivals ON rivals.kind = run.kind
          WHERE run.status = 'QUEUED' AND run.message <> rivals.message
            AND (run.message = '' OR run.message LIKE ${`${WAITS}%`}) AND ${owner} <> ALL(run.unreadable_by)
          ORDER BY run.queued_at, run.id LIMIT ${TOLD_AT_ONCE} FOR UPDATE OF run SKIP LOCKED)
        UPDATE run SET message = next.message FROM next WHERE run.id = next.id
        RETURNING run.id, run.workspace_id AS "workspaceId", run.progress, run.message`;
      for (const run of waiting) await tellStatus(this.events, tx, run, 'QUEUED', run.message);
    });
  }

  /** Extends a lease. @returns what became of it meanwhile */
  async renew({ runId, token }: RunLease, leaseMs: number): Promise<'held' | 'cancel' | 'pause' | 'lost'> {
    const rows = await this.database.prisma.$queryRaw<{ cancel_requested: boolean; pause_requested: boolean }[]>`
      UPDATE run SET lease_until = now() + ${leaseMs} * interval '1 millisecond'
      WHERE id = ${runId}::uuid AND fencing_token = ${token} AND status = 'RUNNING'
      RETURNING cancel_requested, pause_requested`;
    if (!rows[0]) return 'lost';
    if (rows[0].cancel_requested) return 'cancel';
    return rows[0].pause_requested ? 'pause' : 'held';
  }

  /** @throws CONFLICT when the lease is lost; the work's writes are rolled back then */
  async fenced<T>({ runId, token }: RunLease, work: (tx: Transaction) => Promise<T>): Promise<T> {
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

  /** The row and its event, in a transaction of `fenced`. Attempts start to count anew when it is further than ever before. */
  async progress(tx: Transaction, lease: RunLease, fraction: number, message: string, detail?: Json): Promise<void> {
    const progress = Math.min(1, Math.max(0, Number.isFinite(fraction) ? fraction : 0));
    const text = shown(message);
    await tx.$executeRaw`
      UPDATE run SET progress = ${progress}, message = ${text}, peak = greatest(peak, ${progress}),
        stalled = CASE WHEN ${progress} > peak THEN 0 ELSE stalled END
      WHERE id = ${lease.runId}::uuid`;
    await this.#tell(tx, lease, 'progress', { progress, message: text, ...(detail === undefined ? {} : { detail }) });
  }

  /** In a transaction of `fenced`. */
  async checkpoint(tx: Transaction, { runId }: RunLease, state: Json): Promise<void> {
    await tx.$executeRaw`
      UPDATE run SET checkpoint = ${JSON.stringify(state)}::jsonb, stalled = 0 WHERE id = ${runId}::uuid`;
  }

  /** An event of the kind's own, with how far the run was then; in a transaction of `fenced`. */
  async emit(tx: Transaction, lease: RunLease, name: string, detail: Json): Promise<void> {
    const { progress, message } = await tx.run.findUniqueOrThrow({
      where: { id: lease.runId },
      select: { progress: true, message: true },
    });
    await this.#tell(tx, lease, name, { progress, message, detail });
  }

  /** Ends this runner's work on the run. @returns what was written; null, and nothing is, when the lease is lost */
  async settle(lease: RunLease, judgement: Judgement): Promise<Settlement | null> {
    return this.database.prisma.$transaction(async (tx) => {
      const [row] = await tx.$queryRaw<SettledRun[]>`
        SELECT cancel_requested, pause_requested, progress, stalled FROM run
        WHERE id = ${lease.runId}::uuid AND fencing_token = ${lease.token} AND status = 'RUNNING' FOR UPDATE`;
      if (!row) return null;
      const run = { id: lease.runId, workspaceId: lease.workspaceId, progress: row.progress };
      const end = asWished(typeof judgement === 'function' ? judgement(row.stalled) : judgement, row);
      await writeSettlement(this.events, tx, run, end);
      return end;
    });
  }

  /**
   * Lets go of one run whose runner died and that must not be taken again: it was to be cancelled or paused, or it took
   * the process with it too often. One that `owner` can't work on for want of its files waits visibly for a runner that can.
   * @returns whether there was one
   */
  async giveUpOne(kinds: readonly TakenKind[], owner: string, heldIds: string[]): Promise<boolean> {
    return this.database.prisma.$transaction(async (tx) => {
      const [row] = await tx.$queryRaw<AbandonedRun[]>`
        SELECT run.id, workspace_id, progress, cancel_requested, pause_requested, stalled, lease_owner, known.attempts FROM run
        JOIN unnest(${kinds.map(({ kind }) => kind)}::text[], ${kinds.map(({ attempts }) => attempts)}::int[])
          AS known (kind, attempts) ON known.kind = run.kind
        WHERE status = 'RUNNING' AND lease_until < now() AND run.id <> ALL(${heldIds}::uuid[])
          AND (cancel_requested OR pause_requested OR stalled >= known.attempts OR ${owner} = ANY(unreadable_by))
        LIMIT 1 FOR UPDATE OF run SKIP LOCKED`;
      if (!row) return false;
      await tx.$executeRaw`UPDATE run SET fencing_token = fencing_token + 1 WHERE id = ${row.id}::uuid`;
      const died: Settlement = {
        status: 'FAILED',
        errorCode: 'INTERNAL_ERROR',
        errorMessage: `Given up: the gateway died in the middle of this run ${row.stalled} times without getting any further. Its log and the system’s (out of memory?) tell why.`,
      };
      const settlement: Settlement = {
        status: 'QUEUED',
        because: 'gone',
        message: `The gateway of the home ${row.lease_owner} ended in the middle of it. It waits for the gateway there, which has its files.`,
      };
      const unwished = row.stalled >= row.attempts ? died : settlement;
      const end: Settlement = row.pause_requested ? { status: 'PAUSED' } : unwished;
      const run = { id: row.id, workspaceId: row.workspace_id, progress: row.progress };
      await writeSettlement(this.events, tx, run, row.cancel_requested ? { status: 'CANCELLED' } : end);
      return true;
    });
  }

  /** Lets go of what an earlier process of the same owner held when it died, and looks anew at what that one couldn't read. */
  async reclaim(owner: string): Promise<void> {
    await this.database.prisma.$executeRaw`
      UPDATE run SET unreadable_by = array_remove(unreadable_by, ${owner}) WHERE ${owner} = ANY(unreadable_by)`;
    await this.database.prisma.$executeRaw`
      UPDATE run SET lease_until = now() - interval '1 millisecond' WHERE status = 'RUNNING' AND lease_owner = ${owner}`;
  }

  async #tell(tx: Transaction, { workspaceId, runId }: RunLease, type: string, payload: Json): Promise<void> {
    await this.events.append(workspaceId, runStream(runId), type, payload, tx);
  }
}

/** A wish that came while the runner let go for another reason is fulfilled; one to pause that was taken back is not. */
function asWished(end: Settlement, wishes: { cancel_requested: boolean; pause_requested: boolean }): Settlement {
  if (end.status !== 'QUEUED' && end.status !== 'PAUSED') return end;
  if (wishes.cancel_requested) return { status: 'CANCELLED' };
  if (wishes.pause_requested) return { status: 'PAUSED' };
  return end.status === 'PAUSED' ? { status: 'QUEUED', because: 'stop' } : end;
}
