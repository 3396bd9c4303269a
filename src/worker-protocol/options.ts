import { z } from 'zod';
import { errorCode, provider } from './messages.js';

/** What the gateway decides about a worker when it forks it: one JSON argument on the command line. */
export const workerOptions = z.object({
  /** Requests that may wait. */
  queue: z.number().int().min(0).default(64),
  /** Generations that share a model. */
  sequences: z.number().int().min(1).max(16).default(2),
  /** Longest prompt plus answer; a context of that size is kept for each sequence, so it bounds memory. */
  contextTokens: z.number().int().min(256).default(8192),
  /** Prompt tokens evaluated between two looks at cancels and deadlines. */
  batchTokens: z.number().int().min(16).default(256),
  /** Generators kept in memory; the least recently used is dropped first. */
  models: z.number().int().min(1).default(2),
  /** What a probe in a throw-away process found to work. */
  provider: provider.default({ inference: 'cpu', embedding: 'cpu' }),
});
export type WorkerOptions = z.infer<typeof workerOptions>;
/** The options as a caller gives them, each with its default. */
export type WorkerSettings = Omit<z.input<typeof workerOptions>, 'provider'>;

/** What a throw-away process (`probe`, `inspect`) says before it exits: one message, without an envelope. */
export const oneShotAnswer = z.union([
  z.object({ output: z.unknown() }),
  z.object({ code: errorCode, message: z.string() }),
]);
export type OneShotAnswer = z.infer<typeof oneShotAnswer>;
