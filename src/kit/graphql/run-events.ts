import { Field, Float, ID, InterfaceType } from 'type-graphql';
import { badInput, notFound } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { GraphContext } from './context.js';
import { fromGlobalId } from './global-ids.js';
import { RunError, runTypeName, RunStatus, toRunError } from './runs.js';

/** One event of a run's stream. A kind's own event types implement it: `@ObjectType({ implements: RunEventType })`. */
@InterfaceType('RunEvent', {
  description:
    'Something that a run reported. Events of a run are stored: a client that reconnects with `after` misses none.',
  resolveType: (value: object) => value.constructor as never,
})
export abstract class RunEventType {
  @Field(() => ID, {
    description: 'Place in the run’s stream: pass the last one seen as `after` to continue behind it.',
  })
  id!: string;

  @Field(() => RunStatus, { description: 'How far the run is.' })
  status!: RunStatus;

  @Field(() => Float, { description: 'Share of the work that is done, 0 to 1.' })
  progress!: number;

  @Field(() => String, { description: 'What happened, in words.' })
  message!: string;

  @Field(() => RunError, { nullable: true, description: 'Why the run failed; null unless `status` is `FAILED`.' })
  error!: RunError | null;
}

/** A stored event as the event log returns it. */
export interface StoredEventLike {
  sequence: bigint;
  type: string;
  payload: unknown;
}

/** What every event of a run carries, and under `detail` what its kind adds. */
interface EventPayload {
  progress?: number;
  message?: string;
  status?: string;
  errorCode?: string | null;
  errorMessage?: string | null;
  detail?: unknown;
}

const payloadOf = (event: StoredEventLike): EventPayload => event.payload ?? {};

/** What the kind adds, as it is stored; undefined where an event has nothing of its own. */
export const eventDetail = (event: StoredEventLike): unknown => payloadOf(event).detail;

/** The fields of `RunEvent` from a stored event. */
export function runEventFields(event: StoredEventLike): RunEventType {
  const payload = payloadOf(event);
  const finished = event.type === 'finished';
  const status = (payload.status ?? (finished ? RunStatus.SUCCEEDED : RunStatus.RUNNING)) as RunStatus;
  return {
    id: event.sequence.toString(),
    status,
    progress: payload.progress ?? (finished && status === RunStatus.SUCCEEDED ? 1 : 0),
    message: payload.message ?? payload.errorMessage ?? '',
    error: toRunError(payload.errorCode, payload.errorMessage),
  };
}

/**
 * `after` of a stream's subscription as the event log takes it.
 * @throws BAD_USER_INPUT when it is not the id of an event
 */
export function afterEvent(eventId: string | null | undefined): bigint | undefined {
  if (eventId === null || eventId === undefined) return undefined;
  if (!/^\d{1,18}$/.test(eventId)) throw badInput('after', 'after is not the id of an event of this stream.');
  return BigInt(eventId);
}

/** Arguments of every subscription to a run. */
export interface ProgressArgs {
  runId: string;
  after?: string | null;
}

/** What following needs of the run queue. */
export interface FollowedRuns {
  get(workspaceId: WorkspaceId, id: string): Promise<{ kind: string } | null>;
  follow(
    workspaceId: WorkspaceId,
    id: string,
    options: { after?: bigint; signal: AbortSignal },
  ): AsyncIterable<StoredEventLike>;
}

/**
 * The stored events of a run of this kind, from the first or behind `after`, until it has ended.
 * @param isKnown by name: events that only a later version of the kind has are left out
 * @throws BAD_USER_INPUT on the ids, NOT_FOUND also for a run of another kind
 */
export async function* followRun(
  runs: FollowedRuns,
  kind: string,
  isKnown: (type: string) => boolean,
  { runId, after }: ProgressArgs,
  { workspaceId, signal }: GraphContext,
): AsyncGenerator<StoredEventLike> {
  const id = fromGlobalId(runId, runTypeName(kind), 'runId');
  const start = afterEvent(after);
  if ((await runs.get(workspaceId, id))?.kind !== kind) throw notFound('The run', runId, 'runId');
  for await (const event of runs.follow(workspaceId, id, { after: start, signal }))
    if (isKnown(event.type)) yield event;
}
