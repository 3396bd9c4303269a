import { GraftError, isGraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { pause } from '../events/index.js';
import { isFinished, type RunRow } from './run.js';
import type { RunContext } from './run-context.js';
import type { RunQueue } from './run-queue.js';

/*
 * A run that begins others and waits for them, as an improvement waits for its training: it takes them along when it is cancelled or paused.
 */
interface Waiting {
  runs: Pick<RunQueue, 'get' | 'cancel' | 'pause' | 'resume'>;
  context: Pick<RunContext, 'run' | 'signal'>;
  /** ms between two looks. */
  everyMs: number;
  /** Whether a paused one goes on when the wait begins, since the waiting run was paused with it. One that a person pauses meanwhile stays so. */
  resumes?: boolean;
  /** What is done with each look at a run that goes on. */
  seen?: (run: RunRow) => Promise<void>;
}

/**
 * Waits for a run that another run began. Cancelled or paused, the other takes it along.
 * @throws CONFLICT with what it failed with, NOT_FOUND where it is gone, the signal's reason
 */
export async function runEnd(
  { runs, context, everyMs, resumes = false, seen }: Waiting,
  { id }: Pick<RunRow, 'id'>,
): Promise<RunRow> {
  const { signal } = context;
  const workspaceId = context.run.workspaceId as WorkspaceId;
  for (let isFirst = true; ; isFirst = false) {
    const run = await runs.get(workspaceId, id);
    if (!run) throw new GraftError('NOT_FOUND', 'A run that this waited for is gone.');
    if (run.status === 'SUCCEEDED') return run;
    if (isFinished(run.status))
      throw new GraftError('CONFLICT', `${run.kind} ended ${run.status}: ${run.errorMessage ?? 'it was cancelled'}`);
    if (resumes && isFirst && run.status === 'PAUSED' && !signal.aborted)
      await unlessEnded(runs.resume(workspaceId, id));
    await seen?.(run);
    await pause(everyMs, signal);
    if (signal.reason === 'cancel') await unlessEnded(runs.cancel(workspaceId, id));
    if (signal.reason === 'pause') await unlessEnded(runs.pause(workspaceId, id));
    signal.throwIfAborted();
  }
}

/** A run that has ended meanwhile, or whose kind can't be paused, is left as it is. */
const unlessEnded = (change: Promise<unknown>): Promise<unknown> =>
  change.catch((error: unknown) => {
    if (!isGraftError(error, 'CONFLICT')) throw error;
  });
