import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../kernel/error-codes.js';
import { PROTOCOL_VERSION } from './version.js';

const envelope = { v: z.literal(PROTOCOL_VERSION), id: z.string().min(1).max(64) };
const count = z.number().int().nonnegative();
/** Which names there are depends on the worker's role. */
const operation = z.string().min(1).max(64);
const errorCode = z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]);

const priority = z.enum(['interactive', 'bulk']);
export type Priority = z.infer<typeof priority>;

/** Which programs answer, for logs and for `system`: Graft, Node.js, and the role's engines by name. */
const build = z.object({ graft: z.string(), node: z.string() }).catchall(z.string());

const device = z.object({
  cpu: z.object({
    model: z.string(),
    cores: z.number().int().min(1),
    /** Instructions that decide how fast numbers are multiplied, as the system calls them: `avx512_bf16`. */
    flags: z.array(z.string()).default([]),
  }),
  gpu: z.object({ name: z.string(), memoryBytes: count }).nullable(),
  memoryBytes: count,
});

/** What really runs each engine, by the engine's name, found by loading it: `cpu`, `cuda`, `vulkan`, `metal`. */
const provider = z.record(z.string(), z.string());

/** Bounds that callers should know: `queue` requests may wait, one more is OVERLOADED; the others are the role's own. */
const limits = z.object({ queue: count }).catchall(count);

const load = z.object({
  queued: count,
  active: count,
  rssBytes: count,
  /** Digests of the models in memory. */
  models: z.array(z.string()),
  /** Longest time since the last heartbeat that the event loop was kept from turning. */
  eventLoopLagMs: z.number().nonnegative(),
  uptimeSeconds: z.number().nonnegative(),
});
export type Load = z.infer<typeof load>;

/** What a traced call may tell of itself. */
export const MOST_WORKER_SPANS = 64;

/** A part of what a worker did for a call; times in ms, counted from when it received the request, because clocks step. */
const workerSpan = z.object({
  name: z.string().min(1).max(64),
  at: z.number().nonnegative(),
  ms: z.number().nonnegative(),
  /** Numbers and names; no text of users, documents or models. */
  attributes: z.record(z.string().max(64), z.union([z.number(), z.boolean(), z.string().max(128)])).optional(),
});
export type WorkerSpan = z.infer<typeof workerSpan>;

/** What took the time, of a call that was traced. */
const trace = z.object({
  /** How long the worker had the call, waiting included. */
  ms: z.number().nonnegative(),
  spans: z.array(workerSpan).max(MOST_WORKER_SPANS),
  /** Spans beyond these. */
  dropped: count.default(0),
});
export type WorkerTrace = z.infer<typeof trace>;

const helloFromGateway = z.object({
  ...envelope,
  kind: z.literal('hello'),
  versions: z.array(z.number().int()).min(1),
  build: z.string(),
});
const request = z.object({
  ...envelope,
  kind: z.literal('request'),
  workspace: z.string().min(1),
  deadline: z.number().positive().optional(),
  priority,
  operation,
  input: z.unknown(),
  credits: count.default(0),
  /** W3C Trace Context: the call is traced, and its last message says what took the time. */
  traceparent: z.string().max(64).optional(),
});
const cancel = z.object({ ...envelope, kind: z.literal('cancel') });
const pause = z.object({ ...envelope, kind: z.literal('pause') });
const hold = z.object({ ...envelope, kind: z.literal('hold') });
const resume = z.object({ ...envelope, kind: z.literal('resume') });
const credit = z.object({ ...envelope, kind: z.literal('credit'), credits: z.number().int().min(1) });

const helloFromWorker = z.object({
  ...envelope,
  kind: z.literal('hello'),
  version: z.number().int(),
  role: z.string().min(1).max(64),
  build,
  device,
  provider,
  operations: z.array(operation),
  limits,
});
const chunk = z.object({ ...envelope, kind: z.literal('chunk'), sequence: count, data: z.unknown() });
const progress = z.object({
  ...envelope,
  kind: z.literal('progress'),
  fraction: z.number().min(0).max(1),
  message: z.string(),
});
const result = z.object({ ...envelope, kind: z.literal('result'), output: z.unknown(), trace: trace.optional() });
const error = z.object({
  ...envelope,
  kind: z.literal('error'),
  code: errorCode,
  message: z.string(),
  field: z.string().optional(),
  hint: z.string().optional(),
  trace: trace.optional(),
});
const heartbeat = z.object({ ...envelope, kind: z.literal('heartbeat'), load });

/** What the gateway may send. */
export const gatewayMessage = z.discriminatedUnion('kind', [
  helloFromGateway,
  request,
  cancel,
  pause,
  credit,
  hold,
  resume,
]);
/** What a worker may send. */
export const workerMessage = z.discriminatedUnion('kind', [helloFromWorker, chunk, progress, result, error, heartbeat]);

export type GatewayMessage = z.infer<typeof gatewayMessage>;
export type WorkerMessage = z.infer<typeof workerMessage>;
export type GatewayMessageOf<K extends GatewayMessage['kind']> = Extract<GatewayMessage, { kind: K }>;
type WorkerMessageOf<K extends WorkerMessage['kind']> = Extract<WorkerMessage, { kind: K }>;
export type WorkerHello = Omit<WorkerMessageOf<'hello'>, 'v' | 'id' | 'kind'>;
