/*
 * Runs: long work that outlives its caller and the process that does it.
 *
 * A run is QUEUED when it is asked for. A runner takes the oldest one it can handle, with SKIP LOCKED so that no two
 * take the same: it becomes RUNNING, its attempt and its fencing token go up by one, and the runner holds a lease that
 * its heartbeat renews. From there
 *   - the handler returns: SUCCEEDED;
 *   - it throws: FAILED with the error's code, except when the fault lay with a part that comes back by itself (database,
 *     vector store, worker): then QUEUED again with growing delay, until the attempts are used up;
 *   - someone cancels: a QUEUED run is CANCELLED at once; a RUNNING one has its signal aborted, and is CANCELLED when its
 *     handler lets go;
 *   - the gateway stops: the signal aborts, the run goes back to QUEUED, and the attempt does not count;
 *   - the gateway dies: the lease runs out, and any runner takes the run again, until the attempts are used up: a run that
 *     kills the process each time ends FAILED. (One that was to be cancelled ends CANCELLED instead.)
 *   - the gateway is cut off or asleep beyond its lease and someone took the run over: its writes no longer carry the
 *     row's fencing token, so they fail; the heartbeat finds out and aborts the signal.
 * SUCCEEDED, FAILED and CANCELLED are final. So work is done at least once; handlers make their steps repeatable, and
 * write through `fenced`, so that of two runners only the rightful one leaves a trace.
 */
import type { Clock } from '../../kernel/clock.js';
import { GraftError, isGraftError, notFound } from '../../kernel/errors.js';
import type { ErrorCode } from '../../kernel/error-codes.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { Page, PageRequest } from '../../kernel/pagination.js';
import { checkedText } from '../../kernel/text.js';
import { mapDatabaseError, type Database, type Transaction } from '../database/index.js';
import { pause, type EventLog, type FollowOptions, type StoredEvent } from '../events/index.js';
import type { Logger } from '../telemetry/index.js';
import { isFinished, LeaseLost, runStream, type Lease, type NewRun, type RunContext, type RunFilter } from './run.js';
import type { RunHandler, RunKind, RunRow } from './run.js';
import { RUNS_TOPIC, RunStore, type Settlement } from './run-store.js';

/** Faults that pass without anyone doing something about the run. */
const PASSING: readonly ErrorCode[] = [
  'DATABASE_UNAVAILABLE',
  'VECTOR_STORE_UNAVAILABLE',
  'WORKER_CRASHED',
  'WORKER_UNAVAILABLE',
  'OVERLOADED',
];

/** For errors that are not known to pass. */
const SETTLE_TRIES = 5;

export interface RunQueueOptions {
  database: Database;
  events: EventLog;
  clock: Clock;
  log: Logger;
  /**
   * Name of this runner that no other live one has. One that keeps its name over restarts (a locked home) gets the runs
   * of a crashed predecessor back at once instead of after the lease.
   */
  owner: string;
  /** How long a run waits for a sign of life before another runner takes it; renewed every third of it. */
  leaseMs?: number;
  pollMs?: number;
  maxAttempts?: number;
  /** Delay before the second attempt after a passing fault; each further one waits four times as long, at most a minute. */
  retryMs?: number;
}

interface Held {
  run: RunRow;
  lease: Lease;
  abort: AbortController;
  done: Promise<void>;
}

/** Why a handler's signal aborted. */
type StopReason = 'cancel' | 'stop' | 'lost';

export class RunQueue {
  readonly #store: RunStore;
  readonly #handlers = new Map<string, { handler: RunHandler; concurrency: number }>();
  readonly #held = new Map<string, Held>();
  readonly #options: Required<RunQueueOptions>;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;
  #heartbeat: Promise<void> | undefined;

  constructor(options: RunQueueOptions) {
    this.#options = { leaseMs: 15_000, pollMs: 1_000, maxAttempts: 5, retryMs: 1_000, ...options };
    this.#store = new RunStore(options.database, options.events);
  }

