import { Field, FieldResolver, ObjectType, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import {
  make,
  Needs,
  RunEventType,
  runEvent,
  runGraph,
  toGlobalId,
  objectType,
  givenId,
  typed,
  type RunObject,
} from '../graphql-kit/index.js';
import { erasing, type Erasure, type ErasureReport as Report } from '../platform/erasure/index.js';

const ErasedRecords = objectType('ErasedRecords', 'Records of one kind that an erasure changed.', {
  holder: z.string().describe('What they are, in the plural, e.g. `answers`.'),
  count: z.int().describe('How many were deleted or lost the erased text.'),
});
type ErasedRecords = InstanceType<typeof ErasedRecords>;

const FileKept = objectType('FileKept', 'A file that had to stay.', {
  id: givenId.describe('Id of the file.'),
  name: z.string().describe('Its name.'),
  reason: z.string().describe('What still needs it, and what to do so that it can go.'),
});
type FileKept = InstanceType<typeof FileKept>;

export const ErasureReport = objectType('ErasureReport', 'Where a deletion removed text, and what had to stay.', {
  records: z.array(typed(ErasedRecords)).describe('Recorded copies that were removed, by kind.'),
  deletedFiles: z.array(z.string()).describe('Names of the files that were deleted.'),
  keptFiles: z.array(typed(FileKept)).describe('Files that stay because something else is made of them.'),
  complete: z
    .boolean()
    .describe(
      'Whether all of it is done. Otherwise it takes long or a part could not be reached: it goes on by itself, tried again every minute, and search finds nothing of it meanwhile.',
    ),
  runId: givenId
    .nullable()
    .describe('Id of the run that does it; watch it with `erasureProgress`. Null where no run was needed.'),
});
export type ErasureReport = InstanceType<typeof ErasureReport>;

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

@Resolver(() => ErasureRun)
export class ErasureRunResolver {
  @Needs('EDIT')
  @FieldResolver(() => ErasureReport, {
    nullable: true,
    description: 'What it did so far; null before its first step.',
  })
  report(@Root() { row }: RunObject): ErasureReport | null {
    const ended = erasing.outputOf(row);
    const soFar = ended ?? erasing.checkpointOf(row);
    return soFar && toErasureReport({ ...soFar, complete: ended?.complete ?? false, runId: row.id });
  }
}
