import { Field, ID, Int, ObjectType } from 'type-graphql';
import { make, toGlobalId } from '../graphql-kit/index.js';
import type { ErasureReport as Report } from './erasure.js';

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
      'Whether all of it is done. Otherwise a part could not be reached; it is tried again every minute, and search finds nothing of it meanwhile.',
  })
  complete!: boolean;
}

export const toErasureReport = (report: Report, complete = true): ErasureReport =>
  make(ErasureReport, {
    records: report.records.map((each) => make(ErasedRecords, each)),
    deletedFiles: report.deletedFiles,
    keptFiles: report.keptFiles.map(({ fileId, name, reason }) =>
      make(FileKept, { id: toGlobalId('File', fileId), name, reason }),
    ),
    complete,
  });
