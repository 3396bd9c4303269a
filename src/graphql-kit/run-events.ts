import { Field, Float, ID, InterfaceType } from 'type-graphql';
import { badInput, notFound } from '../kernel/errors.js';
import type { WorkspaceId } from '../kernel/ids.js';
import type { GraphContext } from './context.js';
import { fromGlobalId } from './global-ids.js';
import { RunError, runTypeName, RunStatus } from './runs.js';

/** One event of a run's stream. A domain's event type implements it: `@ObjectType({ implements: RunEventType })`. */
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

interface ProgressPayload {
  progress?: number;
  message?: string;
  status?: string;
  errorCode?: string | null;
  errorMessage?: string | null;
}

/** Whether no event follows this one, so that its subscription completes. */
export const isLastRunEvent = (event: StoredEventLike): boolean => event.type === 'finished';

/** The fields of `RunEvent` from a stored `progress` or `finished` event. */
export function runEventFields(event: StoredEventLike): RunEventType {
  const payload = (event.payload ?? {}) as ProgressPayload;
  const finished = isLastRunEvent(event);
  const status = finished ? ((payload.status ?? 'SUCCEEDED') as RunStatus) : RunStatus.RUNNING;
  return {
    id: event.sequence.toString(),
    status,
    progress: payload.progress ?? (finished && status === RunStatus.SUCCEEDED ? 1 : 0),
    message: payload.message ?? payload.errorMessage ?? '',
    error: payload.errorCode ? { code: payload.errorCode, message: payload.errorMessage ?? '' } : null,
  };
}

/**
 * `after` of a stream's subscription as the event log takes it.
 * @throws BAD_USER_INPUT when it is not the id of an event
 */
export function afterEvent(after: string | null | undefined): bigint | undefined {
  if (after === null || after === undefined) return undefined;
  if (!/^\d{1,18}$/.test(after)) throw badInput('after', 'after is not the id of an event of this stream.');
  return BigInt(after);
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
 * @throws BAD_USER_INPUT on the ids, NOT_FOUND also for a run of another kind
 */
export async function* followRun(
  runs: FollowedRuns,
  kind: string,
  { runId, after }: ProgressArgs,
  { workspaceId, signal }: GraphContext,
): AsyncGenerator<StoredEventLike> {
  const id = fromGlobalId(runId, runTypeName(kind), 'runId');
  const start = afterEvent(after);
  if ((await runs.get(workspaceId, id))?.kind !== kind) throw notFound('The run', runId, 'runId');
  for await (const event of runs.follow(workspaceId, id, { after: start, signal }))
    if (event.type === 'progress' || isLastRunEvent(event)) yield event;
}
