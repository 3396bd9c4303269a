import { Arg, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { z } from 'zod';
import {
  SpendsBudget,
  Needs,
  cost,
  fromGlobalId,
  runGraph,
  runObject,
  type GraphContext,
  ofType,
  inputType,
  idempotencyKey,
  objectType,
  type StartedRun,
  type RunObject,
  toMany,
  toOne,
} from '../../../kit/graphql/index.js';
import type { Data } from '../data.js';
import { Split } from './importing/splits.js';
import { PreprocessingStep } from './preprocessing/steps.js';
import { TaskKind } from './tasks/index.js';
import { Dataset, loadDataset } from './dataset-graphql.js';
import { DatasetVersion, loadVersion } from './version-graphql.js';
import type { NewImport } from './dataset-service.js';
import { FileType, loadFile } from './file-graphql.js';
import { importing } from './import-run.js';
import { FileMappingInput, FileMappingType, fromMappingInput } from './mapping-graphql.js';
import { RowContentType, type RowContent } from './content-graphql.js';
import { oneOf, string, id } from '../../../kernel/record.js';

const DataFileInput = inputType('DataFileInput', 'A file of a new version.', {
  file: id('A file uploaded with `POST /files`.'),
  pair: id(
    'The other side of a parallel corpus: record n of both makes one row. Read with the same mapping.',
  ).nullish(),
  split: oneOf(Split, 'Split of all its rows; else the SPLIT column or the split rule decides.').nullish(),
  mapping: ofType(() => FileMappingInput)
    .nullish()
    .describe('How it is read; what is left out is guessed as `previewImport` does.'),
});

export const SplitRuleInput = inputType(
  'SplitRuleInput',
  'How rows without a given split get theirs: from a hash of their group, so that they keep it in every version.',
  {
    seed: z.string().default('graft').describe('Another seed gives other splits.'),
    validation: z.number().default(0.1).describe('Share for validation, 0 or more.'),
    test: z.number().default(0.1).describe('Share for the test, 0 or more; less than 1 with the one for validation.'),
  },
);
export type SplitRuleInput = InstanceType<typeof SplitRuleInput>;

const AddDatasetVersionInput = inputType('AddDatasetVersionInput', 'A new version of a dataset.', {
  dataset: string('Name of the dataset.'),
  files: z.array(ofType(() => DataFileInput)).describe('1 to 20 files.'),
  extend: z
    .boolean()
    .default(false)
    .describe(
      'Whether the rows of the newest version are carried over: new rows are added to them and replace those with the same key, in the same split where both were given.',
    ),
  steps: z
    .array(z.enum(PreprocessingStep))
    .nullish()
    .describe(
      'At most 6 steps, each once, that texts go through in this order. By default those of the version that is extended, else none.',
    ),
  splitRule: ofType(() => SplitRuleInput)
    .nullish()
    .describe('By default that of the newest version, else a tenth each for validation and test.'),
  features: z
    .array(z.string())
    .nullish()
    .describe(
      'Names of feature views to join as of the EVENT_TIME of each row, those that are carried over too; at most 20. By default those of the version that is extended, else none.',
    ),
  maxTokens: z.int().default(2048).describe('Longest example in tokens of the model; longer ones are errors.'),
  minRowsPerLabel: z.int().default(5).describe('A label with fewer rows for training is reported.'),
  idempotencyKey,
});

const PreviewImportInput = inputType('PreviewImportInput', 'A file to look at.', {
  file: id('A file uploaded with `POST /files`.'),
  task: oneOf(TaskKind, 'What it shall teach; guessed when left out.').nullish(),
  mapping: ofType(() => FileMappingInput)
    .nullish()
    .describe('What is known about it already.'),
});
type PreviewImportInput = InstanceType<typeof PreviewImportInput>;

const PreviewRow = objectType('PreviewRow', 'A row as it would be imported.', {
  content: ofType<RowContent>(() => RowContentType)
    .nullable()
    .describe('What it would hold; null when the record is no row.'),
  fault: string('What is wrong with the record; null when nothing is.').nullable(),
});

const ImportPreviewType = objectType('ImportPreview', 'What a file seems to hold; nothing is stored.', {
  task: oneOf(TaskKind, 'The task that it fits; null when none does.').nullable(),
  mapping: ofType(() => FileMappingType).describe('How it would be read.'),
  columns: z.array(z.string()).describe('Its columns.'),
  sample: z
    .array(z.array(z.unknown().meta({ shown: 'JSON' })))
    .describe('Its first records, at most 10, one value a column.'),
  rows: z.array(ofType(() => PreviewRow)).describe('The rows that they would become.'),
  problem: string('Why it can’t be imported with this mapping; null when it can.').nullable(),
});
type ImportPreviewType = InstanceType<typeof ImportPreviewType>;

const DeleteDatasetRowsInput = inputType(
  'DeleteDatasetRowsInput',
  'Rows to delete: by exactly one of `subject` and `keys`.',
  {
    dataset: string('Name of the dataset.'),
    subject: string('Whom the rows are about, as the SUBJECT column names them, or the ENTITY column.').nullish(),
    keys: z.array(z.string()).max(1_000).nullish().describe('Keys of the rows; at most 1,000.'),
    split: oneOf(
      Split,
      'With `keys`: the split that they stand in, where ids begin anew in each; by default any.',
    ).nullish(),
    reason: string('Why; it stands at the versions that are withdrawn. Leave the person’s name out.'),
    idempotencyKey,
  },
);
type DeleteDatasetRowsInput = InstanceType<typeof DeleteDatasetRowsInput>;

const KeptFile = objectType('KeptFile', 'A file with deleted rows that a deletion left.', {
  file: ofType(() => FileType).describe('The file.'),
  reason: string('What is still made of it, and what to do.'),
});

export const importRuns = runGraph(importing.handledBy(({ importer }: Data, context) => importer.run(context)));
const ImportRun = importRuns.Run;

const DeleteDatasetRowsPayload = importRuns.payload(
  'DeleteDatasetRowsPayload',
  'The run that makes the version without them.',
);

@Resolver(() => ImportRun)
export class ImportResolver extends importRuns.startedBy('addDatasetVersion', {
  description:
    'Reads files into a new version of a dataset, as a run. What is wrong with single rows stands in the report of the version; what makes a file unreadable is said at once or fails the run.',
  cost: 100,
  input: AddDatasetVersionInput,
  argument: 'Which files, and how they are read.',
  payload: 'The run that makes the version.',
  run: ({ datasets }: Data, input, { workspaceId }) => {
    const files: NewImport['files'] = input.files.map(({ file, pair, split, mapping }, i) => ({
      fileId: fromGlobalId(file, 'File', `input.files.${i}.file`),
      pairId: pair ? fromGlobalId(pair, 'File', `input.files.${i}.pair`) : null,
      split: split ?? null,
      mapping: fromMappingInput(mapping, `input.files.${i}.mapping`),
    }));
    return datasets.addVersion(workspaceId, { ...input, files });
  },
  fields: {
    dataset: toOne(
      () => Dataset,
      'The dataset that gets a version.',
      ({ row }, context, data: Data) => loadDataset(context, data, row.subjectId),
    ),
    version: toOne(
      () => DatasetVersion,
      'The version that it made, or found to exist already; null before its end.',
      ({ row }, context, data: Data) => loadVersion(context, data, importing.outputOf(row)?.versionId ?? null),
      { cost: 5 },
    ),
    withdrawn: toMany(
      () => DatasetVersion,
      'Versions that it withdrew.',
      async ({ row }, context, data: Data) => {
        const ids = importing.outputOf(row)?.withdrawn ?? [];
        const versions = await Promise.all(ids.map((id) => loadVersion(context, data, id)));
        return versions.filter((version) => version !== null);
      },
    ),
    keptFiles: toMany(
      () => KeptFile,
      'Files with deleted rows that a deletion left because a standing version was made of them.',
      async ({ row }, context, { parts }: Data) => {
        const keptEntries = importing.outputOf(row)?.keptFiles ?? [];
        const files = await Promise.all(keptEntries.map(({ fileId }) => loadFile(context, parts.files, fileId)));
        // A later deletion may have taken it.
        return keptEntries.flatMap(({ reason }, i) => (files[i] ? [{ file: files[i], reason }] : []));
      },
    ),
  },
}) {
  @Needs('EDIT')
  @SpendsBudget('RUN')
  @Query(() => ImportPreviewType, {
    description: 'Looks into a file and suggests what its columns mean.',
    complexity: cost(50),
  })
  async previewImport(
    @Arg('input', () => PreviewImportInput, { description: 'Which file.' }) input: PreviewImportInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<ImportPreviewType> {
    const fileId = fromGlobalId(input.file, 'File', 'input.file');
    const mapping = fromMappingInput(input.mapping, 'input.mapping');
    const preview = await this.parts.datasets.preview(workspaceId, { fileId, task: input.task ?? null, mapping });
    const rows = preview.rows.map((row) =>
      'fault' in row ? { content: null, fault: row.fault.message } : { content: row, fault: null },
    );
    return { ...preview, rows };
  }

  @Needs('EDIT')
  @Mutation(() => DeleteDatasetRowsPayload, {
    description:
      'Deletes the rows about a person: a version without them is made, as a run, and all versions that have them are withdrawn and their rows erased, with what was made of those versions (exports, training examples) and the uploaded files that they were made of, under whatever name they were uploaded. A file that a standing version was also made of stays: see `keptFiles`. Rows of feature views whose entity is `subject`, and answers that were told them, go at once, in all of the workspace. An import under way that reads a deleted file fails. Not found and so left: files that `importFeatures` read, documents of collections, and answers that name a person otherwise.',
    complexity: cost(100),
  })
  async deleteDatasetRows(
    @Arg('input', () => DeleteDatasetRowsInput, { description: 'Which rows, and why.' }) input: DeleteDatasetRowsInput,
    @Ctx() { workspaceId, change }: GraphContext,
  ): Promise<StartedRun> {
    const dataset = await this.parts.store.byName(workspaceId, input.dataset);
    const was = dataset && (await this.parts.store.latest(dataset.id));
    if (was) change.before = { dataset: input.dataset, version: was.version };
    return { run: runObject(await this.parts.datasets.deleteRows(workspaceId, input)) };
  }

  @FieldResolver(() => Boolean, {
    nullable: true,
    description: 'False when a version of the very same content existed already; null before its end.',
  })
  created(@Root() { row }: RunObject): boolean | null {
    return importing.outputOf(row)?.created ?? null;
  }

  @FieldResolver(() => [String], {
    description: 'Names of the uploads and exports that a deletion deleted; empty before its end.',
  })
  deletedFiles(@Root() { row }: RunObject): string[] {
    return importing.outputOf(row)?.deletedFiles ?? [];
  }
}
