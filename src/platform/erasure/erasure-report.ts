import { z } from 'zod';

/** A file that had to stay. */
const keptFile = z.object({ fileId: z.string(), name: z.string(), reason: z.string() });

/** What an erasure did. */
export const erasureReport = z.object({
  /** Records that were deleted or from which text was removed, by holder. */
  records: z.array(z.object({ holder: z.string(), count: z.number() })),
  /** Names of the files that went. */
  deletedFiles: z.array(z.string()),
  keptFiles: z.array(keptFile),
});
export type ErasureReport = z.infer<typeof erasureReport>;

export const NOTHING_ERASED: ErasureReport = { records: [], deletedFiles: [], keptFiles: [] };

/** One report of several erasures. */
export function combined(reports: readonly ErasureReport[]): ErasureReport {
  const counts = new Map<string, number>();
  for (const { holder, count } of reports.flatMap(({ records }) => records))
    counts.set(holder, (counts.get(holder) ?? 0) + count);
  const kept = new Map(reports.flatMap(({ keptFiles }) => keptFiles.map((file) => [file.fileId, file])));
  return {
    records: [...counts].map(([holder, count]) => ({ holder, count })),
    deletedFiles: reports.flatMap(({ deletedFiles }) => deletedFiles),
    keptFiles: [...kept.values()],
  };
}
