import type {
  Calibration,
  EmbedderFiles,
  GenerateEvent,
  GenerateRequest,
  Load,
  ModelDescription,
  ModelFile,
  PromptSegment,
  WorkerHello,
} from '../../worker-protocol/index.js';

export interface CallOptions {
  /** Aborting it cancels the work in the worker within one batch. */
  signal?: AbortSignal;
  /** Milliseconds, waiting for a worker that restarts included; default two minutes. */
  deadlineMs?: number;
  /** Default `interactive`, which starts before `bulk`. */
  priority?: 'interactive' | 'bulk';
  /** W3C trace context. */
  traceparent?: string;
}

export const WorkerState = {
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
  /** What the running worker is; null until it is ready. */
  hello: WorkerHello | null;
  /** From the last heartbeat. */
  load: Load | null;
  /** Since this gateway started. */
  restarts: number;
}

/**
 * What the rest of Graft sees of the worker process. Every method throws WORKER_CRASHED when the process dies under it,
 * WORKER_UNAVAILABLE when none can be had, OVERLOADED when its queue is full, DEADLINE_EXCEEDED and CANCELLED.
 */
export interface WorkerClient {
  readonly status: WorkerStatus;
  start(): Promise<void>;
  /** Lets calls under way end, then ends the process. */
  stop(): Promise<void>;
  /** One vector of unit length a text, and how many texts were longer than the embedder's maxTokens. */
  embed(
    request: { workspaceId: string; embedder: EmbedderFiles; texts: string[] },
    options?: CallOptions,
  ): Promise<{ vectors: Float32Array[]; truncated: number }>;
  /**
   * `started`, then `delta`s, then one `done`. Leaving the loop cancels the work.
   * @throws QUESTION_TOO_LONG when the prompt leaves no room in the context
   */
  generate(request: GenerateRequest, options?: CallOptions): AsyncIterable<GenerateEvent>;
  /** One count a text; a text in segments is counted as a prompt, special tokens included. */
  countTokens(
    request: { workspaceId: string; model: ModelFile; texts: (string | PromptSegment[])[] },
    options?: CallOptions,
  ): Promise<number[]>;
  /** Loads the file in a process of its own. @throws MODEL_FILE_INVALID, MODEL_UNSUPPORTED */
  inspectModel(request: { workspaceId: string; path: string }, options?: CallOptions): Promise<ModelDescription>;
  /** Loads the model and measures its best thread counts, unless they are known from an earlier start. */
  prepareModel(request: { workspaceId: string; model: ModelFile }, options?: CallOptions): Promise<Calibration>;
}
