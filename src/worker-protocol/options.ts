import { z } from 'zod';

/** Requests that may wait. */
const queue = z.number().int().min(0).default(512);

/** What really runs each engine of a serve worker, found by loading it: `cpu`, `cuda`, `vulkan`, `metal`. */
export const serveProvider = z.object({ inference: z.string(), embedding: z.string() });
export type ServeProvider = z.infer<typeof serveProvider>;

/** What the gateway decides about a serve worker when it forks it: one JSON argument on the command line. */
export const serveOptions = z.object({
  queue,
  /** Generations that share a model. */
  sequences: z.number().int().min(1).max(16).default(2),
  /** Longest prompt plus answer; a context of that size is kept for each sequence, so it bounds memory. */
  contextTokens: z.number().int().min(256).default(8192),
  /** Prompt tokens evaluated between two looks at cancels and deadlines. */
  batchTokens: z.number().int().min(16).default(256),
  /** Generators kept in memory; the least recently used is dropped first. */
  models: z.number().int().min(1).default(2),
  /** Adapters kept in memory, in bytes of their files, a model; the least recently used is dropped first. */
  adapterBytes: z
    .number()
    .int()
    .min(0)
    .default(1024 ** 3),
  /** What a probe in a throw-away process found to work. */
  provider: serveProvider.default({ inference: 'cpu', embedding: 'cpu' }),
});
export type ServeOptions = z.infer<typeof serveOptions>;
/** The options as a caller gives them, each with its default. */
export type ServeSettings = Omit<z.input<typeof serveOptions>, 'provider'>;

/** The same for a train worker. */
export const trainOptions = z.object({ queue });
export type TrainOptions = z.infer<typeof trainOptions>;
export type TrainSettings = z.input<typeof trainOptions>;
