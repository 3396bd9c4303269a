import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../kernel/error-codes.js';
import { OPERATIONS, type Operation } from './operations.js';
import { PROTOCOL_VERSION } from './version.js';

const envelope = { v: z.literal(PROTOCOL_VERSION), id: z.string().min(1).max(64) };
const count = z.number().int().nonnegative();
const operation = z.enum(Object.keys(OPERATIONS) as [Operation, ...Operation[]]);
export const errorCode = z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]);

export const priority = z.enum(['interactive', 'bulk']);
export type Priority = z.infer<typeof priority>;

/** Which program answers, for logs and for `system`. */
export const build = z.object({ graft: z.string(), node: z.string(), llama: z.string(), onnxruntime: z.string() });
export type Build = z.infer<typeof build>;

export const device = z.object({
  cpu: z.object({ model: z.string(), cores: z.number().int().min(1) }),
  gpu: z.object({ name: z.string(), memoryBytes: count }).nullable(),
  memoryBytes: count,
});
export type Device = z.infer<typeof device>;

/** What really runs each engine, found by loading it: `cpu`, `cuda`, `vulkan`, `metal`. */
export const provider = z.object({ inference: z.string(), embedding: z.string() });
export type Provider = z.infer<typeof provider>;

export const limits = z.object({
  /** Requests that may wait; one more is OVERLOADED. */
  queue: count,
  /** Longest prompt plus answer, whatever a model's own context is. */
  contextTokens: count,
  /** Generations that share the model at once. */
  sequences: count,
  /** Most tokens between two looks at cancels and deadlines. */
  batchTokens: count,
});
export type Limits = z.infer<typeof limits>;

export const load = z.object({
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
  traceparent: z.string().max(256).optional(),
  priority,
  operation,
  input: z.unknown(),
  credits: count.default(0),
});
const cancel = z.object({ ...envelope, kind: z.literal('cancel') });
const credit = z.object({ ...envelope, kind: z.literal('credit'), credits: z.number().int().min(1) });

const helloFromWorker = z.object({
  ...envelope,
  kind: z.literal('hello'),
  version: z.number().int(),
  build,
  device,
  provider,
  capabilities: z.array(operation),
  limits,
});
const chunk = z.object({ ...envelope, kind: z.literal('chunk'), sequence: count, data: z.unknown() });
const progress = z.object({
  ...envelope,
  kind: z.literal('progress'),
  fraction: z.number().min(0).max(1),
  message: z.string(),
});
const result = z.object({ ...envelope, kind: z.literal('result'), output: z.unknown() });
const error = z.object({
  ...envelope,
  kind: z.literal('error'),
  code: errorCode,
  message: z.string(),
  field: z.string().optional(),
  hint: z.string().optional(),
});
const heartbeat = z.object({ ...envelope, kind: z.literal('heartbeat'), load });

/** What the gateway may send. */
export const gatewayMessage = z.discriminatedUnion('kind', [helloFromGateway, request, cancel, credit]);
/** What a worker may send. */
export const workerMessage = z.discriminatedUnion('kind', [helloFromWorker, chunk, progress, result, error, heartbeat]);

export type GatewayMessage = z.infer<typeof gatewayMessage>;
export type WorkerMessage = z.infer<typeof workerMessage>;
export type GatewayMessageOf<K extends GatewayMessage['kind']> = Extract<GatewayMessage, { kind: K }>;
export type WorkerMessageOf<K extends WorkerMessage['kind']> = Extract<WorkerMessage, { kind: K }>;
export type WorkerHello = Omit<WorkerMessageOf<'hello'>, 'v' | 'id' | 'kind'>;
