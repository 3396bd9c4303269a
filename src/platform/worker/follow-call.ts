import { GraftError } from '../../kernel/errors.js';
import type { CallEvent } from './worker-client.js';

const PROGRESS_MS = 500;

/**
 * Waits for the result of a worker's operation, and passes on how far it is: at most twice a second.
 * @throws what the operation throws, WORKER_CRASHED when it ends without a result
 */
export async function followCall<O>(
  events: AsyncIterable<CallEvent<never, O>>,
  onProgress: (fraction: number, message: string) => Promise<void>,
): Promise<O> {
  let reportedAt = -Infinity;
  for await (const event of events) {
    if (event.type === 'done') return event.output;
    if (event.type !== 'progress' || performance.now() - reportedAt < PROGRESS_MS) continue;
    reportedAt = performance.now();
    await onProgress(event.fraction, event.message);
  }
  throw new GraftError('WORKER_CRASHED', 'The worker ended without a result.');
}
