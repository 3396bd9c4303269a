import { GraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { Prisma, Transaction } from '../database/index.js';
import type { Json } from '../events/index.js';

export type RunStatus = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
export type RunKind = 'INGESTION' | 'REINDEXING' | 'DOWNLOAD' | 'IMPORT';
export type RunRow = Prisma.RunGetPayload<object>;

export const isFinished = (status: string): boolean =>
  status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELLED';

export interface NewRun {
  workspaceId: WorkspaceId;
  kind: RunKind;
  /** Everything that the handler needs: after a crash it starts again from this. */
  input: Json;
  /** Names the work: the same key with the same input is the same run. */
  idempotencyKey: string;
  /** Row that the run works on, e.g. the collection of an ingestion. */
  subjectId?: string;
}

export interface RunFilter {
  kind?: RunKind | null;
  status?: RunStatus | null;
  subjectId?: string | null;
}

/** What a handler gets. Everything that it writes through this stops having an effect once another runner took the run over. */
export interface RunContext {
  run: RunRow;
  input: Json;
  /** Aborts when the run is cancelled, when the gateway stops, or when the lease is lost. */
  signal: AbortSignal;
  /** Writes how far the run is (`fraction` 0..1) to its row and to its event stream. */
  progress(fraction: number, message: string, detail?: Json): Promise<void>;
  /**
   * A transaction that commits only while this runner holds the run.
   * @throws CONFLICT when it was taken over
   */
  fenced<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Appends an event of the domain's own to the run's stream. */
  emit(type: string, payload: Json): Promise<void>;
}

/** Does the work of one kind. It may be called again for the same run (at least once), so each step must bear repetition. */
export type RunHandler = (context: RunContext) => Promise<Json | void>;

/** Stream of a run's events: `progress` and `finished`, and what its handler emits. */
export const runStream = (runId: string): string => `run:${runId}`;

/** The right to work on a run: valid while the row still carries this token. */
export interface Lease {
  runId: string;
  token: bigint;
}

export class LeaseLost extends GraftError {
  constructor() {
    super('CONFLICT', 'This runner no longer holds the run: another one took it over.');
  }
}
