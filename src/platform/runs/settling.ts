import type { WorkspaceId } from '../../kernel/ids.js';
import { Prisma, type Transaction } from '../database/index.js';
import { notify, type EventLog } from '../events/index.js';
import { RUNS_TOPIC, runStream, shown, WAITS, type RunStatus, type Settlement } from './run.js';

/** A run's message as it is when the run waits no longer. */
export const WITHOUT_WAITING = Prisma.sql`CASE WHEN run.message LIKE ${`${WAITS}%`} THEN '' ELSE run.message END`;

/** A run's row as the holder of its lock saw it. */
export interface LockedRun {
  id: string;
  workspaceId: WorkspaceId;
  progress: number;
}

/** Writes what becomes of a run and the event that tells of it, in one transaction; the caller holds the row's lock. */
export async function writeSettlement(
  events: EventLog,
  tx: Transaction,
  run: LockedRun,
  end: Settlement,
): Promise<void> {
  if (end.status === 'QUEUED') return requeue(events, tx, run, end);
  if (end.status === 'PAUSED') return writePause(events, tx, run);
  const failed = end.status === 'FAILED' ? { errorCode: end.errorCode, errorMessage: shown(end.errorMessage) } : {};
  const succeeded = end.status === 'SUCCEEDED';
  const output = succeeded && end.output !== null ? { output: end.output } : {};
  const progress = succeeded ? 1 : run.progress;
  const failures = succeeded ? end.failures : 0;
  await tx.run.updateMany({
    where: { id: run.id },
    data: { status: end.status, progress, failures, leaseOwner: null, leaseUntil: null, ...failed, ...output },
  });
  // What a run went on from says no more than its output, once it has one; what must not outlive it stands under `untilEnd`.
  await tx.$executeRaw`
    UPDATE run SET finished_at = now(), message = ${WITHOUT_WAITING},
      input = CASE WHEN jsonb_typeof(input) = 'object' THEN input - 'untilEnd' ELSE input END,
      checkpoint = CASE WHEN ${succeeded} THEN NULL ELSE checkpoint END
    WHERE id = ${run.id}::uuid`;
  const payload = { status: end.status, progress, ...failed };
  await events.append(run.workspaceId, runStream(run.id), 'finished', payload, tx);
}

/**
 * Back to the queue: after a fault with a delay and in its old place, after its turn behind those that wait; or to others. An
 * attempt counts when it met a fault or its runner died.
 */
async function requeue(
  events: EventLog,
  tx: Transaction,
  run: LockedRun,
  end: Settlement & { status: 'QUEUED' },
): Promise<void> {
  const uncounted = end.because === 'retry' || end.because === 'gone' ? 0 : 1;
  const delayMs = end.because === 'retry' ? end.delayMs : 0;
  await tx.$executeRaw`
    UPDATE run SET status = 'QUEUED', lease_owner = NULL, lease_until = NULL, attempt = attempt - ${uncounted},
      stalled = greatest(0, stalled - ${uncounted}), not_before = now() + ${delayMs} * interval '1 millisecond',
      queued_at = CASE WHEN ${end.because === 'turn'} THEN clock_timestamp() ELSE queued_at END,
      unreadable_by = unreadable_by || ${end.because === 'elsewhere' ? [end.owner] : []}::text[]
    WHERE id = ${run.id}::uuid`;
  if ('message' in end) {
    const message = shown(end.message);
    await tx.run.updateMany({ where: { id: run.id }, data: { message } });
    await events.append(run.workspaceId, runStream(run.id), 'progress', { progress: run.progress, message }, tx);
  }
  return notify(tx, RUNS_TOPIC);
}

async function writePause(events: EventLog, tx: Transaction, run: LockedRun): Promise<void> {
  await tx.$executeRaw`
    UPDATE run SET status = 'PAUSED', pause_requested = false, lease_owner = NULL, lease_until = NULL, stalled = 0,
      message = ${WITHOUT_WAITING}
    WHERE id = ${run.id}::uuid`;
  await tellStatus(events, tx, run, 'PAUSED', 'Paused.');
}

/** Tells subscribers of a status that no progress tells of. */
export async function tellStatus(
  events: EventLog,
  tx: Transaction,
  { id, workspaceId, progress }: LockedRun,
  status: RunStatus,
  message: string,
): Promise<void> {
  await events.append(workspaceId, runStream(id), 'status', { status, progress, message }, tx);
}
