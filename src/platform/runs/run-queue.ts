/*
 * Runs: long work that outlives its caller and the process that does it.
 *
 * A run is QUEUED when it is asked for. A runner takes one of those it can handle, of the workspace that it served least
 * recently the one that has waited longest, with SKIP LOCKED so that no two take the same: it becomes RUNNING, its attempt and its fencing token go up by one, and the runner
 * holds a lease that its heartbeat renews. From there
 *   - the handler returns: SUCCEEDED;
 *   - it throws: FAILED with the error's code, except when the fault lay with a part that comes back by itself (database,
 *     vector store, worker): then QUEUED again with growing delay, until the attempts are used up;
 *   - it throws ArtifactElsewhere: QUEUED again for the runners that can read the file; this one leaves it alone;
 *   - someone cancels: a waiting run is CANCELLED at once; a RUNNING one has its signal aborted, and is CANCELLED when its
 *     handler lets go;
 *   - someone pauses, if the kind allows it: likewise PAUSED, until someone resumes it: then QUEUED;
 *   - it has had its slice and another run waits for the slot: QUEUED behind that one, see `takeTurns`;
 *   - the gateway stops: the signal aborts, the run goes back to QUEUED, and the attempt does not count;
 *   - the gateway dies: the lease runs out, and any runner takes the run again, until the attempts are used up: a run that
 *     kills the process each time ends FAILED. (One that was to be cancelled or paused ends so instead.)
 *   - the gateway is cut off or asleep beyond its lease and someone took the run over: its writes no longer carry the
 *     row's fencing token, so they fail; the heartbeat finds out and aborts the signal.
 * Attempts count from the last checkpoint or the last progress beyond the best so far: a run that gets further each time
 * survives any number of interruptions. SUCCEEDED, FAILED and CANCELLED are final. So work is done at least once; handlers
 * make their steps repeatable, and write through `fenced`, so that of two runners only the rightful one leaves a trace.
 */
import { isGraftError, notFound } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { Page, PageRequest } from '../../kernel/pagination.js';
import type { StoredJson } from '../../kernel/stored-json.js';
import { checkedText } from '../../kernel/text.js';
import type { Transaction } from '../database/index.js';
import type { FollowOptions, StoredEvent } from '../events/index.js';
import { isFinished, runStream, type NewRun, type RunFilter, type RunRow } from './run.js';
import type { AnyRunKind, HandledKind } from './run-kind.js';
import { RunStore } from './run-store.js';
import { Runner, type AroundRun, type RunnerOptions } from './runner.js';

export interface RunQueueOptions extends RunnerOptions {
  /** Kinds that must have a handler before `start`; what `handle` is told of besides may be asked for, too. */
  kinds?: readonly { readonly definition: AnyRunKind }[];
  /** Which kinds are worked on here; all by default. Runs of the others can be asked for all the same, and wait for who takes them. */
  takes?: (kind: string) => boolean;
}

export class RunQueue {
  readonly #store: RunStore;
  readonly #runner: Runner;
  readonly #kinds: Map<string, AnyRunKind>;

  constructor(private readonly options: RunQueueOptions) {
    this.#store = new RunStore(options.database, options.events);
    this.#runner = new Runner(options);
    this.#kinds = new Map((options.kinds ?? []).map(({ definition }) => [definition.kind, definition]));
  }

  /**
   * Asks for work; with `tx` it exists only if the transaction commits.
   * @returns the new run, or the earlier one of the same key and input
   * @throws IDEMPOTENCY_CONFLICT when the key stands for other input
   */
  enqueue<I>(kind: AnyRunKind & { readonly input: StoredJson<I> }, run: NewRun<I>, tx?: Transaction): Promise<RunRow> {
    return this.#store.enqueue(kind.kind, { ...run, input: kind.input.encode(run.input) }, tx);
  }

  /** Lets the keys of a subject's ended runs stand for new work: call it when what they made is deleted. */
  releaseKeys(kind: AnyRunKind, subjectId: string, tx: Transaction): Promise<void> {
    return this.#store.releaseKeys(kind.kind, subjectId, tx);
  }

  /** Lets the keys of these runs, if they have ended, stand for new work: call it when what they made is deleted. */
  releaseKeysOf(runIds: readonly string[], tx: Transaction): Promise<void> {
    return this.#store.releaseKeysOf(runIds, tx);
  }

