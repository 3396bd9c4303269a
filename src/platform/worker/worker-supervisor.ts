import { join } from 'node:path';
import { systemClock, type Clock } from '../../kernel/clock.js';
import { GraftError, isGraftError } from '../../kernel/errors.js';
import {
  parseGenerateChunk,
  provider as providerSchema,
  type Calibration,
  type EmbedderFiles,
  type GenerateEvent,
  type GenerateRequest,
  type InputOf,
  type ModelDescription,
  type ModelFile,
  type Operation,
  type OutputOf,
  type PromptSegment,
  type Provider,
  type WorkerSettings,
} from '../../worker-protocol/index.js';
import { CalibrationStore } from './calibration-store.js';
import { CRASH_LIMITS, CrashPolicy, type CrashLimits } from './crash-policy.js';
import { EventQueue } from './event-queue.js';
import { forkWorker, runOnce, workerProgram } from './spawn.js';
import type { LogLines } from './stderr.js';
import type { CallOptions, WorkerClient, WorkerState, WorkerStatus } from './worker-client.js';
import { cancelled, PROCESS_TIMINGS, WorkerProcess, type ProcessTimings, type StartedCall } from './worker-process.js';

const DEFAULT_DEADLINE_MS = 120_000;
const CALIBRATION_DEADLINE_MS = 180_000;
const INSPECTION_DEADLINE_MS = 600_000;
const PROBE_TIMEOUT_MS = 60_000;
/** Chunks a stream may be ahead of its reader, and how many are read before the worker is told. */
const WINDOW = 64;
const GRANT = 16;

export interface SupervisorOptions {
  /** GRAFT_HOME: calibration.json is kept there. */
  home: string;
  log: LogLines;
  clock?: Clock;
  /** Version of this gateway, for the worker's log. */
  build?: string;
  /** false: never use a GPU. */
  gpu?: boolean;
  worker?: WorkerSettings;
  program?: string;
  limits?: Partial<CrashLimits>;
  timings?: Partial<ProcessTimings>;
  /** How long `stop` lets calls under way go on, in ms. */
  drainMs?: number;
}

/**
 * Keeps one serve worker running. stopped -> starting -> ready; a crash leads to restarting and back to ready; the third
 * within a minute leads to broken, where calls fail at once, until a trial start succeeds.
 */
export class WorkerSupervisor implements WorkerClient {
  private state: WorkerState = 'stopped';
  private process: WorkerProcess | null = null;
  private provider: Provider | null = null;
  private restarts = 0;
  private restartTimer: NodeJS.Timeout | undefined;
  private readonly waiters = new Set<() => void>();
  private readonly policy: CrashPolicy;
  private readonly calibrations: CalibrationStore;
  private readonly threads = new Map<string, Calibration>();
  private readonly clock: Clock;
  private readonly timings: ProcessTimings;
  private readonly program: string;

  constructor(private readonly options: SupervisorOptions) {
    this.clock = options.clock ?? systemClock;
    this.policy = new CrashPolicy({ ...CRASH_LIMITS, ...options.limits });
    this.timings = { ...PROCESS_TIMINGS, ...options.timings };
    this.calibrations = new CalibrationStore(join(options.home, 'calibration.json'));
    this.program = options.program ?? workerProgram();
  }

  get status(): WorkerStatus {
    const { state, restarts } = this;
    const live = state === 'ready' ? this.process : null;
    return { state, pid: live?.pid ?? null, hello: live?.hello ?? null, load: live?.load ?? null, restarts };
  }

