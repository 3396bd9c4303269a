import { Field, Float, InterfaceType, ObjectType, registerEnumType } from 'type-graphql';
import { toGlobalId } from './global-ids.js';
import { markedType, NodeType } from './node.js';
import { DateTime } from './scalars.js';

export enum RunKind {
  INGESTION = 'INGESTION',
  REINDEXING = 'REINDEXING',
  DOWNLOAD = 'DOWNLOAD',
  IMPORT = 'IMPORT',
}
registerEnumType(RunKind, {
  name: 'RunKind',
  description: 'What a run does.',
  valuesConfig: {
    INGESTION: { description: 'Documents are parsed, cut into chunks, embedded and indexed.' },
    REINDEXING: { description: 'The chunks of a collection are embedded again.' },
    DOWNLOAD: { description: 'A model of the catalogue or of a hub is fetched and verified.' },
    IMPORT: { description: 'Files are read and checked, and a dataset gets a new version.' },
  },
});

export enum RunStatus {
  QUEUED = 'QUEUED',
  RUNNING = 'RUNNING',
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
    SUCCEEDED: { description: 'Did all of its work.' },
    FAILED: { description: 'Stopped at an error; see `error`.' },
    CANCELLED: { description: 'Was cancelled before it ended.' },
  },
});

@ObjectType({ description: 'Why a run failed.' })
export class RunError {
  @Field(() => String, { description: 'A code of the closed list in `schema/errors.md`.' })
  code!: string;

  @Field(() => String, { description: 'The reason in words.' })
  message!: string;
}

/** GraphQL type of a run of this kind: `INGESTION` is an `IngestionRun`. */
export const runTypeName = (kind: string): string =>
  kind
    .toLowerCase()
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('') + 'Run';

/** Long work. A domain's run type: `@ObjectType({ implements: RunType }) class IngestionRun extends RunType { … }`. */
@InterfaceType('Run', {
  implements: NodeType,
  description: 'Long work that goes on without its caller, survives restarts, and can be watched and cancelled.',
  resolveType: (value: RunType) => markedType(value) ?? runTypeName(value.kind),
})
export abstract class RunType extends NodeType {
  @Field(() => RunKind, { description: 'What the run does.' })
  kind!: RunKind;

  @Field(() => RunStatus, { description: 'How far the run is.' })
  status!: RunStatus;

  @Field(() => Float, { description: 'Share of the work that is done, 0 to 1.' })
  progress!: number;

  @Field(() => String, { description: 'What the run is doing, in words; empty before it starts.' })
  message!: string;

  @Field(() => DateTime, { description: 'When the run was asked for.' })
  createdAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When its work began; null while it is queued.' })
  startedAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it ended, whatever the outcome; null before.' })
  finishedAt!: Date | null;

  @Field(() => RunError, { nullable: true, description: 'Why it failed; null unless `status` is `FAILED`.' })
  error!: RunError | null;
}

/** The columns of a run's row that its GraphQL object shows. */
export interface RunRowLike {
  id: string;
  kind: string;
  status: string;
  progress: number;
  message: string;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  errorCode: string | null;
  errorMessage: string | null;
}

/** The fields of `Run` from its row. */
export const runFields = (row: RunRowLike): RunType => ({
  id: toGlobalId(runTypeName(row.kind), row.id),
  kind: row.kind as RunKind,
  status: row.status as RunStatus,
  progress: row.progress,
  message: row.message,
  createdAt: row.createdAt,
  startedAt: row.startedAt,
  finishedAt: row.finishedAt,
  error: row.errorCode ? { code: row.errorCode, message: row.errorMessage ?? '' } : null,
});

/**
 * A run's GraphQL object, whatever its kind: the fields of `Run`, and the row, from which the field resolvers of the
 * domain's own type (`IngestionRun`…) read what is theirs.
 */
export const runObject = <Row extends RunRowLike>(row: Row): RunType & { readonly row: Row } => ({
  ...runFields(row),
  row,
});
