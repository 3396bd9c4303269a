import type { ChildProcess } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { duration } from '../../kernel/duration.js';
import { GraftError } from '../../kernel/errors.js';
import { wantsProcessor, whenGone, workedMs } from '../../task-process/index.js';
import {
  parseChunk,
  parseOutput,
  parseWorkerMessage,
  PROTOCOL_VERSION,
  SUPPORTED_VERSIONS,
  type ChunkOf,
  type GatewayMessage,
  type Load,
  type OperationDefinition,
  type OutputOf,
  type Priority,
  type RequestOf,
  type WorkerHello,
  type WorkerMessage,
  type WorkerTrace,
} from '../../worker-protocol/index.js';
import { followStderr, type LogLines } from './stderr.js';

interface CallSettings<C> {
  workspaceId: string;
  priority: Priority;
  /** null: as long as it takes. */
  deadlineMs: number | null;
  signal?: AbortSignal;
  pause?: AbortSignal;
  credits?: number;
  onChunk?: (chunk: C) => void;
  onProgress?: (fraction: number, message: string) => void;
  /** Traces the call; `onTrace` hears what the worker says of it, right before the call ends. */
  traceparent?: string;
  onTrace?: (trace: WorkerTrace) => void;
}

export interface ProcessTimings {
  /** From the fork to the answer to hello. */
  helloMs: number;
  /** A worker silent for this long is killed, unless others have its processor: then once it has worked for as long without a word. */
  silenceMs: number;
  /** How long after its deadline a call is given up on by the gateway itself. */
  graceMs: number;
}

export const PROCESS_TIMINGS: ProcessTimings = { helloMs: 60_000, silenceMs: 10_000, graceMs: 5_000 };

/** So many looks, evenly spread over `silenceMs`, find a silent worker dead. */
const LOOKS = 10;

interface Pending {
  nextChunk: number;
  /** @throws PROTOCOL_ERROR for a chunk that is none */
  onChunk: (data: unknown) => void;
  onProgress?: (fraction: number, message: string) => void;
  onTrace?: (trace: WorkerTrace) => void;
  resolve: (output: unknown) => void;
  reject: (error: Error) => void;
}

const crashed = (): GraftError =>
  new GraftError('WORKER_CRASHED', 'The worker process died while it did this work.', {
    hint: 'It restarts by itself: send the request again.',
  });

/** One worker process from fork to exit: the gateway's end of PROTOCOL.md. */
export class WorkerProcess {
  hello: WorkerHello | null = null;
  load: Load | null = null;
  /** Resolves when the process has ended, with words for the log. */
  readonly exited: Promise<string>;

  private readonly pending = new Map<string, Pending>();
  private readonly stderr: { tail(): string };
  private silentLooks = 0;
  /** Its processor time when it was first found silent. */
  private workedBefore: number | null = null;
  private nextId = 0;
  private dead = false;
  private closing = false;
  private greeting: { resolve: () => void; reject: (error: Error) => void } | undefined;

  constructor(
    private readonly child: ChildProcess,
    private readonly log: LogLines,
    private readonly timings: ProcessTimings = PROCESS_TIMINGS,
  ) {
    this.stderr = followStderr(child, log);
    child.on('message', (value) => this.receive(value));
    child.on('error', (error) => this.log.error({ err: error }, 'the channel to the worker failed'));
    this.exited = new Promise((resolve) => {
      void whenGone(child).then(({ how }) => {
        this.die();
        resolve(how);
      });
    });
    const watch = setInterval(() => this.checkHeartbeat(), Math.max(50, timings.silenceMs / LOOKS));
    watch.unref();
    void this.exited.then(() => clearInterval(watch));
  }

  get pid(): number | null {
    return this.child.pid ?? null;
  }

  get busy(): boolean {
    return this.pending.size > 0;
  }

  /** Calls since the start, those that ended included. */
  get calls(): number {
    return this.nextId;
  }

