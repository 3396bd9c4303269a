import { GraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { beginningOf, storable } from '../../kernel/text.js';
import type { Prisma } from '../database/index.js';

export type RunStatus = 'QUEUED' | 'RUNNING' | 'PAUSED' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
export type RunRow = Prisma.RunGetPayload<object>;

export const isFinished = (status: string): boolean =>
  status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELLED';

export interface NewRun<I = unknown> {
  workspaceId: WorkspaceId;
  input: I;
  /** Names the work: the same key with the same input is the same run. */
  idempotencyKey: string;
  /** Row that the run works on, e.g. the collection of an ingestion. */
  subjectId?: string;
}

export interface RunFilter {
  kind?: string | null;
  /** Of several any, as runs are at one moment: asked for one after the other, a run that changes between is missed. */
  status?: RunStatus | readonly RunStatus[] | null;
  subjectId?: string | null;
}

/** Stream of a run's events: `progress`, `status` and `finished`, and what its handler emits. */
export const runStream = (runId: string): string => `run:${runId}`;

/** Rings when a run may be taken or was asked to let go. */
export const RUNS_TOPIC = 'runs';

/** The right to work on a run: valid while the row still carries this token. */
export interface RunLease {
  runId: string;
  workspaceId: WorkspaceId;
  token: bigint;
}

/** How a run ended, or why it goes back to the queue. */
export type Settlement =
  | { status: 'SUCCEEDED'; output: Prisma.JsonValue; failures: number }
  | { status: 'FAILED'; errorCode: string; errorMessage: string }
  | { status: 'CANCELLED' }
  | { status: 'PAUSED' }
  | { status: 'QUEUED'; because: 'retry'; delayMs: number; message: string }
  | { status: 'QUEUED'; because: 'elsewhere'; owner: string; message: string }
  | { status: 'QUEUED'; because: 'gone'; message: string }
  | { status: 'QUEUED'; because: 'stop' | 'turn' | 'aside' };

/** Where attempts count: from how many in a row got no further, as the locked row says; the row as taken knows of no progress since. */
export type Judgement = Settlement | ((stalled: number) => Settlement);

/** Why a handler's signal aborted: `turn`, to go behind who waits, `aside`, to let brief work by and go on. */
export type StopReason = 'cancel' | 'pause' | 'stop' | 'turn' | 'aside' | 'lost';

export class LeaseLost extends GraftError {
  constructor() {
    super('CONFLICT', 'This runner no longer holds the run: another one took it over.');
  }
}

/** How a run begins to say what it waits for; it says so no longer than while it waits. */
export const WAITS = 'Waits for its turn behind a run of the kind ';

/** PostgreSQL takes no NUL, and a parser's message may quote one. */
export const shown = (message: string): string => beginningOf(storable(message), 2_000);
