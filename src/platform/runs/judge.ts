import { GraftError, messageWithHint } from '../../kernel/errors.js';
import type { ErrorCode } from '../../kernel/error-codes.js';
import { ArtifactElsewhere } from '../artifacts/index.js';
import { mapDatabaseError } from '../database/index.js';
import { LeaseLost, type Judgement, type RunRow, type StopReason } from './run.js';

/** Faults that pass without anyone doing something about the run. */
const PASSING: readonly ErrorCode[] = [
  'DATABASE_UNAVAILABLE',
  'VECTOR_STORE_UNAVAILABLE',
  'STORAGE_UNAVAILABLE',
  'WORKER_CRASHED',
  'WORKER_UNAVAILABLE',
  'OVERLOADED',
];

/** Whether a fault lies with a part that comes back by itself: a handler that throws it is called again. */
export const isPassing = (error: unknown): boolean => {
  const mapped = mapDatabaseError(error);
  return mapped instanceof GraftError && PASSING.includes(mapped.code);
};

const LONGEST_DELAY_MS = 60_000;

/** What follows from a handler's error; null when the run is no longer ours to settle. */
export function judge(
  error: unknown,
  {
    run,
    reason,
    attempts,
    retryMs,
    owner,
  }: { run: RunRow; reason: StopReason | undefined; attempts: number; retryMs: number; owner: string },
): Judgement | null {
  if (reason === 'lost' || error instanceof LeaseLost) return null;
  if (reason === 'cancel') return { status: 'CANCELLED' };
  if (reason === 'pause') return { status: 'PAUSED' };
  if (reason !== undefined) return { status: 'QUEUED', because: reason };
  if (error instanceof ArtifactElsewhere)
    return {
      status: 'QUEUED',
      because: 'elsewhere',
      owner,
      message: `${error.message} It waits for the gateway there.`,
    };
  const mapped = mapDatabaseError(error);
  if (!(mapped instanceof GraftError))
    return {
      status: 'FAILED',
      errorCode: 'INTERNAL_ERROR',
      errorMessage: `Something unexpected happened; the log tells more under runId ${run.id}.`,
    };
  const failed = { status: 'FAILED', errorCode: mapped.code, errorMessage: messageWithHint(mapped) } as const;
  if (!isPassing(mapped)) return failed;
  return (stalled) => {
    if (stalled >= attempts) return failed;
    const delayMs = Math.min(retryMs * 4 ** Math.max(0, stalled - 1), LONGEST_DELAY_MS);
    const message = `${mapped.message} Trying again in ${Math.ceil(delayMs / 1000)} s.`;
    return { status: 'QUEUED', because: 'retry', delayMs, message };
  };
}
