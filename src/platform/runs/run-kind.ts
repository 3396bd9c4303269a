import type { Json, StoredJson } from '../../kernel/stored-json.js';
import type { EventSchemas, RunContext } from './run-context.js';
import type { RunRow } from './run.js';

/** What a kind of run is. Everything else about it (queue, GraphQL types, typed rows) derives from this. */
interface RunKindSpec<I, O, C, E extends EventSchemas> {
  /** As the API names it: `INGESTION`. Its runs are of the GraphQL type `IngestionRun`. */
  kind: string;
  /** What its runs do, in one sentence for the API. */
  description: string;
  /** GraphQL's name for what its runs work on: objects of this type whose row's id is a run's `subjectId`. Left out: there is none to show. */
  subject?: string;
  /** Everything that the handler needs: after a crash it starts again from this. Its member `untilEnd` goes when the run has ended. */
  input: StoredJson<I>;
  output: StoredJson<O>;
  /** What an interrupted run goes on from; a kind without one starts anew. */
  checkpoint?: StoredJson<C>;
  events?: E;
  /** Runs of this kind at a time in one process; 1 by default. */
  concurrency?: number;
  /** What a run needs for itself, e.g. `embedder`: of all kinds that name the same, one run works at a time in a process. */
  occupies?: string;
  /**
   * Work of seconds: of the runs that wait for the same it goes first, and one of a pausable kind that works steps aside for it.
   * Kinds of which people start many at a time aren't brief: they would keep the others waiting.
   */
  brief?: boolean;
  /** How often in a row a run may be interrupted without getting any further before it is given up; 5 by default. */
  attempts?: number;
  /** Whether `pauseRun` takes it. Its handler lets go when its signal aborts, and goes on from its checkpoint. */
  pausable?: boolean;
  /** How many items of a run that ended well could not be processed, from its output; none by default. */
  failures?: (output: O) => number;
}

/** A kind as queue and runner see it, whatever its runs work on. */
export interface AnyRunKind {
  readonly kind: string;
  readonly description: string;
  readonly subject: string | null;
  readonly input: StoredJson<unknown>;
  readonly output: StoredJson<unknown>;
  readonly checkpoint: StoredJson<unknown> | null;
  readonly events: EventSchemas;
  readonly concurrency: number;
  readonly occupies: string | null;
  readonly brief: boolean;
  readonly attempts: number;
  readonly pausable: boolean;
  failures(output: unknown): number;
}

interface RunKind<I, O, C, E extends EventSchemas> extends AnyRunKind {
  readonly input: StoredJson<I>;
  readonly output: StoredJson<O>;
  readonly checkpoint: StoredJson<C> | null;
  readonly events: E;
  failures(output: O): number;
  /** The columns of a run's row, typed; null where there is nothing yet. */
  inputOf(row: Pick<RunRow, 'input'>): I;
  outputOf(row: Pick<RunRow, 'output'>): O | null;
  checkpointOf(row: Pick<RunRow, 'checkpoint'>): C | null;
  /** @param handler may be called again for the same run (at least once), so each of its steps must bear repetition */
  handledBy<P>(handler: (parts: P, context: RunContext<I, C, E>) => Promise<O>): HandledKind<P, RunKind<I, O, C, E>>;
}

/** A kind and who does its work, given the parts that the work needs. */
export interface HandledKind<P, K extends AnyRunKind = AnyRunKind> {
  readonly definition: K;
  readonly handler: (parts: P, context: never) => Promise<unknown>;
}

/** The context of a kind's handler: `ContextOf<typeof ingestion>`. */
export type ContextOf<K> = K extends RunKind<infer I, infer _O, infer C, infer E> ? RunContext<I, C, E> : never;

export function defineRunKind<I, O, C = never, E extends EventSchemas = Record<never, never>>(
  spec: RunKindSpec<I, O, C, E>,
): RunKind<I, O, C, E> {
  const checkpoint = spec.checkpoint ?? null;
  const kind: RunKind<I, O, C, E> = {
    kind: spec.kind,
    description: spec.description,
    input: spec.input,
    output: spec.output,
    checkpoint,
    subject: spec.subject ?? null,
    events: spec.events ?? ({} as E),
    concurrency: spec.concurrency ?? 1,
    occupies: spec.occupies ?? null,
    brief: spec.brief ?? false,
    attempts: spec.attempts ?? 5,
    pausable: spec.pausable ?? false,
    failures: spec.failures ?? (() => 0),
    inputOf: ({ input }) => spec.input.decode(input),
    outputOf: ({ output }) => optional(spec.output, output),
    checkpointOf: (row) => (checkpoint === null ? null : optional(checkpoint, row.checkpoint)),
    handledBy: (handler) => ({ definition: kind, handler }),
  };
  return kind;
}

const optional = <T>(form: StoredJson<T>, json: Json | null): T | null => (json === null ? null : form.decode(json));
