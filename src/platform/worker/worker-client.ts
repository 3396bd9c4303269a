import type {
  ThreadCalibration,
  ChunkOf,
  GenerateEvent,
  GenerateRequest,
  Load,
  NameOf,
  Operations,
  OutputOf,
  RequestOf,
  ServeOperations,
  ServeRequest,
  WorkerHello,
} from '../../worker-protocol/index.js';

export interface CallOptions {
  /** Aborting it cancels the work in the worker within one batch. */
  signal?: AbortSignal;
  /** Milliseconds, waiting for a worker that restarts included; default two minutes. null: as long as it takes. */
  deadlineMs?: number | null;
  /** Default `interactive`, which starts before `bulk`. */
  priority?: 'interactive' | 'bulk';
}

/** For work that takes minutes or hours. */
export interface LongCallOptions extends CallOptions {
  /** Aborting it asks the work to keep what it needs to go on later and to end with its result. */
  pause?: AbortSignal;
}

/** What a call says before and when it ends. */
export type CallEvent<C, O> =
  { type: 'chunk'; chunk: C } | { type: 'progress'; fraction: number; message: string } | { type: 'done'; output: O };

/** `idle` is a worker that starts when it is first asked for something. */
export const WorkerState = {
  IDLE: 'idle',
  STARTING: 'starting',
  READY: 'ready',
  RESTARTING: 'restarting',
  BROKEN: 'broken',
  STOPPED: 'stopped',
} as const;
export type WorkerState = (typeof WorkerState)[keyof typeof WorkerState];

export interface WorkerStatus {
  state: WorkerState;
  pid: number | null;
  /** What the running worker is and which operations it has; null until it is ready. */
  hello: WorkerHello | null;
  /** From the last heartbeat. */
  load: Load | null;
  /** Since this gateway started. */
  restarts: number;
}

/**
 * A worker of one role, seen from the gateway. Every call throws WORKER_CRASHED when the process dies under it, WORKER_UNAVAILABLE
 * when none can be had, OVERLOADED when its queue is full, DEADLINE_EXCEEDED and CANCELLED.
 */
export interface RoleClient<Ops extends Operations> {
  readonly status: WorkerStatus;
  /** The worker's introduction, after starting one if none runs. */
  hello(options?: CallOptions): Promise<WorkerHello>;
  call<O extends NameOf<Ops>>(
    operation: O,
    workspaceId: string,
    request: RequestOf<Ops[O]>,
    options?: CallOptions,
  ): Promise<OutputOf<Ops[O]>>;
  /** Chunks and progress as they come, then `done`. A slow reader slows the work; leaving the loop cancels it. */
  stream<O extends NameOf<Ops>>(
    operation: O,
    workspaceId: string,
    request: RequestOf<Ops[O]>,
    options?: LongCallOptions,
  ): AsyncGenerator<CallEvent<ChunkOf<Ops[O]>, OutputOf<Ops[O]>>, void, undefined>;
}

/** Operations of the serve worker that its client calls as they stand in the table. */
export type ServeCalls = {
  [O in Exclude<NameOf<ServeOperations>, 'generate' | 'embed' | 'countTokens' | 'calibrate'>]: (
    request: ServeRequest<O>,
    options?: CallOptions,
  ) => Promise<OutputOf<ServeOperations[O]>>;
};

/** What the rest of Graft sees of the serve worker. Every method throws what `RoleClient` throws. */
export interface WorkerClient extends ServeCalls {
  readonly status: WorkerStatus;
  /** Whether somebody waits for an answer, for those that stand aside meanwhile. */
  readonly interactive: { readonly busy: boolean };
  start(): Promise<void>;
  /** Lets calls under way end, then ends the process. */
  stop(): Promise<void>;
  /** One vector of unit length a text, the places of texts that were longer than the embedder's maxTokens, and the tokens that were read. */
  embed(
    request: ServeRequest<'embed'>,
    options?: CallOptions,
  ): Promise<{ vectors: Float32Array[]; truncated: number[]; tokens: number }>;
  /**
   * `started`, then `delta`s, then one `done`. Leaving the loop cancels the work.
   * @throws QUESTION_TOO_LONG when the prompt leaves no room in the context
   */
  generate(request: GenerateRequest, options?: CallOptions): AsyncIterable<GenerateEvent>;
  /** One count a text; a text in segments is counted as a prompt, special tokens included. */
  countTokens(request: ServeRequest<'countTokens'>, options?: CallOptions): Promise<number[]>;
  /** Loads the model and measures its best thread counts, unless they are known from an earlier start. */
  prepareModel(request: ServeRequest<'calibrate'>, options?: CallOptions): Promise<ThreadCalibration>;
  /** What `prepareModel` found on this processor, of models by their digests, now or at an earlier start; null where it found nothing. */
  measured(digests: readonly string[], options?: CallOptions): Promise<(ThreadCalibration | null)[]>;
}
