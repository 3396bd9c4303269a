import type { Clock } from '../../kernel/clock.js';
import { isGraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { asSystem, inWorkspace, mapDatabaseError, type Database } from '../database/index.js';
import { pause, type EventLog } from '../events/index.js';
import type { Logger } from '../telemetry/index.js';
import { GRAFT, inSpan } from '../tracing/index.js';
import { fencedContext } from './fenced-context.js';
import { judge } from './judge.js';
import { LeaseStore, type Served } from './lease-store.js';
import type { RunContext } from './run-context.js';
import type { AnyRunKind } from './run-kind.js';
import { runSpan } from './run-span.js';
import { RUNS_TOPIC, type Judgement, type RunLease, type RunRow, type Settlement, type StopReason } from './run.js';

/** For errors that are not known to pass. */
const SETTLE_TRIES = 5;
/** Who was served before so many others counts as one who never was. */
const MOST_SERVED = 1_000;

export interface RunnerOptions {
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
  /** Delay before the second attempt after a passing fault; each further one waits four times as long, at most a minute. */
  retryMs?: number;
  /** How long a run may keep its slot while another waits for it; see `takeTurns`. */
  sliceMs?: number;
}

interface Handled {
  definition: AnyRunKind;
  work: (context: RunContext) => Promise<unknown>;
}

/** What goes around each attempt at a run: it may refuse it, and sees what it came to. */
export type AroundRun = <T>(run: RunRow, work: () => Promise<T>) => Promise<T>;

interface Held {
  run: RunRow;
  kind: Handled;
  lease: RunLease;
  abort: AbortController;
  /** When this attempt began, by the monotonic clock. */
  started: number;
  done: Promise<void>;
}

const occupySame = (kind: AnyRunKind, otherKind: AnyRunKind): boolean =>
  kind.occupies !== null && kind.occupies === otherKind.occupies;

/** Takes runs of the kinds that it handles, keeps their leases, and writes down how they end. */
export class Runner {
  readonly #store: LeaseStore;
  readonly #handled = new Map<string, Handled>();
  readonly #held = new Map<string, Held>();
  /** In the order in which they last had a slot. */
  readonly #served = new Map<string, Served>();
  readonly #options: Required<RunnerOptions>;
  readonly #stopping = new AbortController();
  #around: AroundRun = (_run, work) => work();
  #loop: Promise<void> | undefined;
  #heartbeat: Promise<void> | undefined;

  constructor(options: RunnerOptions) {
    this.#options = { leaseMs: 15_000, pollMs: 1_000, retryMs: 1_000, sliceMs: 5_000, ...options };
    this.#store = new LeaseStore(options.database, options.events);
  }

  handle(definition: AnyRunKind, work: (context: RunContext) => Promise<unknown>): void {
    this.#handled.set(definition.kind, { definition, work });
  }

  surround(wrapper: AroundRun): void {
    this.#around = wrapper;
  }

  handles(kind: string): boolean {
    return this.#handled.has(kind);
  }

  start(): void {
    // Runs are taken whosever they are.
    this.#loop ??= asSystem(() => this.#takeRuns());
    this.#heartbeat ??= asSystem(() => this.#keepLeases());
  }

  /** Aborts the running handlers, waits `graceMs` for them, and puts their runs back. */
  stop(graceMs: number): Promise<void> {
    return asSystem(() => this.#stop(graceMs));
  }

  async #stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    for (const job of this.#held.values()) job.abort.abort('stop' satisfies StopReason);
    // Who is held is known when the loop has ended: it may be just taking one more.
    const loops = Promise.all([this.#loop, this.#heartbeat]);
    const letGo = new AbortController();
    const end = loops
      .then(() => Promise.all([...this.#held.values()].map((job) => job.done)))
      .then(() => letGo.abort());
    await Promise.race([end, pause(graceMs, letGo.signal)]);
    await loops;
    // A handler that did not let go is fenced off from here on.
    for (const job of this.#held.values()) await this.#settle(job, { status: 'QUEUED', because: 'stop' });
  }

  async #takeRuns(): Promise<void> {
    const bell = this.#options.events.wakeUps.bell(RUNS_TOPIC);
    const { owner, leaseMs, pollMs } = this.#options;
    const definitions = [...this.#handled.values()].map(({ definition }) => definition);
    let reclaimed = false;
    let reachable = true;
    while (!this.#stopping.signal.aborted) {
      try {
        if (!reclaimed) await this.#store.reclaim(owner);
        reclaimed = true;
        await this.#renewAll();
        while (await this.#store.giveUpOne(definitions, owner, [...this.#held.keys()])) continue;
        for (let free = this.#free(); free.length > 0; free = this.#free()) {
          const servedKinds = [...this.#served.values()];
          const jobIds = [...this.#held.keys()];
          const run = await this.#store.take({ kinds: free, served: servedKinds, owner, leaseMs, held: jobIds });
          if (!run) break;
          this.#begin(run, () => bell.ring());
        }
        const blocked = this.#blocked();
        if (blocked.length > 0) await this.#store.tellWaiting(blocked, owner);
        await this.#letBriefBy();
        reachable = true;
      } catch (error) {
        if (reachable) this.#options.log.warn({ err: error }, 'runs wait: the database does not answer');
        reachable = false;
      }
      await bell.wait(pollMs, this.#stopping.signal);
    }
    bell.release();
  }

  /** The kinds of which one more may work now. */
  #free(): AnyRunKind[] {
    if (this.#stopping.signal.aborted) return [];
    const working = [...this.#held.values()].map(({ kind }) => kind.definition);
    return [...this.#handled.values()]
      .map(({ definition }) => definition)
      .filter(
        (candidate) =>
          working.filter((rival) => rival.kind === candidate.kind).length < candidate.concurrency &&
          !working.some((rival) => occupySame(candidate, rival)),
      );
  }

  /** The kinds of which none may work now, each with those whose runs may be the reason. */
  #blocked(): { kind: string; rival: string }[] {
    const free = new Set(this.#free());
    return [...this.#handled.values()]
      .map(({ definition }) => definition)
      .filter((candidate) => !free.has(candidate))
      .flatMap((candidate) => this.#rivals(candidate).map((rival) => ({ kind: candidate.kind, rival: rival.kind })));
  }

  /** The kinds whose runs may take the place of one of this kind. */
  #rivals(definition: AnyRunKind): AnyRunKind[] {
    return [...this.#handled.values()]
      .map((entry) => entry.definition)
      .filter((candidate) => candidate.kind === definition.kind || occupySame(candidate, definition));
  }

  async #keepLeases(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await pause(this.#options.leaseMs / 3, this.#stopping.signal);
      await this.#renewAll().catch(() => undefined); // The database is away; the fencing token guards the runs until it is back.
    }
  }

  async #renewAll(): Promise<void> {
    await Promise.all(
      [...this.#held.values()].map(async (job) => {
        const state = await this.#store.renew(job.lease, this.#options.leaseMs);
        if (state !== 'held' && this.#held.get(job.run.id) === job) job.abort.abort(state satisfies StopReason);
      }),
    );
  }

  #begin(run: RunRow, freed: () => void): void {
    const lease = { runId: run.id, workspaceId: run.workspaceId as WorkspaceId, token: run.fencingToken };
    const kind = this.#handled.get(run.kind)!;
    const started = this.#options.clock.monotonic();
    const job: Held = { run, kind, lease, abort: new AbortController(), started, done: Promise.resolve() };
    this.#held.set(run.id, job);
    this.#serve(job);
    // One that was being taken while the gateway stops goes back as it came.
    const stopping = this.#stopping.signal.aborted;
    const work = stopping ? this.#settle(job, { status: 'QUEUED', because: 'stop' }) : this.#work(job);
    job.done = work
      .then(() => undefined)
      .finally(() => {
        this.#held.delete(run.id);
        this.#serve(job);
        freed();
      });
  }

  #serve({ run: { kind }, lease: { workspaceId } }: Held): void {
    const key = `${kind} ${workspaceId}`;
    this.#served.delete(key);
    this.#served.set(key, { kind, workspaceId });
    const [oldest] = this.#served.keys();
    if (oldest !== undefined && this.#served.size > MOST_SERVED) this.#served.delete(oldest);
  }

  async #work(job: Held): Promise<void> {
    const { run, kind, lease, abort, started } = job;
    const { definition, work } = kind;
    const { clock, retryMs, owner } = this.#options;
    const log = this.#options.log.child({ runId: run.id, kind: run.kind, attempt: run.attempt });
    const span = runSpan(run);
    let judgement: Judgement | null;
    let failure: unknown;
    try {
      // Those that wait may be others'.
      const takeTurns = () => asSystem(() => this.#takeTurns(job));
      const context = fencedContext({ run, definition, lease, abort, store: this.#store, takeTurns, span });
      const output = await inSpan(span, () =>
        this.#around(run, () => inWorkspace(lease.workspaceId, () => work(context))),
      );
      judgement = {
        status: 'SUCCEEDED',
        output: definition.output.encode(output),
        failures: definition.failures(output),
      };
    } catch (error) {
      judgement = judge(error, {
        run,
        reason: abort.signal.reason as StopReason | undefined,
        attempts: definition.attempts,
        retryMs,
        owner,
      });
      failure = error;
      if (typeof judgement === 'function' || judgement?.status === 'FAILED')
        log.warn({ err: error }, 'the run was interrupted');
    }
    const end = judgement && (await this.#settle(job, judgement));
    span.set({ [GRAFT.RUN_STATUS]: end?.status ?? 'LOST' });
    span.end(end?.status === 'FAILED' ? failure : undefined);
    log.info({ status: end?.status ?? 'LOST', ms: Math.round(clock.monotonic() - started) }, 'the run ended here');
  }

  /** Has the run let go when its slice is over and a run that could have its slot waits. */
  async #takeTurns(job: Held): Promise<void> {
    const { kind, abort } = job;
    abort.signal.throwIfAborted();
    if (!this.#hadItsSlice(job)) return;
    const rivals = this.#rivals(kind.definition).map((rival) => rival.kind);
    if (!(await this.#store.someoneWaits(rivals, this.#options.owner))) return;
    abort.abort('turn' satisfies StopReason);
    abort.signal.throwIfAborted();
  }

  /** Has long runs that can go on where they stopped step aside while brief ones wait for what they occupy, each after a slice. */
  async #letBriefBy(): Promise<void> {
    for (const job of this.#held.values()) {
      const { definition } = job.kind;
      if (!definition.pausable || definition.brief || job.abort.signal.aborted || !this.#hadItsSlice(job)) continue;
      const brief = this.#rivals(definition).filter((rival) => rival.brief);
      if (brief.length === 0) continue;
      const kinds = brief.map(({ kind }) => kind);
      if (await this.#store.someoneWaits(kinds, this.#options.owner)) job.abort.abort('aside' satisfies StopReason);
    }
  }

  #hadItsSlice({ started }: Held): boolean {
    return this.#options.clock.monotonic() - started >= this.#options.sliceMs;
  }

  /** Writes the end down, however long the database is away or full; a gateway that stops meanwhile leaves it to the lease. */
  async #settle(job: Held, judgement: Judgement): Promise<Settlement | null> {
    const log = this.#options.log.child({ runId: job.run.id });
    for (let tries = 1; ; tries++) {
      try {
        return await this.#store.settle(job.lease, judgement);
      } catch (error) {
        const fault = mapDatabaseError(error);
        const passes = isGraftError(fault, 'DATABASE_UNAVAILABLE') || isGraftError(fault, 'STORAGE_FAILED');
        if (this.#stopping.signal.aborted || (!passes && tries === SETTLE_TRIES)) {
          log.error({ err: error }, 'the end of the run was not written');
          return null;
        }
        if (tries === 1) log.warn({ err: error }, 'the run’s end waits until the database can write it');
        await pause(this.#options.pollMs, this.#stopping.signal);
      }
    }
  }
}
