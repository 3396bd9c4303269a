import { z } from 'zod';
import { record, string } from '../../kernel/record.js';

const keptFile = record('FileKept', 'A file that had to stay.', {
  fileId: z.string().meta({ node: 'File', name: 'id' }).describe('Id of the file.'),
  name: string('Its name.'),
  reason: string('What still needs it, and what to do so that it can go.'),
});

export const erasedRecords = record('ErasedRecords', 'Records of one kind that an erasure changed.', {
  holder: string('What they are, in the plural, e.g. `answers`.'),
  count: z.int().describe('How many were deleted or lost the erased text.'),
});

/** What an erasure did. */
export const erasureReport = z.object({
  records: z.array(erasedRecords).describe('Recorded copies that were removed, by kind.'),
  deletedFiles: z.array(z.string()).describe('Names of the files that were deleted.'),
  keptFiles: z.array(keptFile).describe('Files that stay because something else is made of them.'),
});
export type ErasureReport = z.infer<typeof erasureReport>;

export const NOTHING_ERASED: ErasureReport = { records: [], deletedFiles: [], keptFiles: [] };

/** One report of several erasures. */
export function combined(reports: readonly ErasureReport[]): ErasureReport {
  const counts = new Map<string, number>();
  for (const { holder, count } of reports.flatMap(({ records }) => records))
    counts.set(holder, (counts.get(holder) ?? 0) + count);
  const files = new Map(reports.flatMap(({ keptFiles }) => keptFiles.map((file) => [file.fileId, file])));
  return {
    records: [...counts].map(([holder, count]) => ({ holder, count })),
    deletedFiles: reports.flatMap(({ deletedFiles }) => deletedFiles),
    keptFiles: [...files.values()],
  };
}
