import { choice } from '../../kernel/record.js';
import type { WorkerClient } from '../../platform/worker/index.js';

/**
 * Something that infers: the worker beside the gateway, or engines elsewhere (`Fleet`). A request names a model's file with the
 * adapters that act on it, the prompt as text and special tokens, and what is wanted of it; `test/support/engine/engine-port.ts` says what
 * every one of them keeps to.
 * @throws QUESTION_TOO_LONG, DEADLINE_EXCEEDED, CANCELLED, WORKER_CRASHED once something of an answer was given and no more comes
 */
export type Engine = Pick<WorkerClient, 'generate' | 'scoreNext'>;

/** How an engine tells how probable given tokens are. */
export const LabelScoring = choice(
  'EngineLabelScoring',
  'How an engine tells the probabilities of labels; found out by trying.',
  {
    LOGPROB_TOKEN_IDS: 'It is asked for given tokens, 128 at once.',
    ALLOWED_TOKEN_IDS: 'Only given tokens are allowed, 20 at once.',
    SCORE: 'It has an address of its own for that.',
  },
);
export type LabelScoring = keyof typeof LabelScoring;

/** What an engine was found to be when it was first reached; nothing of it is configured. */
export interface Capabilities {
  /** Of the engine, as it tells. */
  version: string;
  /** The name under which it serves its base model. */
  base: string;
  /** Tokens of a prompt and its answer together. */
  contextTokens: number;
  scoring: LabelScoring;
}

/** Ids that an engine is asked for at once; vLLM takes no more. */
export const SCORED_AT_ONCE = 128;