  /** Probes the engines in a throw-away process, then starts the worker. @throws SETUP_FAILED when this machine can't run it */
  async start(): Promise<void> {
    if (this.state !== 'stopped') return;
    this.become('starting');
    try {
      this.provider ??= await this.probe();
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

  async stop(): Promise<void> {
    clearTimeout(this.restartTimer);
    this.become('stopped');
    const process = this.process;
    this.process = null;
    if (process === null) return;
    await Promise.race([
      process.idle(),
      new Promise((resolve) => setTimeout(resolve, this.options.drainMs ?? 5_000).unref()),
    ]);
    await process.close(2_000);
  }

  async embed(
    request: { workspaceId: string; embedder: EmbedderFiles; texts: string[] },
    options: CallOptions = {},
  ): Promise<{ vectors: Float32Array[]; truncated: number }> {
    const { embedder, texts } = request;
    const { vectors, truncated } = await this.call('embed', request.workspaceId, { embedder, texts }, options);
    const size = embedder.dimensions;
    if (vectors.length !== texts.length * size)
      throw new GraftError('PROTOCOL_ERROR', 'Vectors of the wrong size came back.');
    const rows = texts.map((_, row) => new Float32Array(vectors.buffer, vectors.byteOffset + row * size * 4, size));
    return { vectors: rows, truncated };
  }

  async *generate(request: GenerateRequest, options: CallOptions = {}): AsyncGenerator<GenerateEvent, void, undefined> {
    const { workspaceId, model, ...rest } = request;
    const events = new EventQueue<GenerateEvent>();
    const left = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal;
    const threads = this.threads.get(model.sha256)?.threads;
    const call = await this.begin(
      'generate',
      workspaceId,
      { ...rest, model: { ...model, threads } },
      { ...options, signal },
      {
        credits: WINDOW,
        onChunk: (data) => events.push(parseGenerateChunk(data)),
      },
    );
    call.result.then(
      (output) => {
        events.push({ type: 'done', ...output });
        events.end();
      },
      (error: Error) => events.end(error),
    );
    let read = 0;
    try {
      for await (const event of events) {
        yield event;
        if (++read % GRANT === 0) call.grant(GRANT);
      }
    } finally {
      // Nothing to cancel after `done`; otherwise the reader left before the end.
      left.abort();
    }
  }

  async countTokens(
    request: { workspaceId: string; model: ModelFile; texts: (string | PromptSegment[])[] },
    options: CallOptions = {},
  ): Promise<number[]> {
    const { workspaceId, model, texts } = request;
    return (await this.call('countTokens', workspaceId, { model, texts }, options)).counts;
  }

  inspectModel(request: { workspaceId: string; path: string }, options: CallOptions = {}): Promise<ModelDescription> {
    const withTime = { deadlineMs: INSPECTION_DEADLINE_MS, ...options };
    return this.call('inspectModel', request.workspaceId, { path: request.path }, withTime);
  }

  async prepareModel(
    request: { workspaceId: string; model: ModelFile },
    options: CallOptions = {},
  ): Promise<Calibration> {
    const { workspaceId, model } = request;
    const withTime = { deadlineMs: CALIBRATION_DEADLINE_MS, ...options };
    const { hello } = await this.ready(withTime.deadlineMs, options.signal);
    if (hello === null) throw unavailable('The worker is starting.');
    const key = CalibrationStore.key(hello, model.sha256);
    const known = await this.calibrations.get(key);
    const measured = known ?? (await this.call('calibrate', workspaceId, { model }, withTime));
    this.threads.set(model.sha256, measured);
    if (known === null) {
      if (measured.quiet) await this.calibrations.set(key, measured);
      this.options.log.info({ sha256: model.sha256, ...measured }, 'thread counts measured');
    } else await this.countTokens({ workspaceId, model, texts: [] }, withTime); // loads it
    return measured;
  }

  private async call<O extends Operation>(
    operation: O,
    workspaceId: string,
    input: InputOf<O>,
    options: CallOptions,
  ): Promise<OutputOf<O>> {
    return (await this.begin(operation, workspaceId, input, options)).result;
  }

  /** Waits for a worker that is ready, within the deadline, then sends the request with what is left of it. */
  private async begin<O extends Operation>(
    operation: O,
    workspaceId: string,
    input: InputOf<O>,
    options: CallOptions,
    stream: { credits?: number; onChunk?: (data: unknown) => void } = {},
  ): Promise<StartedCall<OutputOf<O>>> {
    const { signal, priority = 'interactive', traceparent, deadlineMs = DEFAULT_DEADLINE_MS } = options;
    const began = this.clock.monotonic();
    const process = await this.ready(deadlineMs, signal);
    const left = Math.max(1, deadlineMs - (this.clock.monotonic() - began));
    return process.call(operation, input, { workspaceId, priority, traceparent, signal, deadlineMs: left, ...stream });
  }

  private async ready(deadlineMs: number, signal: AbortSignal | undefined): Promise<WorkerProcess> {
    const until = this.clock.monotonic() + deadlineMs;
    for (;;) {
      if (signal?.aborted) throw cancelled();
      if (this.state === 'ready' && this.process !== null) return this.process;
      if (this.state === 'broken') throw unavailable('The worker crashed repeatedly and is stopped for now.');
      if (this.state === 'stopped') throw unavailable('The worker is stopped.');
      const left = until - this.clock.monotonic();
      if (left <= 0) throw unavailable('The worker did not become ready in time.');
      await this.nextChange(left, signal);
    }
  }

  private nextChange(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        this.waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      signal?.addEventListener('abort', done, { once: true });
      this.waiters.add(done);
    });
  }

