import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../kernel/error-codes.js';

/** A kind of task that is done in a process of its own: what goes in, what comes out, and what is said in between. */
export interface Task {
  input: unknown;
  output: unknown;
  /** What the process tells while it works. */
  note?: unknown;
  /** What the process asks its parent, and what it is answered. */
  question?: unknown;
  answer?: unknown;
}

/** From the parent. Tasks come one at a time; the first message is one. */
export type ParentMessage<T extends Task = Task> =
  { kind: 'task'; input: T['input'] } | { kind: 'answer'; id: number; answer: T['answer'] };

const code = z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]);

/** From the process. `begun` is said before anything of a task is done; `done` and `failed` end it. */
export const childMessage = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('begun') }),
  z.object({ kind: z.literal('note'), note: z.unknown() }),
  z.object({ kind: z.literal('question'), id: z.number(), question: z.unknown() }),
  z.object({ kind: z.literal('done'), output: z.unknown() }),
  z.object({
    kind: z.literal('failed'),
    /** null for what is no error of Graft's list; then only `detail` says what happened. */
    code: code.nullable(),
    message: z.string(),
    hint: z.string().optional(),
    field: z.string().optional(),
    /** For the log. */
    detail: z.string(),
  }),
]);
export type ChildMessage = z.infer<typeof childMessage>;

/** Exit status by which a process says that its task exceeded the memory it may use. */
export const OUT_OF_MEMORY = 77;
