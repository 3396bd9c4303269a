import { FieldResolver, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import { Needs, RunEventType, runEvent, recordType, runGraph, objectType, type RunObject } from '../graphql/index.js';
import { record, boolean } from '../../kernel/record.js';
import {
  erasedRecords,
  erasing,
  erasureReport,
  type Erasure,
  type ErasureReport as Report,
} from '../../platform/erasure/index.js';

export const ErasureReport = objectType('ErasureReport', 'Where a deletion removed text, and what had to stay.', {
  ...erasureReport.shape,
  complete: boolean(
    'Whether all of it is done. Otherwise it takes long or a part could not be reached: it goes on by itself, tried again every minute, and search finds nothing of it meanwhile.',
  ),
  runId: z
    .string()
    .nullable()
    .meta({ node: 'ErasureRun' })
    .describe('Id of the run that does it; watch it with `erasureProgress`. Null where no run was needed.'),
});
export type ErasureReport = InstanceType<typeof ErasureReport>;

export const toErasureReport = (report: Report & { complete?: boolean; runId?: string }): ErasureReport => ({
  ...report,
  complete: report.complete ?? true,
  runId: report.runId ?? null,
});

const ErasureEvent = recordType(
  record('ErasureEvent', 'A step of an erasure.', {
    records: z.array(erasedRecords).describe('Copies that this step removed.'),
    deletedFiles: z.array(z.string()).describe('Names of the files that it deleted.'),
  }),
  RunEventType,
);
Needs('EDIT')(ErasureEvent.prototype as object, 'deletedFiles');

export const erasureRuns = runGraph(
  erasing.handledBy(({ erasure }: { erasure: Erasure }, context) => erasure.work(context)),
  {
    progress: runEvent(ErasureEvent, (part) => ({
      records: part?.records ?? [],
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
    const output = erasing.outputOf(row);
    const soFar = output ?? erasing.checkpointOf(row);
    return soFar && toErasureReport({ ...soFar, complete: output?.complete ?? false, runId: row.id });
  }
}