  private become(state: WorkerState): void {
    this.state = state;
    for (const wake of [...this.waiters]) wake();
  }

  /** A GPU that takes the probe down with it is done without. */
  private async probe(): Promise<Provider> {
    const attempt = async (gpu: boolean): Promise<Provider> =>
      providerSchema.parse(
        await runOnce(this.program, 'probe', { gpu }, { log: this.options.log, timeoutMs: PROBE_TIMEOUT_MS }),
      );
    if (this.options.gpu !== false) {
      try {
        return await attempt(true);
      } catch (error) {
        this.options.log.warn({ err: error }, 'the GPU can’t be used; trying without');
      }
    }
    return attempt(false);
  }

  private async launch(): Promise<void> {
    const startedAt = this.clock.monotonic();
    const child = forkWorker(this.program, 'serve', { ...this.options.worker, provider: this.provider });
    const process = new WorkerProcess(child, this.options.log, this.timings);
    this.process = process;
    const first = this.state === 'starting';
    void process.exited.then((how) => this.ended(process, how, startedAt, first));
    const hello = await process.greet(this.options.build ?? 'graft');
    if (this.process !== process) return process.close(2_000); // stopped meanwhile
    this.become('ready');
    this.options.log.info({ workerPid: process.pid, ...hello.provider, device: hello.device }, 'the worker is ready');
  }

  private ended(process: WorkerProcess, how: string, startedAt: number, firstStart: boolean): void {
    if (this.process !== process) return; // stopped on purpose
    this.process = null;
    this.options.log.error({ workerPid: process.pid, how, stderr: process.stderrTail() }, 'the worker died');
    if (firstStart && this.state === 'starting') return; // `start` throws
    const { state, delayMs } = this.policy.crashed(this.clock.monotonic(), startedAt);
    this.become(state);
    this.options.log.warn({ state, delayMs }, 'the worker will be started again');
    this.restartTimer = setTimeout(() => void this.restart(), delayMs);
  }

  private async restart(): Promise<void> {
    this.restarts += 1;
    try {
      await this.launch();
    } catch (error) {
      // A worker that died before its hello was counted by `ended`; one that speaks no shared version is not tried again.
      if (isGraftError(error, 'PROTOCOL_ERROR')) {
        clearTimeout(this.restartTimer);
        this.become('broken');
      }
      this.options.log.error({ err: error }, 'the worker could not be started');
    }
  }
}

const unavailable = (message: string): GraftError => new GraftError('WORKER_UNAVAILABLE', message);
