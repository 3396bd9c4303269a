import { Field, FieldResolver, ID, Int, ObjectType, Resolver, Root } from 'type-graphql';
import { make, Needs, RunEventType, runEvent, runGraph, toGlobalId } from '../graphql-kit/index.js';
import { erasing, type Erasure, type ErasureReport as Report } from '../platform/erasure/index.js';

@ObjectType({ description: 'Records of one kind that an erasure changed.' })
export class ErasedRecords {
  @Field(() => String, { description: 'What they are, in the plural, e.g. `answers`.' })
  holder!: string;

  @Field(() => Int, { description: 'How many were deleted or lost the erased text.' })
  count!: number;
}

@ObjectType({ description: 'A file that had to stay.' })
export class FileKept {
  @Field(() => ID, { description: 'Id of the file.' })
  id!: string;

  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => String, { description: 'What still needs it, and what to do so that it can go.' })
  reason!: string;
}

@ObjectType({ description: 'Where a deletion removed text, and what had to stay.' })
export class ErasureReport {
  @Field(() => [ErasedRecords], { description: 'Recorded copies that were removed, by kind.' })
  records!: ErasedRecords[];

  @Field(() => [String], { description: 'Names of the files that were deleted.' })
  deletedFiles!: string[];

  @Field(() => [FileKept], { description: 'Files that stay because something else is made of them.' })
  keptFiles!: FileKept[];

  @Field(() => Boolean, {
    description:
      'Whether all of it is done. Otherwise it takes long or a part could not be reached: it goes on by itself, tried again every minute, and search finds nothing of it meanwhile.',
  })
  complete!: boolean;

  @Field(() => ID, {
    nullable: true,
    description: 'Id of the run that does it; watch it with `erasureProgress`. Null where no run was needed.',
  })
  runId!: string | null;
}

export const toErasureReport = (report: Report & { complete?: boolean; runId?: string }): ErasureReport =>
  make(ErasureReport, {
    records: report.records.map((each) => make(ErasedRecords, each)),
    deletedFiles: report.deletedFiles,
    keptFiles: report.keptFiles.map(({ fileId, name, reason }) =>
      make(FileKept, { id: toGlobalId('File', fileId), name, reason }),
    ),
    complete: report.complete ?? true,
    runId: report.runId === undefined ? null : toGlobalId('ErasureRun', report.runId),
  });

@ObjectType({ implements: RunEventType, description: 'A step of an erasure.' })
export class ErasureEvent extends RunEventType {
  @Field(() => [ErasedRecords], { description: 'Copies that this step removed.' })
  records!: ErasedRecords[];

  @Needs('EDIT')
  @Field(() => [String], { description: 'Names of the files that it deleted.' })
  deletedFiles!: string[];
}

export const erasureRuns = runGraph(
  erasing.handledBy(({ erasure }: { erasure: Erasure }, context) => erasure.work(context)),
  {
    progress: runEvent(ErasureEvent, (part) => ({
      records: (part?.records ?? []).map((each) => make(ErasedRecords, each)),
      deletedFiles: part?.deletedFiles ?? [],
    })),
  },
);
const ErasureRun = erasureRuns.Run;
type ErasureRun = InstanceType<typeof ErasureRun>;

@Resolver(() => ErasureRun)
export class ErasureRunResolver {
  @Needs('EDIT')
  @FieldResolver(() => ErasureReport, {
    nullable: true,
    description: 'What it did so far; null before its first step.',
  })
  report(@Root() { row }: ErasureRun): ErasureReport | null {
    const ended = erasing.outputOf(row);
    const soFar = ended ?? erasing.checkpointOf(row);
    return soFar && toErasureReport({ ...soFar, complete: ended?.complete ?? false, runId: row.id });
  }
}