  /**
   * Asks for work; with `tx` it exists only if the transaction commits.
   * @returns the new run, or the earlier one of the same key and input
   * @throws IDEMPOTENCY_CONFLICT when the key stands for other input
   */
  enqueue(run: NewRun, tx?: Transaction): Promise<RunRow> {
    return this.#store.enqueue(run, tx);
  }

  get(workspaceId: WorkspaceId, runId: string): Promise<RunRow | null> {
    return this.#store.get(workspaceId, runId);
  }

  /** How many runs of the workspace are queued or running, by kind. */
  unfinished(workspaceId: WorkspaceId): Promise<{ kind: string; status: string; count: number }[]> {
    return this.#store.unfinished(workspaceId);
  }

  /** The run that an idempotency key stands for, for callers whose input can't be made again once the run has worked. */
  byKey(workspaceId: WorkspaceId, kind: RunKind, idempotencyKey: string): Promise<RunRow | null> {
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
    const { events } = this.#options;
    const stream = runStream(run.id);
    if (isFinished(run.status) && (options.after ?? 0n) >= (await events.last(workspaceId, stream))) return;
    for await (const event of events.follow(workspaceId, stream, options)) {
      yield event;
      if (event.type === 'finished') return;
    }
  }

  /**
   * A queued run ends at once, a running one as soon as its handler lets go; cancelling twice is no error.
   * @throws NOT_FOUND, CONFLICT when it has already succeeded or failed
   */
  cancel(workspaceId: WorkspaceId, runId: string): Promise<RunRow> {
    return this.#store.cancel(workspaceId, runId);
  }

  /** Says who does the runs of a kind, and how many at a time in this process. Call it before `start`. */
  handle(kind: RunKind, handler: RunHandler, { concurrency = 1 } = {}): void {
    this.#handlers.set(kind, { handler, concurrency });
  }

  start(): void {
    this.#loop ??= this.#takeRuns();
    this.#heartbeat ??= this.#keepLeases();
  }

