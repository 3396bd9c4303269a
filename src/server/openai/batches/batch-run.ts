import { z } from 'zod';
import { storedJson } from '../../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../../platform/runs/index.js';

/** Addresses whose requests a file may hold. */
export const ENDPOINTS = ['/v1/chat/completions', '/v1/embeddings'] as const;

/** What is wrong with a line of the file; null: with the file. */
const fault = z.object({ line: z.number().nullable(), code: z.string(), message: z.string() });
export type Fault = z.infer<typeof fault>;

export const batch = defineRunKind({
  kind: 'BATCH',
  description: 'The requests of a file are answered, each by itself, and the answers become a file.',
  input: storedJson(
    z.object({
      fileId: z.string(),
      /** The file as its client names it, to be shown again. */
      inputFile: z.string(),
      endpoint: z.enum(ENDPOINTS),
      metadata: z.record(z.string(), z.string()).nullable(),
      /** Where the client reached this gateway, for links into the console. */
      origin: z.string(),
      /** Of whoever asks; null for a caller without one. */
      key: z.object({ id: z.string(), lineId: z.string(), prefix: z.string(), name: z.string() }).nullable(),
    }),
  ),
  output: storedJson(z.object({ completed: z.number(), failed: z.number(), expired: z.boolean() })),
  checkpoint: storedJson(z.object({ faults: z.array(fault) })),
  // Others go on meanwhile: it lets them by between its requests.
  concurrency: 2,
  attempts: 50,
  pausable: true,
  failures: ({ failed }) => failed,
});
export type BatchContext = ContextOf<typeof batch>;
