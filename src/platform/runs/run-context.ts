import type { StoredJson, ValueOf } from '../../kernel/stored-json.js';
import type { Transaction } from '../database/index.js';
import type { RunRow } from './run.js';

/** The typed events of a kind, by name. `progress` is what its progress may carry; the others are emitted by themselves. */
export type EventSchemas = Readonly<Record<string, StoredJson<unknown>>>;

/** What a handler gets. Everything that it writes through this stops having an effect once another runner took the run over. */
export interface RunContext<I = unknown, C = unknown, E extends EventSchemas = EventSchemas> {
  readonly run: RunRow;
  readonly input: I;
  /** The last checkpoint of earlier attempts; null when there is none. */
  readonly resumed: C | null;
  /** Aborts when the run is cancelled or paused, when the gateway stops, or when the lease is lost. */
  readonly signal: AbortSignal;
  /**
   * Writes how far the run is to its row and to its event stream.
   * @param fraction 0..1; one higher than ever before counts as progress, so that earlier interruptions are forgiven
   * @param detail what the kind's event `progress` says besides
   * @param tx of `fenced`, for what is told if and only if the rest of that transaction holds
   */
  progress(fraction: number, message: string, detail?: ValueOf<E['progress']>, tx?: Transaction): Promise<void>;
  /**
   * Writes down what the run goes on from after an interruption, and forgives earlier ones.
   * @param tx of `fenced`, for a checkpoint that is true if and only if the rest of that transaction is
   */
  checkpoint(state: C, tx?: Transaction): Promise<void>;
  /**
   * A transaction that commits only while this runner holds the run.
   * @throws CONFLICT when it was taken over
   */
  fenced<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Appends an event of the kind's own to the run's stream, for its subscribers. @param tx of `fenced` */
  emit<N extends keyof E & string>(name: N, payload: ValueOf<E[N]>, tx?: Transaction): Promise<void>;
  /**
   * Lets a waiting run that needs the same slot go first, if this one has had its slice: call it after a checkpoint.
   * @throws the reason of `signal`, which the handler lets pass; the run goes on from its checkpoint later
   */
  takeTurns(): Promise<void>;
}
