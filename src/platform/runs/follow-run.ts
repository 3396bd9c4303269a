import { notFound } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { EventLog, StoredEvent } from '../events/index.js';
import { runStream } from './run.js';
import type { RunQueue } from './run-queue.js';

/**
 * The events of a run behind `after` (from the first one by default). Unlike the log itself it ends: behind the run's
 * `finished` event, also for a client that comes back having seen that already.
 * @throws NOT_FOUND when the workspace has no such run
 */
export async function* followRun(
  { runs, events }: { runs: RunQueue; events: EventLog },
  workspaceId: WorkspaceId,
  runId: string,
  { after = 0n, signal }: { after?: bigint; signal: AbortSignal },
): AsyncGenerator<StoredEvent> {
  if ((await runs.get(workspaceId, runId)) === null) throw notFound('The run', runId, 'runId');
  // The last event seen is read again: it may have been the one that ends the stream.
  const from = after > 0n ? after - 1n : 0n;
  for await (const event of events.follow(workspaceId, runStream(runId), { after: from, signal })) {
    if (event.sequence > after) yield event;
    if (event.type === 'finished') return;
  }
}
