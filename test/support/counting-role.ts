import { z } from 'zod';
import type { WorkerRole } from '../../src/worker-protocol/index.js';

/** An operation of the tests' own: long work in batches, which says how far it is and can be paused. */
const count = {
  input: z.object({ to: z.number().int(), batchMs: z.number().default(0) }),
  chunk: z.object({ counted: z.number().int() }),
  output: z.object({ counted: z.number().int(), paused: z.boolean() }),
};

export const countingOperations = { count };
export const countingRole: WorkerRole<typeof countingOperations> = { name: 'counting', operations: countingOperations };