  /** A waiting or running run about a subject that is gone is cancelled; one that has ended meanwhile is left as it is. */
  async cancelAll(workspaceId: WorkspaceId, subjectId: string): Promise<void> {
    for (const { id } of await this.#store.unfinishedOf(workspaceId, [subjectId]))
      await this.cancel(workspaceId, id).catch((error: unknown) => {
        if (!isGraftError(error, 'CONFLICT')) throw error;
      });
  }

  /** Whether a runner works on a run about one of these. */
  async areWorkedOn(workspaceId: WorkspaceId, subjectIds: readonly string[]): Promise<boolean> {
    return (await this.#store.unfinishedOf(workspaceId, subjectIds)).some(({ status }) => status === 'RUNNING');
  }

  get(workspaceId: WorkspaceId, runId: string): Promise<RunRow | null> {
    return this.#store.get(workspaceId, runId);
  }

  /** How many runs of the workspace, or of all of them, have not ended, by kind and status. */
  unfinished(workspaceId: WorkspaceId | null): Promise<{ kind: string; status: string; count: number }[]> {
    return this.#store.unfinished(workspaceId);
  }

  /** The run that an idempotency key stands for, for callers whose input can't be made again once the run has worked. */
  byKey(workspaceId: WorkspaceId, { kind }: AnyRunKind, idempotencyKey: string): Promise<RunRow | null> {
    return this.#store.byKey(workspaceId, kind, checkedText(idempotencyKey, 'input.idempotencyKey', 200));
  }

  /** Newest first; the cursor of a run is `encodeCursor([run.id])`. */
  list(workspaceId: WorkspaceId, filter: RunFilter, page: PageRequest): Promise<Page<RunRow>> {
    return this.#store.list(workspaceId, filter, page);
  }

  /**
   * What a run reports, from its first event or behind `after`, until it has ended; at once when nothing can follow.
   * @throws NOT_FOUND
   */
  async *follow(workspaceId: WorkspaceId, runId: string, options: FollowOptions): AsyncGenerator<StoredEvent> {
    const run = await this.#store.get(workspaceId, runId);
    if (!run) throw notFound('The run', runId, 'runId');
    yield* this.options.events.followToEnd(workspaceId, runStream(run.id), {
      ...options,
      ended: isFinished(run.status),
      read: (event) => event,
      isLast: ({ type }) => type === 'finished',
    });
  }

  /** What a run reported so far: at most so many events behind `after`, in order. @throws NOT_FOUND */
  async history(
    workspaceId: WorkspaceId,
    runId: string,
    { after, most }: { after: bigint; most: number },
  ): Promise<{ run: RunRow; events: StoredEvent[] }> {
    const run = await this.#store.get(workspaceId, runId);
    if (!run) throw notFound('The run', runId, 'runId');
    return { run, events: await this.options.events.page(workspaceId, runStream(run.id), after, most) };
  }

  /**
   * A waiting run ends at once, a running one as soon as its handler lets go; cancelling twice is no error.
   * @throws NOT_FOUND, CONFLICT when it has already succeeded or failed
   */
  cancel(workspaceId: WorkspaceId, runId: string): Promise<RunRow> {
    return this.#store.cancel(workspaceId, runId);
  }

  /** As `cancel`, but it can be resumed. @throws NOT_FOUND, CONFLICT when it has ended or its kind can't be paused */
  pause(workspaceId: WorkspaceId, runId: string): Promise<RunRow> {
    return this.#store.pause(workspaceId, runId, (kind) => this.#kinds.get(kind)?.pausable ?? false);
  }

  /** Queues a paused run again; no error for one that is not paused. @throws NOT_FOUND, CONFLICT when it has ended */
  resume(workspaceId: WorkspaceId, runId: string): Promise<RunRow> {
    return this.#store.resume(workspaceId, runId);
  }

  /** Says who does the runs of these kinds, with which parts. Call it before `start`. */
  handle<P>(kinds: readonly HandledKind<P>[], parts: P): void {
    for (const { definition, handler } of kinds) {
      this.#kinds.set(definition.kind, definition);
      if (this.#takes(definition.kind)) this.#runner.handle(definition, (context) => handler(parts, context as never));
    }
  }

  /** What goes around each attempt at a run of any kind, here; call it before `start`. */
  surround(wrapper: AroundRun): void {
    this.#runner.surround(wrapper);
  }

  /** @throws Error naming a kind without a handler: its runs would wait for ever */
  start(): void {
    const missing = [...this.#kinds.keys()].filter((kind) => this.#takes(kind) && !this.#runner.handles(kind));
    if (missing.length > 0)
      throw new Error(`No handler for runs of the kind ${missing.join(', ')}: call handle() first.`);
    this.#runner.start();
  }

  /** Whether a run of a kind that is taken here is worked on, here or elsewhere, or waits for something else than another home’s files. */
  async someLeft(): Promise<boolean> {
    const runs = await this.#store.unfinished(null, this.options.owner);
    return runs.some(({ kind, status, count }) => count > 0 && status !== 'PAUSED' && this.#takes(kind));
  }

  #takes(kind: string): boolean {
    return this.options.takes?.(kind) ?? true;
  }

  /** Aborts the running handlers, waits `graceMs` for them, and puts their runs back so that the next start resumes them. */
  stop(graceMs = 5_000): Promise<void> {
    return this.#runner.stop(graceMs);
  }
}
