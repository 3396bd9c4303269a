import { z } from 'zod';
import { storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';

export const sourceSync = defineRunKind({
  kind: 'SOURCE_SYNC',
  description: 'The folder of a source is read: what is new or changed is ingested, and what is gone goes.',
  subject: 'Collection',
  input: storedJson(z.object({ sourceId: z.string(), acceptLoss: z.boolean() })),
  output: storedJson(z.object({ ingested: z.number(), failed: z.number(), gone: z.number() })),
  // It mostly waits for ingestions, and begins anew with what they brought.
  concurrency: 4,
  attempts: 50,
  failures: ({ failed }) => failed,
});
export type SourceSyncContext = ContextOf<typeof sourceSync>;
