import { Field, Float, Int, InterfaceType, registerEnumType } from 'type-graphql';
import type { ErrorCode } from '../../kernel/error-codes.js';
import { id } from '../../kernel/record.js';
import { runError } from '../../kernel/run-error.js';
import type { Json } from '../../kernel/stored-json.js';
import { toGlobalId } from './global-ids.js';
import { markedType, NodeType } from './node.js';
import { recordType } from './record-types.js';
import { DateTime } from './scalars.js';

/** The kinds of runs as GraphQL's enum: `runGraph` enters each kind that is defined. */
export const RunKind: Record<string, string> = {};
const kindDescriptions: Record<string, { description: string }> = {};
registerEnumType(RunKind, { name: 'RunKind', description: 'What a run does.', valuesConfig: kindDescriptions });

const subjectTypes = new Map<string, string>();

/** Enters a kind into the enum `RunKind`. @param subject GraphQL type of what its runs work on */
export function nameRunKind(kind: string, description: string, subject: string | null): void {
  RunKind[kind] = kind;
  if (subject !== null) subjectTypes.set(kind, subject);
  kindDescriptions[kind] = { description };
}

/** The field of an input that names the run for whoever asks for it twice. */
export const idempotencyKey = id(
  'Names the work: the same key with the same input is the same run; 1 to 200 characters.',
);

export enum RunStatus {
  QUEUED = 'QUEUED',
  RUNNING = 'RUNNING',
  PAUSED = 'PAUSED',
  SUCCEEDED = 'SUCCEEDED',
  FAILED = 'FAILED',
  CANCELLED = 'CANCELLED',
}
registerEnumType(RunStatus, {
  name: 'RunStatus',
  description: 'How far a run is.',
  valuesConfig: {
    QUEUED: { description: 'Waits for its turn.' },
    RUNNING: { description: 'Works, or waits to be resumed after a crash.' },
    PAUSED: { description: 'Was paused, and goes on from where it was when it is resumed.' },
    SUCCEEDED: { description: 'Did its work; `failures` counts what could not be processed.' },
    FAILED: { description: 'Stopped at an error; see `error`.' },
    CANCELLED: { description: 'Was cancelled before it ended.' },
  },
});

export const RunError = recordType(runError);
export type RunError = InstanceType<typeof RunError>;

/** GraphQL type of a run of this kind: `INGESTION` is an `IngestionRun`. */
export const runTypeName = (kind: string): string =>
  kind
    .toLowerCase()
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('') + 'Run';

/** Long work. The type of a kind's runs is made by `runGraph`. */
@InterfaceType('Run', {
  implements: NodeType,
  description: 'Long work that goes on without its caller, survives restarts, and can be watched and cancelled.',
  resolveType: (value: RunType) => markedType(value) ?? runTypeName(value.kind),
})
export abstract class RunType extends NodeType {
  @Field(() => RunKind, { description: 'What the run does.' })
  kind!: string;

  @Field(() => RunStatus, { description: 'How far the run is.' })
  status!: RunStatus;

  @Field(() => Float, { description: 'Share of the work that is done, 0 to 1.' })
  progress!: number;

  @Field(() => String, {
    description: 'What the run is doing or waits for, in words; empty when there is nothing to say.',
  })
  message!: string;

  @Field(() => Int, {
    description: 'How many of its items could not be processed though it succeeded, e.g. documents; 0 before its end.',
  })
  failures!: number;

  @Field(() => DateTime, { description: 'When the run was asked for.' })
  createdAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When its work began; null while it is queued.' })
  startedAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it ended, whatever the outcome; null before.' })
  finishedAt!: Date | null;

  @Field(() => RunError, { nullable: true, description: 'Why it failed; null unless `status` is `FAILED`.' })
  error!: RunError | null;
}

/** Global id of what a run works on; null where there is nothing, or nothing yet. */
export function runSubject({ kind, subjectId }: Pick<RunRowLike, 'kind' | 'subjectId'>): string | null {
  const type = subjectTypes.get(kind);
  return type === undefined || subjectId === null ? null : toGlobalId(type, subjectId);
}

/** The columns of a run's row that its GraphQL object shows, and those that a kind's own fields read. */
export interface RunRowLike {
  id: string;
  kind: string;
  status: string;
  progress: number;
  message: string;
  failures: number;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  errorCode: string | null;
  errorMessage: string | null;
  subjectId: string | null;
  input: Json;
  output: Json | null;
  checkpoint: Json | null;
}

/** Why it failed, from where a code is stored with its message; null where there is no code. */
export const toRunError = (code?: string | null, message?: string | null): RunError | null =>
  code ? { code: code as ErrorCode, message: message ?? '' } : null;

/** The fields of `Run` from its row. */
export const runFields = (row: RunRowLike): RunType => ({
  id: toGlobalId(runTypeName(row.kind), row.id),
  kind: row.kind,
  status: row.status as RunStatus,
  progress: row.progress,
  message: row.message,
  failures: row.failures,
  createdAt: row.createdAt,
  startedAt: row.startedAt,
  finishedAt: row.finishedAt,
  error: toRunError(row.errorCode, row.errorMessage),
});

/**
 * A run's GraphQL object, whatever its kind: the fields of `Run`, and the row, from which the field resolvers of the
 * kind's own type (`IngestionRun`…) read what is theirs.
 */
export interface RunObject extends RunType {
  readonly row: RunRowLike;
}

export const runObject = (row: RunRowLike): RunObject => ({ ...runFields(row), row });
