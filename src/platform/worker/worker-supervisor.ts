import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock, type Clock } from '../../kernel/clock.js';
import { GraftError, isGraftError } from '../../kernel/errors.js';
import type {
  ChunkOf,
  NameOf,
  Operations,
  OutputOf,
  RequestOf,
  WorkerHello,
  WorkerRole,
  WorkerTrace,
} from '../../worker-protocol/index.js';
import { CRASH_LIMITS, CrashPolicy, type CrashLimits } from './crash-policy.js';
import { callSpan, tellWorkerSpans } from './call-span.js';
import { EventQueue } from './event-queue.js';
import { forkWorker, workerProgram } from './spawn.js';
import type { LogLines } from './stderr.js';
import type {
  CallEvent,
  CallOptions,
  LongCallOptions,
  RoleClient,
  WorkerState,
  WorkerStatus,
} from './worker-client.js';
import { cancelled, PROCESS_TIMINGS, WorkerProcess, type ProcessTimings, type StartedCall } from './worker-process.js';

const DEFAULT_DEADLINE_MS = 120_000;
/** Chunks a stream may be ahead of its reader, and how many are read before the worker is told. */
const WINDOW = 64;
const GRANT = 16;

/** What is the same for workers of every role. */
export interface ProcessOptions {
  log: LogLines;
  clock?: Clock;
  /** Version of this gateway, for the worker's log. */
  build?: string;
  program?: string;
  limits?: Partial<CrashLimits>;
  timings?: Partial<ProcessTimings>;
  /** How long `stop` lets calls under way go on, in ms. */
  drainMs?: number;
  /** A worker with this is started by its first call, and ended after so many ms without one; otherwise it is kept running. */
  idleMs?: number;
}

export interface SupervisorOptions<Ops extends Operations> extends ProcessOptions {
  role: WorkerRole<Ops>;
  /** The argument of the worker's command line, asked for at each start. */
  settings: () => Promise<object>;
}

/**
 * Keeps one worker of a role running. stopped -> starting -> ready; a crash leads to restarting and back to ready; the third
 * within a minute leads to broken, where calls fail at once, until a trial start succeeds. A worker on demand is idle
 * instead until a call starts it, and again when it has had nothing to do for a while.
 */
export class WorkerSupervisor<Ops extends Operations> implements RoleClient<Ops> {
  private state: WorkerState = 'stopped';
  private process: WorkerProcess | null = null;
  private restarts = 0;
  private timer: NodeJS.Timeout | undefined;
  private held = false;
  private readonly waiters = new Set<() => void>();
  private readonly policy: CrashPolicy;
  private readonly clock: Clock;
  private readonly timings: ProcessTimings;

  constructor(private readonly options: SupervisorOptions<Ops>) {
    this.clock = options.clock ?? systemClock;
    this.policy = new CrashPolicy({ ...CRASH_LIMITS, ...options.limits });
    this.timings = { ...PROCESS_TIMINGS, ...options.timings };
  }

  get status(): WorkerStatus {
    const { state, restarts } = this;
    const live = state === 'ready' ? this.process : null;
    return { state, pid: live?.pid ?? null, hello: live?.hello ?? null, load: live?.load ?? null, restarts };
  }

  /** Starts the worker, or from now on lets a call start it. @throws SETUP_FAILED when this machine can't run it */
  async start(): Promise<void> {
    if (this.state !== 'stopped') return;
    if (this.options.idleMs !== undefined) return this.become('idle');
    this.become('starting');
    try {
      await this.launch();
    } catch (error) {
      this.become('stopped');
      if (isGraftError(error, 'WORKER_CRASHED'))
        throw new GraftError(
          'SETUP_FAILED',
          'The worker process can’t start on this machine; the log has its last words.',
        );
      throw error;
    }
  }