  stderrTail(): string {
    return this.stderr.tail();
  }

  /** Exchanges hello. @throws PROTOCOL_ERROR when no version is shared or the role is another, WORKER_CRASHED when the process dies first */
  async greet(role: string, build: string): Promise<WorkerHello> {
    const timer = setTimeout(() => this.kill(), this.timings.helloMs);
    try {
      await new Promise<void>((resolve, reject) => {
        this.greeting = { resolve, reject };
        this.send({ v: PROTOCOL_VERSION, id: 'hello', kind: 'hello', versions: [...SUPPORTED_VERSIONS], build });
      });
    } finally {
      clearTimeout(timer);
      this.greeting = undefined;
    }
    if (this.hello === null) throw crashed();
    if (this.hello.role !== role) {
      this.kill();
      throw new GraftError('PROTOCOL_ERROR', `The worker is a ${this.hello.role} worker, not a ${role} worker.`);
    }
    return this.hello;
  }

  /** Makes long work stand aside between two batches, or lets it go on. */
  hold(isHeld: boolean): void {
    const kind = isHeld ? 'hold' : 'resume';
    this.send({ v: PROTOCOL_VERSION, id: kind, kind });
  }

  /** Sends a request; resolves with its checked output. Aborting the signal sends cancel, and the call ends when the worker says so. */
  call<D extends OperationDefinition>(
    operation: string,
    definition: D,
    request: RequestOf<D>,
    settings: CallSettings<ChunkOf<D>>,
  ): StartedCall<OutputOf<D>> {
    const id = `c${this.nextId++}`;
    const result = this.run(id, operation, definition, request, settings);
    return { result, grant: (credits) => this.send({ v: PROTOCOL_VERSION, id, kind: 'credit', credits }) };
  }

  private async run<D extends OperationDefinition>(
    id: string,
    operation: string,
    definition: D,
    input: RequestOf<D>,
    settings: CallSettings<ChunkOf<D>>,
  ): Promise<OutputOf<D>> {
    const { workspaceId: workspace, priority, signal, pause, deadlineMs, onProgress, credits = 0 } = settings;
    const { traceparent, onTrace } = settings;
    if (signal?.aborted) throw cancelled();
    if (this.dead) throw crashed();
    const cancel = (): void => this.send({ v: PROTOCOL_VERSION, id, kind: 'cancel' });
    const askToPause = (): void => this.send({ v: PROTOCOL_VERSION, id, kind: 'pause' });
    let timer: NodeJS.Timeout | undefined;
    try {
      const output = await new Promise<unknown>((resolve, reject) => {
        // What streams has its whole time again whenever it gets further.
        const restartTimer = (): void => void (definition.chunk !== null && timer?.refresh());
        const onChunk = (data: unknown): void => {
          restartTimer();
          settings.onChunk?.(parseChunk(operation, definition, data));
        };
        const progressed = (fraction: number, message: string): void => {
          restartTimer();
          onProgress?.(fraction, message);
        };
        this.pending.set(id, { nextChunk: 0, onChunk, onProgress: progressed, onTrace, resolve, reject });
        // The worker watches the deadline; this is for a worker that doesn't.
        if (deadlineMs !== null)
          timer = setTimeout(() => {
            cancel();
            reject(new GraftError('DEADLINE_EXCEEDED', `The worker did not answer within ${duration(deadlineMs)}.`));
          }, deadlineMs + this.timings.graceMs);
        // One run may ask for many things at once, and takes each of these away again.
        if (signal) setMaxListeners(0, signal);
        signal?.addEventListener('abort', cancel, { once: true });
        const deadline = deadlineMs ?? undefined;
        this.send({
          v: PROTOCOL_VERSION,
          id,
          kind: 'request',
          workspace,
          deadline,
          priority,
          operation,
          input,
          credits,
          ...(traceparent !== undefined && { traceparent }),
        });
        if (pause?.aborted) askToPause();
        else pause?.addEventListener('abort', askToPause, { once: true });
      });
      return parseOutput(operation, definition, output);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
      pause?.removeEventListener('abort', askToPause);
      this.pending.delete(id);
    }
  }

