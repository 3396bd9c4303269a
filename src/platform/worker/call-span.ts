import type { WorkerTrace } from '../../worker-protocol/index.js';
import { GRAFT, startSpan, startWithin, type TraceSpan } from '../tracing/index.js';
import type { CallOptions } from './worker-client.js';

/**
 * The span of a call to a worker, where it is part of something that is traced; none for what nobody waits for. It begins before there is a
 * worker, so that waiting for one shows.
 */
export const callSpan = (
  role: string,
  operation: string,
  { priority = 'interactive' }: Pick<CallOptions, 'priority'>,
): TraceSpan | null => {
  if (priority === 'bulk') return null;
  const attributes = { [GRAFT.ROLE]: role, [GRAFT.PRIORITY]: priority };
  const span = startWithin(`worker.${operation}`, { kind: 'client', attributes });
  return span.recording ? span : null;
};

/**
 * What a worker says of a call, as spans within it. The worker has no network to send them by; its times count from when it received the
 * request, for which stands when that was sent.
 * @param sentAt ms since the epoch
 */
export function tellWorkerSpans(
  call: TraceSpan,
  { role, operation, sentAt }: { role: string; operation: string; sentAt: number },
  { ms, spans, dropped }: WorkerTrace,
): void {
  const attributes = { [GRAFT.ROLE]: role, [GRAFT.DROPPED_SPANS]: dropped > 0 ? dropped : null };
  const whole = startSpan(`${role}.${operation}`, { kind: 'server', parent: call, startedAt: sentAt, attributes });
  for (const span of spans) {
    const startedAt = sentAt + span.at;
    const child = startSpan(`${role}.${span.name}`, { parent: whole, startedAt, attributes: workerAttributes(span) });
    child.end(undefined, startedAt + span.ms);
  }
  whole.end(undefined, sentAt + ms);
}

const workerAttributes = ({ attributes = {} }: WorkerTrace['spans'][number]) =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`graft.worker.${name}`, value]));