  /** Lets calls under way end, then ends the process. */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    this.become('stopped');
    const process = this.process;
    this.process = null;
    if (process === null) return;
    await Promise.race([process.idle(), sleep(this.options.drainMs ?? 5_000, undefined, { ref: false })]);
    await process.close(2_000);
  }

  /** Makes long work stand aside between two batches until `resume`, also in a process that starts meanwhile. */
  hold(): void {
    this.held = true;
    this.process?.hold(true);
  }

  resume(): void {
    this.held = false;
    this.process?.hold(false);
  }

  async hello({ deadlineMs = DEFAULT_DEADLINE_MS, signal }: CallOptions = {}): Promise<WorkerHello> {
    const { hello } = await this.ready(deadlineMs, signal);
    if (hello === null) throw unavailable('The worker is starting.');
    return hello;
  }

  async call<O extends NameOf<Ops>>(
    operation: O,
    workspaceId: string,
    request: RequestOf<Ops[O]>,
    options: CallOptions = {},
  ): Promise<OutputOf<Ops[O]>> {
    return (await this.begin(operation, workspaceId, request, options)).result;
  }

  async *stream<O extends NameOf<Ops>>(
    operation: O,
    workspaceId: string,
    request: RequestOf<Ops[O]>,
    options: LongCallOptions = {},
  ): AsyncGenerator<CallEvent<ChunkOf<Ops[O]>, OutputOf<Ops[O]>>, void, undefined> {
    const events = new EventQueue<CallEvent<ChunkOf<Ops[O]>, OutputOf<Ops[O]>>>();
    const cancellation = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, cancellation.signal]) : cancellation.signal;
    const call = await this.begin(
      operation,
      workspaceId,
      request,
      { ...options, signal },
      {
        credits: WINDOW,
        onChunk: (chunk) => events.push({ type: 'chunk', chunk }),
        onProgress: (fraction, message) => events.push({ type: 'progress', fraction, message }),
      },
    );
    call.result.then(
      (output) => {
        events.push({ type: 'done', output });
        events.end();
      },
      (error: Error) => events.end(error),
    );
    let read = 0;
    try {
      for await (const event of events) {
        yield event;
        if (event.type === 'chunk' && ++read % GRANT === 0) call.grant(GRANT);
      }
    } finally {
      // Nothing to cancel after `done`; otherwise the reader left before the end.
      cancellation.abort();
    }
  }

  /** Waits for a worker that is ready, within the deadline, then sends the request with what is left of it. */
  private async begin<O extends NameOf<Ops>>(
    operation: O,
    workspaceId: string,
    request: RequestOf<Ops[O]>,
    options: LongCallOptions,
    stream: {
      credits?: number;
      onChunk?: (chunk: ChunkOf<Ops[O]>) => void;
      onProgress?: (fraction: number, message: string) => void;
    } = {},
  ): Promise<StartedCall<OutputOf<Ops[O]>>> {
    const definition = this.options.role.operations[operation]!;
    const {
      signal,
      pause,
      priority = 'interactive',
      deadlineMs = definition.deadlineMs ?? DEFAULT_DEADLINE_MS,
    } = options;
    const began = this.clock.monotonic();
    const { name: role } = this.options.role;
    const span = callSpan(role, operation, options);
    try {
      const process = await this.ready(deadlineMs, signal);
      if (process.hello?.operations.includes(operation) !== true)
        throw unavailable(`The worker has no operation ${operation}.`);
      const timeLeft = deadlineMs === null ? null : Math.max(1, deadlineMs - (this.clock.monotonic() - began));
      const settings = { workspaceId, priority, signal, pause, deadlineMs: timeLeft, ...stream };
      if (span?.traceparent == null) return process.call(operation, definition, request, settings);
      const { traceparent } = span;
      const callInfo = { role, operation, sentAt: Date.now() };
      const onTrace = (trace: WorkerTrace): void => tellWorkerSpans(span, callInfo, trace);
      const call = process.call(operation, definition, request, { ...settings, traceparent, onTrace });
      call.result.then(
        () => span.end(),
        (error: unknown) => span.end(error),
      );
      return call;
    } catch (error) {
      span?.end(error);
      throw error;
    }
  }

  private async ready(deadlineMs: number | null, signal: AbortSignal | undefined): Promise<WorkerProcess> {
    const until = this.clock.monotonic() + (deadlineMs ?? DEFAULT_DEADLINE_MS);
    for (;;) {
      if (signal?.aborted) throw cancelled();
      if (this.state === 'ready' && this.process !== null) return this.process;
      if (this.state === 'broken') throw unavailable('The worker crashed repeatedly and is stopped for now.');
      if (this.state === 'stopped') throw unavailable('The worker is stopped.');
      if (this.state === 'idle') {
        this.become('starting');
        void this.attempt();
      }
      const timeLeft = until - this.clock.monotonic();
      if (timeLeft <= 0) throw unavailable('The worker did not become ready in time.');
      await this.nextChange(timeLeft, signal);
    }
  }

  private nextChange(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', finish);
        this.waiters.delete(finish);
        resolve();
      };
      const timer = setTimeout(finish, timeoutMs);
      signal?.addEventListener('abort', finish, { once: true });
      this.waiters.add(finish);
    });
  }

  private become(state: WorkerState): void {
    this.state = state;
    for (const wake of [...this.waiters]) wake();
  }

  private async launch(): Promise<void> {
    const startedAt = this.clock.monotonic();
    const { role, program = workerProgram(), log, build = 'graft' } = this.options;
    const argument = await this.options.settings();
    if (this.state === 'stopped') return;
    const process = new WorkerProcess(forkWorker(program, role.name, argument), log, this.timings);
    this.process = process;
    const first = this.state === 'starting' && this.options.idleMs === undefined;
    void process.exited.then((reason) => this.ended(process, reason, startedAt, first));
    const hello = await process.greet(role.name, build);
    if (this.process !== process) return process.close(2_000); // stopped meanwhile
    if (this.held) process.hold(true);
    this.become('ready');
    this.endWhenIdle(process);
    const { provider, device } = hello;
    log.info({ workerPid: process.pid, role: role.name, ...provider, device }, 'the worker is ready');
  }

  private ended(process: WorkerProcess, reason: string, startedAt: number, firstStart: boolean): void {
    if (this.process !== process) return; // stopped on purpose
    this.process = null;
    this.options.log.error({ workerPid: process.pid, how: reason, stderr: process.stderrTail() }, 'the worker died');
    if (firstStart && this.state === 'starting') return; // `start` throws
    const { state, delayMs } = this.policy.crashed(this.clock.monotonic(), startedAt);
    this.become(state);
    this.options.log.warn({ state, delayMs }, 'the worker will be started again');
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.restarts += 1;
      if (this.options.idleMs === undefined) void this.attempt();
      else this.become('idle');
    }, delayMs);
  }

  private async attempt(): Promise<void> {
    try {
      await this.launch();
    } catch (error) {
      // A worker that died before its hello was counted by `ended`; one that speaks no shared version is not tried again.
      if (!isGraftError(error, 'WORKER_CRASHED')) {
        clearTimeout(this.timer);
        this.become('broken');
      }
      this.options.log.error({ err: error }, 'the worker could not be started');
    }
  }

  /** Looks now and then whether a worker on demand has had nothing to do since the last look, and ends it then. */
  private endWhenIdle(process: WorkerProcess): void {
    const { idleMs } = this.options;
    if (idleMs === undefined) return;
    const { calls } = process;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.process !== process) return;
      if (process.busy || process.calls !== calls) return this.endWhenIdle(process);
      this.process = null;
      this.become('idle');
      void process.close(2_000);
    }, idleMs).unref();
  }
}

const unavailable = (message: string): GraftError => new GraftError('WORKER_UNAVAILABLE', message);