  /** Closes the channel, upon which the worker exits; kills it if it doesn't within `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    this.closing = true;
    if (this.child.connected) this.child.disconnect();
    const timer = setTimeout(() => this.kill(), timeoutMs);
    await this.exited;
    clearTimeout(timer);
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** Resolves when no call is under way. */
  async idle(): Promise<void> {
    while (this.pending.size > 0) await sleep(10);
  }

  // whole: one case a kind of message.
  private receive(value: unknown): void {
    this.silentLooks = 0;
    let message: WorkerMessage;
    try {
      message = parseWorkerMessage(value);
    } catch (error) {
      this.log.error({ err: error }, 'the worker broke the protocol and is killed');
      return this.kill();
    }
    const call = this.pending.get(message.id);
    switch (message.kind) {
      case 'heartbeat':
        this.load = message.load;
        return;
      case 'hello': {
        const { version, role, build, device, provider, operations, limits } = message;
        this.hello = { version, role, build, device, provider, operations, limits };
        return this.greeting?.resolve();
      }
      case 'chunk':
        // A call that was given up on meanwhile is gone.
        if (call !== undefined) this.receiveChunk(call, message);
        return;
      case 'progress':
        return call?.onProgress?.(message.fraction, message.message);
      case 'result':
        if (message.trace) call?.onTrace?.(message.trace);
        return call?.resolve(message.output);
      case 'error': {
        const error = new GraftError(message.code, message.message, { field: message.field, hint: message.hint });
        if (message.id === 'hello') return this.greeting?.reject(error);
        if (message.trace) call?.onTrace?.(message.trace);
        return call?.reject(error);
      }
    }
  }

  private receiveChunk(call: Pending, { sequence, data }: { sequence: number; data: unknown }): void {
    if (sequence !== call.nextChunk++) {
      this.log.error({ expected: call.nextChunk - 1, got: sequence }, 'a chunk is missing; the worker is killed');
      return this.kill();
    }
    try {
      call.onChunk(data);
    } catch (error) {
      this.log.error({ err: error }, 'the worker broke the protocol and is killed');
      this.kill();
    }
  }

  /**
   * Silence is counted in looks, not on the clock: when the gateway itself, or the whole machine, was stopped for a while, the clock has
   * gone on, and what the worker said meanwhile is still to be read.
   */
  private checkHeartbeat(): void {
    if (this.hello === null || this.dead || this.pid === null) return;
    if (++this.silentLooks === 1) this.workedBefore = workedMs(this.pid);
    if (this.silentLooks <= LOOKS || this.starves(this.pid)) return;
    this.log.error(
      { workerPid: this.pid, silenceMs: this.timings.silenceMs },
      'the worker gives no sign of life and is killed',
    );
    this.kill();
  }

  /** Training has the lowest priority: beside busy neighbours it may get a second of processor time in minutes, and is healthy. */
  private starves(pid: number): boolean {
    const worked = workedMs(pid);
    if (worked === null || this.workedBefore === null) return false;
    return worked - this.workedBefore < this.timings.silenceMs && wantsProcessor(pid);
  }

  private die(): void {
    this.dead = true;
    this.greeting?.reject(crashed());
    const fault = this.closing
      ? new GraftError('SHUTTING_DOWN', 'The worker was stopped before this work ended.')
      : crashed();
    for (const call of this.pending.values()) call.reject(fault);
  }

  private send(message: GatewayMessage): void {
    if (this.child.connected) this.child.send(message, () => undefined);
  }
}

export interface StartedCall<T> {
  result: Promise<T>;
  /** Allows more chunks. */
  grant(credits: number): void;
}

export const cancelled = (): GraftError => new GraftError('CANCELLED', 'The caller withdrew the request.');
