import { FieldResolver, Int, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import {
  fromGlobalId,
  runGraph,
  ofType,
  idempotencyKey,
  inputType,
  type RunObject,
  toOne,
} from '../../../kit/graphql/index.js';
import type { Data } from '../data.js';
import { Split } from './importing/splits.js';
import { ExportFormat } from './export-rows.js';
import { exporting } from './export-run.js';
import { FileType, loadFile } from './file-graphql.js';
import { RowFilterInput } from './row-graphql.js';
import { DatasetVersion, loadVersion } from './version-graphql.js';
import { oneOf, id } from '../../../kernel/record.js';

const ExportDatasetVersionInput = inputType('ExportDatasetVersionInput', 'What to export.', {
  version: id('Id of a `DatasetVersion`.'),
  format: z.enum(ExportFormat).default(ExportFormat.JSONL).describe('How it is written.'),
  split: oneOf(Split, 'Only rows of this split.').nullish(),
  filter: ofType(() => RowFilterInput)
    .nullish()
    .describe('Only rows that pass it; by default those that are not kept out of training.'),
  idempotencyKey,
});

export const exportRuns = runGraph(exporting.handledBy(({ exporter }: Data, context) => exporter.run(context)));
const DatasetExportRun = exportRuns.Run;

@Resolver(() => DatasetExportRun)
export class ExportResolver extends exportRuns.startedBy('exportDatasetVersion', {
  description: 'Writes the rows of a version into a file, as a run.',
  input: ExportDatasetVersionInput,
  argument: 'Which rows, and how.',
  payload: 'The run that writes the file.',
  run: (data: Data, input, { workspaceId }) => {
    // Left out means false, null means all.
    const quarantined = input.filter?.quarantined === undefined ? false : input.filter.quarantined;
    return data.exporter.start(workspaceId, {
      versionId: fromGlobalId(input.version, 'DatasetVersion', 'input.version'),
      format: input.format,
      filter: { ...input.filter, quarantined, split: input.split },
      idempotencyKey: input.idempotencyKey,
    });
  },
  fields: {
    version: toOne(
      () => DatasetVersion,
      'The version whose rows it writes.',
      ({ row }, context, data: Data) => loadVersion(context, data, exporting.inputOf(row).versionId),
      { cost: 5 },
    ),
    file: toOne(
      () => FileType,
      'The file with the rows: download it from its `path`. Null before the end, and once it was deleted with a person’s rows.',
      ({ row }, context, { parts }: Data) => loadFile(context, parts.files, exporting.outputOf(row)?.fileId ?? null),
    ),
  },
}) {
  @FieldResolver(() => Int, { nullable: true, description: 'Rows in the file; null before the end.' })
  rows(@Root() { row }: RunObject): number | null {
    return exporting.outputOf(row)?.rows ?? null;
  }
}
