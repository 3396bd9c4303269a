import { duration } from '../src/kernel/duration.js';
import { GraftError } from '../src/kernel/errors.js';
import {
  chooseVersion,
  idOf,
  operationOf,
  parseGatewayMessage,
  parseInput,
  PROTOCOL_VERSION,
  type ChunkOf,
  type GatewayMessage,
  type GatewayMessageOf,
  type InputOf,
  type Load,
  type OperationDefinition,
  type Operations,
  type OutputOf,
  type Priority,
  type WorkerHello,
  type WorkerMessage,
  type WorkerRole,
} from '../src/worker-protocol/index.js';
import { CallTrace } from './call-trace.js';
import { ChunkStream } from './chunk-stream.js';
import { Deadline } from './deadline.js';
import { Hold } from './hold.js';
import { errorFields, log } from './log.js';

const HEARTBEAT_MS = 1_000;

/** What a handler knows about the request it answers, and how it speaks before the result. */
export interface Call<C = never> {
  workspace: string;
  priority: Priority;
  /** Aborted by cancel (CANCELLED) and by the deadline (DEADLINE_EXCEEDED); its reason is the error to throw. */
  signal: AbortSignal;
  /** Aborted when the gateway wants the work to stop where it can go on later: keep what is needed and return. */
  pausing: AbortSignal;
  /** For operations that stream. */
  chunks: ChunkStream<C>;
  /** How far the work is, 0..1. */
  progress(fraction: number, message: string): void;
  /** The work got further: where the operation streams, its deadline counts from now. Chunks and `progress` say so, too. */
  moved(): void;
  /** Milliseconds until the deadline; Infinity without one. */
  timeLeft(): number;
  /** Long work awaits it before each batch: resolves at once, or when the gateway lets held work go on. @throws the signal's reason */
  turn(): Promise<void>;
  /** Where the gateway wants to know what takes the time. */
  trace?: CallTrace;
}

type Handler<D extends OperationDefinition> = (input: InputOf<D>, call: Call<ChunkOf<D>>) => Promise<OutputOf<D>>;
export type Handlers<Ops extends Operations> = { [O in keyof Ops]: Handler<Ops[O]> };

/** What a worker says about itself beyond what its role says. */
export type Traits = Omit<WorkerHello, 'version' | 'role' | 'operations'>;

interface Running {
  abort: AbortController;
  pause: AbortController;
  chunks: ChunkStream<unknown>;
}

/** The worker's end of PROTOCOL.md over the channel to the process that forked it. */
export class Server<Ops extends Operations> {
  private greeted = false;
  private readonly calls = new Map<string, Running>();
  private readonly held = new Hold();
  private lastBeat = performance.now();

  constructor(
    private readonly role: WorkerRole<Ops>,
    private readonly handlers: Handlers<Ops>,
    private readonly traits: Traits,
    private readonly load: () => Omit<Load, 'rssBytes' | 'eventLoopLagMs' | 'uptimeSeconds'>,
  ) {}

  /** Answers messages until the channel closes, then ends the process. */
  listen(): void {
    process.on('message', (value) => this.receive(value));
    setInterval(() => this.beat(), HEARTBEAT_MS).unref();
  }

  private receive(value: unknown): void {
    let message: GatewayMessage;
    try {
      message = parseGatewayMessage(value);
      if (!this.greeted && message.kind !== 'hello')
        throw new GraftError('PROTOCOL_ERROR', 'The first message must be hello.', { field: 'kind' });
    } catch (error) {
      return this.fail(idOf(value) ?? 'unknown', error);
    }
    switch (message.kind) {
      case 'hello':
        return this.greet(message);
      case 'request':
        return void this.handle(message);
      case 'cancel':
        return this.calls.get(message.id)?.abort.abort(new GraftError('CANCELLED', 'The caller withdrew the request.'));
      case 'pause':
        return this.calls.get(message.id)?.pause.abort();
      case 'credit':
        return this.calls.get(message.id)?.chunks.grant(message.credits);
      case 'hold':
        return this.held.hold();
      case 'resume':
        return this.held.resume();
    }
  }