  /** Aborts the running handlers, waits `graceMs` for them, and puts their runs back so that the next start resumes them. */
  async stop(graceMs = 5_000): Promise<void> {
    this.#stopping.abort();
    const held = [...this.#held.values()];
    for (const one of held) one.abort.abort('stop' satisfies StopReason);
    const letGo = new AbortController();
    const all = Promise.all(held.map((one) => one.done)).then(() => letGo.abort());
    await Promise.race([all, pause(graceMs, letGo.signal)]);
    await Promise.all([this.#loop, this.#heartbeat]);
    // A handler that did not let go is fenced off from here on.
    for (const one of this.#held.values()) await this.#settle(one, { status: 'QUEUED', because: 'stop' });
  }

  async #takeRuns(): Promise<void> {
    const bell = this.#options.events.wakeUps.bell(RUNS_TOPIC);
    const { owner, leaseMs, maxAttempts, pollMs } = this.#options;
    let reclaimed = false;
    let reachable = true;
    while (!this.#stopping.signal.aborted) {
      try {
        if (!reclaimed) await this.#store.reclaim(owner);
        reclaimed = true;
        await this.#renewAll();
        while (await this.#store.giveUpOne(maxAttempts, [...this.#held.keys()])) continue;
        for (let kinds = this.#freeKinds(); kinds.length > 0; kinds = this.#freeKinds()) {
          const run = await this.#store.take(kinds, owner, leaseMs, maxAttempts, [...this.#held.keys()]);
          if (!run) break;
          this.#begin(run, () => bell.ring());
        }
        reachable = true;
      } catch (error) {
        if (reachable) this.#options.log.warn({ err: error }, 'runs wait: the database does not answer');
        reachable = false;
      }
      await bell.wait(pollMs, this.#stopping.signal);
    }
    bell.release();
  }

  #freeKinds(): string[] {
    if (this.#stopping.signal.aborted) return [];
    const running = [...this.#held.values()].map((one) => one.run.kind);
    return [...this.#handlers]
      .filter(([kind, { concurrency }]) => running.filter((other) => other === kind).length < concurrency)
      .map(([kind]) => kind);
  }

  async #keepLeases(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await pause(this.#options.leaseMs / 3, this.#stopping.signal);
      await this.#renewAll().catch(() => undefined); // The database is away; the fencing token guards the runs until it is back.
    }
  }

  async #renewAll(): Promise<void> {
    await Promise.all(
      [...this.#held.values()].map(async (one) => {
        const state = await this.#store.renew(one.lease, this.#options.leaseMs);
        if (state !== 'held' && this.#held.get(one.run.id) === one) one.abort.abort(state satisfies StopReason);
      }),
    );
  }

  #begin(run: RunRow, freed: () => void): void {
    const lease = { runId: run.id, token: run.fencingToken };
    const held: Held = { run, lease, abort: new AbortController(), done: Promise.resolve() };
    this.#held.set(run.id, held);
    held.done = this.#work(held).finally(() => {
      this.#held.delete(run.id);
      freed();
    });
  }

  async #work(held: Held): Promise<void> {
    const { run } = held;
    const log = this.#options.log.child({ runId: run.id, kind: run.kind, attempt: run.attempt });
    const started = this.#options.clock.monotonic();
    let end: Settlement | null;
    try {
      const output = await this.#handlers.get(run.kind)!.handler(this.#context(held));
      end = { status: 'SUCCEEDED', output: output ?? null };
    } catch (error) {
      end = this.#judge(held, error);
      if (end?.status === 'FAILED' || end?.status === 'QUEUED') log.warn({ err: error }, 'the run was interrupted');
    }
    if (end) await this.#settle(held, end);
    const ms = Math.round(this.#options.clock.monotonic() - started);
    log.info({ status: end?.status ?? 'LOST', ms }, 'the run ended here');
  }

  /** What follows from a handler's error; null when the run is no longer ours to settle. */
  #judge({ run, abort }: Held, error: unknown): Settlement | null {
    const reason = abort.signal.reason as StopReason | undefined;
    if (reason === 'lost' || error instanceof LeaseLost) return null;
    if (reason === 'cancel') return { status: 'CANCELLED' };
    if (reason === 'stop') return { status: 'QUEUED', because: 'stop' };
    const known = mapDatabaseError(error);
    if (!(known instanceof GraftError))
      return {
        status: 'FAILED',
        errorCode: 'INTERNAL_ERROR',
        errorMessage: `Something unexpected happened; the log tells more under runId ${run.id}.`,
      };
    if (PASSING.includes(known.code) && run.attempt < this.#options.maxAttempts) {
      const delayMs = Math.min(this.#options.retryMs * 4 ** (run.attempt - 1), 60_000);
      const message = `${known.message} Trying again in ${Math.ceil(delayMs / 1000)} s.`;
      return { status: 'QUEUED', because: 'retry', delayMs, message };
    }
    return { status: 'FAILED', errorCode: known.code, errorMessage: known.message };
  }

  /** Writes the end down, however long the database is away; a gateway that stops meanwhile leaves it to the lease. */
  async #settle(held: Held, end: Settlement): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#store.settle(held.lease, end);
      } catch (error) {
        const away = isGraftError(mapDatabaseError(error), 'DATABASE_UNAVAILABLE');
        if (this.#stopping.signal.aborted || (!away && tries === SETTLE_TRIES))
          return this.#options.log.error({ err: error, runId: held.run.id }, 'the end of the run was not written');
        await pause(this.#options.pollMs, this.#stopping.signal);
      }
    }
  }

  #context({ run, lease, abort }: Held): RunContext {
    const workspaceId = run.workspaceId as WorkspaceId;
    const guarded = async <T>(write: () => Promise<T>): Promise<T> => {
      try {
        return await write();
      } catch (error) {
        if (error instanceof LeaseLost) abort.abort('lost' satisfies StopReason);
        throw error;
      }
    };
    return {
      run,
      input: run.input,
      signal: abort.signal,
      fenced: (work) => guarded(() => this.#store.fenced(lease, work)),
      progress: (fraction, message, detail) =>
        guarded(() => this.#store.progress(lease, workspaceId, fraction, message, detail)),
      emit: (type, payload) =>
        guarded(() =>
          this.#store.fenced(lease, async (tx) => {
            await this.#options.events.append(workspaceId, runStream(run.id), type, payload, tx);
          }),
        ),
    };
  }
}