  private greet({ id, versions }: GatewayMessageOf<'hello'>): void {
    const version = chooseVersion(versions);
    if (version === null) {
      const error = new GraftError(
        'PROTOCOL_ERROR',
        `The worker speaks version ${PROTOCOL_VERSION}, not ${versions.join(', ')}.`,
        { field: 'versions' },
      );
      this.fail(id, error, () => process.exit(1));
      return;
    }
    this.greeted = true;
    const { name: role, operations } = this.role;
    const hello: WorkerHello = { version, role, operations: Object.keys(operations), ...this.traits };
    this.send({ v: PROTOCOL_VERSION, id, kind: 'hello', ...hello });
    this.beat();
  }

  private async handle(request: GatewayMessageOf<'request'>): Promise<void> {
    const { id, operation, priority, workspace } = request;
    if (this.calls.has(id))
      return this.fail(id, new GraftError('PROTOCOL_ERROR', 'The id is in use.', { field: 'id' }));
    const abort = new AbortController();
    const pause = new AbortController();
    const streams = this.role.operations[operation]?.chunk != null;
    const deadline = new Deadline(request.deadline, streams, () =>
      abort.abort(late(operation, streams, request.deadline)),
    );
    const chunks = new ChunkStream<unknown>(
      request.credits,
      (sequence, data) => {
        deadline.moved();
        this.send({ v: PROTOCOL_VERSION, id, kind: 'chunk', sequence, data });
      },
      abort.signal,
    );
    this.calls.set(id, { abort, pause, chunks });
    const began = performance.now();
    const trace = request.traceparent === undefined ? undefined : new CallTrace();
    try {
      const name = operationOf(this.role.operations, operation);
      const input = parseInput(name, this.role.operations[name]!, request.input);
      const handler = this.handlers[name] as (input: unknown, call: Call<unknown>) => Promise<unknown>;
      const output = await handler(input, {
        workspace,
        priority,
        signal: abort.signal,
        pausing: pause.signal,
        chunks,
        progress: (fraction, message) => {
          deadline.moved();
          this.send({ v: PROTOCOL_VERSION, id, kind: 'progress', fraction, message });
        },
        moved: () => deadline.moved(),
        timeLeft: () => deadline.left,
        turn: () => this.held.turn(abort.signal),
        trace,
      });
      this.send({ v: PROTOCOL_VERSION, id, kind: 'result', output, ...told(trace) });
      log('debug', `${operation} done`, { id, workspace, ms: performance.now() - began });
    } catch (error) {
      this.fail(id, abort.signal.aborted ? abort.signal.reason : error, undefined, trace);
    } finally {
      deadline.stop();
      this.calls.delete(id);
    }
  }

  private fail(id: string, error: unknown, onSent?: () => void, trace?: CallTrace): void {
    if (error instanceof GraftError) {
      const { code, message, field, hint } = error;
      return this.send({ v: PROTOCOL_VERSION, id, kind: 'error', code, message, field, hint, ...told(trace) }, onSent);
    }
    log('error', 'a request failed unexpectedly', { id, ...errorFields(error) });
    const message = 'The worker failed in an unexpected way; its log has the details.';
    this.send({ v: PROTOCOL_VERSION, id, kind: 'error', code: 'INTERNAL_ERROR', message, ...told(trace) }, onSent);
  }

  private beat(): void {
    if (!this.greeted) return;
    const now = performance.now();
    const load: Load = {
      ...this.load(),
      rssBytes: process.memoryUsage.rss(),
      eventLoopLagMs: Math.max(0, now - this.lastBeat - HEARTBEAT_MS),
      uptimeSeconds: process.uptime(),
    };
    this.lastBeat = now;
    this.send({ v: PROTOCOL_VERSION, id: 'heartbeat', kind: 'heartbeat', load });
  }

  private send(message: WorkerMessage, onSent?: () => void): void {
    // A closed channel ends the process by itself; a message that can't leave is no error here.
    if (process.connected) process.send?.(message, undefined, undefined, () => onSent?.());
  }
}

const told = (trace: CallTrace | undefined) =>
  trace && { trace: { ms: trace.age, spans: trace.spans, dropped: trace.dropped } };

const late = (operation: string, streams: boolean, ms = 0): GraftError =>
  new GraftError(
    'DEADLINE_EXCEEDED',
    streams ? `${operation} got no further for ${duration(ms)}.` : `${operation} took longer than ${duration(ms)}.`,
  );
