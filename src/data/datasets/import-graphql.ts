import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  Float,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';
import {
  SpendsBudget,
  Needs,
  cost,
  fromGlobalId,
  IDEMPOTENCY_KEY,
  JsonScalar,
  MaxItems,
  runGraph,
  runObject,
  type GraphContext,
} from '../../graphql-kit/index.js';
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

registerEnumType(PreprocessingStep, {
  name: 'PreprocessingStep',
  description:
    'Something that is done to texts before they are learned from, and to questions before they are answered.',
  valuesConfig: {
    UNICODE_NFC: { description: 'Characters are composed (Unicode NFC).' },
    UNICODE_NFKC: { description: 'Characters are composed and compatibility forms folded (Unicode NFKC).' },
    WHITESPACE: { description: 'Blanks at the ends go, runs of blanks become one, invisible characters go.' },
    HTML: { description: 'Tags, comments and scripts go; references become characters.' },
    MASK_PII: {
      description: 'E-mail addresses, telephone numbers, cards, accounts and keys become `[EMAIL]`, `[PHONE]`, …',
    },
    DEDUPLICATE: { description: 'Later copies of the same text with the same answer are left out of the version.' },
  },
});
@InputType({ description: 'A file of a new version.' })
export class DataFileInput {
  @Field(() => ID, { description: 'A file uploaded with `POST /files`.' })
  file!: string;

  @Field(() => ID, {
    nullable: true,
    description: 'The other side of a parallel corpus: record n of both makes one row. Read with the same mapping.',
  })
  pair?: string | null;

  @Field(() => Split, {
    nullable: true,
    description: 'Split of all its rows; else the SPLIT column or the split rule decides.',
  })
  split?: Split | null;

  @Field(() => FileMappingInput, {
    nullable: true,
    description: 'How it is read; what is left out is guessed as `previewImport` does.',
  })
  mapping?: FileMappingInput | null;
}

@InputType({
  description:
    'How rows without a given split get theirs: from a hash of their group, so that they keep it in every version.',
})
export class SplitRuleInput {
  @Field(() => String, { defaultValue: 'graft', description: 'Another seed gives other splits.' })
  seed!: string;

  @Field(() => Float, { defaultValue: 0.1, description: 'Share for validation, 0 or more.' })
  validation!: number;

  @Field(() => Float, {
    defaultValue: 0.1,
    description: 'Share for the test, 0 or more; less than 1 with the one for validation.',
  })
  test!: number;
}

@InputType({ description: 'A new version of a dataset.' })
export class AddDatasetVersionInput {
  @Field(() => String, { description: 'Name of the dataset.' })
  dataset!: string;

  @Field(() => [DataFileInput], { description: '1 to 20 files.' })
  files!: DataFileInput[];

  @Field(() => Boolean, {
    defaultValue: false,
    description:
      'Whether the rows of the newest version are carried over: new rows are added to them and replace those with the same key, in the same split where both were given.',
  })
  extend!: boolean;

  @Field(() => [PreprocessingStep], {
    nullable: true,
    description:
      'At most 6 steps, each once, that texts go through in this order. By default those of the version that is extended, else none.',
  })
  steps?: PreprocessingStep[] | null;

  @Field(() => SplitRuleInput, {
    nullable: true,
    description: 'By default that of the newest version, else a tenth each for validation and test.',
  })
  splitRule?: SplitRuleInput | null;

  @Field(() => [String], {
    nullable: true,
    description:
      'Names of feature views to join as of the EVENT_TIME of each row, those that are carried over too; at most 20. By default those of the version that is extended, else none.',
  })
  features?: string[] | null;

  @Field(() => Int, {
    defaultValue: 2048,
    description: 'Longest example in tokens of the model; longer ones are errors.',
  })
  maxTokens!: number;

  @Field(() => Int, { defaultValue: 5, description: 'A label with fewer rows for training is reported.' })
  minRowsPerLabel!: number;

  @Field(() => ID, { description: IDEMPOTENCY_KEY })
  idempotencyKey!: string;
}

@InputType({ description: 'A file to look at.' })
export class PreviewImportInput {
  @Field(() => ID, { description: 'A file uploaded with `POST /files`.' })
  file!: string;

  @Field(() => TaskKind, { nullable: true, description: 'What it shall teach; guessed when left out.' })
  task?: TaskKind | null;

  @Field(() => FileMappingInput, { nullable: true, description: 'What is known about it already.' })
  mapping?: FileMappingInput | null;
}

@ObjectType({ description: 'A row as it would be imported.' })
export class PreviewRow {
  @Field(() => RowContentType, { nullable: true, description: 'What it would hold; null when the record is no row.' })
  content!: RowContent | null;

  @Field(() => String, { nullable: true, description: 'What is wrong with the record; null when nothing is.' })
  fault!: string | null;
}

@ObjectType('ImportPreview', { description: 'What a file seems to hold; nothing is stored.' })
export class ImportPreviewType {
  @Field(() => TaskKind, { nullable: true, description: 'The task that it fits; null when none does.' })
  task!: TaskKind | null;

  @Field(() => FileMappingType, { description: 'How it would be read.' })
  mapping!: FileMappingType;

  @Field(() => [String], { description: 'Its columns.' })
  columns!: string[];

  @Field(() => [[JsonScalar]], { description: 'Its first records, at most 10, one value a column.' })
  sample!: unknown[][];

  @Field(() => [PreviewRow], { description: 'The rows that they would become.' })
  rows!: PreviewRow[];

  @Field(() => String, { nullable: true, description: 'Why it can’t be imported with this mapping; null when it can.' })
  problem!: string | null;
}

@InputType({ description: 'Rows to delete: by exactly one of `subject` and `keys`.' })
export class DeleteDatasetRowsInput {
  @Field(() => String, { description: 'Name of the dataset.' })
  dataset!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Whom the rows are about, as the SUBJECT column names them, or the ENTITY column.',
  })
  subject?: string | null;

  @MaxItems(1_000)
  @Field(() => [String], { nullable: true, description: 'Keys of the rows; at most 1,000.' })
  keys?: string[] | null;

  @Field(() => Split, {
    nullable: true,
    description: 'With `keys`: the split that they stand in, where ids begin anew in each; by default any.',
  })
  split?: Split | null;

  @Field(() => String, {
    description: 'Why; it stands at the versions that are withdrawn. Leave the person’s name out.',
  })
  reason!: string;

  @Field(() => ID, { description: IDEMPOTENCY_KEY })
  idempotencyKey!: string;
}

@ObjectType({ description: 'A file with deleted rows that a deletion left.' })
export class KeptFile {
  @Field(() => FileType, { description: 'The file.' })
  file!: FileType;

  @Field(() => String, { description: 'What is still made of it, and what to do.' })
  reason!: string;
}

export const importRuns = runGraph(importing.handledBy(({ importer }: Data, context) => importer.run(context)));
const ImportRun = importRuns.Run;
type ImportRun = InstanceType<typeof ImportRun>;

const ImportRunPayload = importRuns.payload('ImportRunPayload', 'The run that makes the version.');
type ImportRunPayload = InstanceType<typeof ImportRunPayload>;

@Resolver(() => ImportRun)
export class ImportResolver {
  constructor(private readonly data: Data) {}

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
    const preview = await this.data.datasets.preview(workspaceId, { fileId, task: input.task ?? null, mapping });
    const rows = preview.rows.map((row) =>
      'fault' in row ? { content: null, fault: row.fault.message } : { content: row, fault: null },
    );
    return { ...preview, rows };
  }

  @Needs('EDIT')
  @SpendsBudget('RUN')
  @Mutation(() => ImportRunPayload, {
    description:
      'Reads files into a new version of a dataset, as a run. What is wrong with single rows stands in the report of the version; what makes a file unreadable is said at once or fails the run.',
    complexity: cost(100),
  })
  async addDatasetVersion(
    @Arg('input', () => AddDatasetVersionInput, { description: 'Which files, and how they are read.' })
    input: AddDatasetVersionInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<ImportRunPayload> {
    const files: NewImport['files'] = input.files.map(({ file, pair, split, mapping }, i) => ({
      fileId: fromGlobalId(file, 'File', `input.files.${i}.file`),
      pairId: pair ? fromGlobalId(pair, 'File', `input.files.${i}.pair`) : null,
      split: split ?? null,
      mapping: fromMappingInput(mapping, `input.files.${i}.mapping`),
    }));
    return { run: runObject(await this.data.datasets.addVersion(workspaceId, { ...input, files })) };
  }

  @Needs('EDIT')
  @Mutation(() => ImportRunPayload, {
    description:
      'Deletes the rows about a person: a version without them is made, as a run, and all versions that have them are withdrawn and their rows erased, with what was made of those versions (exports, training examples) and the uploaded files that they were made of, under whatever name they were uploaded. A file that a standing version was also made of stays: see `keptFiles`. Rows of feature views whose entity is `subject`, and answers that were told them, go at once, in all of the workspace. An import under way that reads a deleted file fails. Not found and so left: files that `importFeatures` read, documents of collections, and answers that name a person otherwise.',
    complexity: cost(100),
  })
  async deleteDatasetRows(
    @Arg('input', () => DeleteDatasetRowsInput, { description: 'Which rows, and why.' }) input: DeleteDatasetRowsInput,
    @Ctx() { workspaceId, change }: GraphContext,
  ): Promise<ImportRunPayload> {
    const dataset = await this.data.store.byName(workspaceId, input.dataset);
    const was = dataset && (await this.data.store.latest(dataset.id));
    if (was) change.before = { dataset: input.dataset, version: was.version };
    return { run: runObject(await this.data.datasets.deleteRows(workspaceId, input)) };
  }

  @FieldResolver(() => Dataset, {
    nullable: true,
    description: 'The dataset that gets a version.',
    complexity: cost(2),
  })
  async dataset(@Root() { row }: ImportRun, @Ctx() context: GraphContext): Promise<Dataset | null> {
    return row.subjectId ? loadDataset(context, this.data, row.subjectId) : null;
  }

  @FieldResolver(() => DatasetVersion, {
    nullable: true,
    description: 'The version that it made, or found to exist already; null before its end.',
    complexity: cost(5),
  })
  async version(@Root() { row }: ImportRun, @Ctx() context: GraphContext): Promise<DatasetVersion | null> {
    const id = importing.outputOf(row)?.versionId;
    return id ? loadVersion(context, this.data, id) : null;
  }

  @FieldResolver(() => Boolean, {
    nullable: true,
    description: 'False when a version of the very same content existed already; null before its end.',
  })
  created(@Root() { row }: ImportRun): boolean | null {
    return importing.outputOf(row)?.created ?? null;
  }

  @FieldResolver(() => [DatasetVersion], { description: 'Versions that it withdrew.', complexity: cost(5) })
  async withdrawn(@Root() { row }: ImportRun, @Ctx() context: GraphContext): Promise<DatasetVersion[]> {
    const ids = importing.outputOf(row)?.withdrawn ?? [];
    const versions = await Promise.all(ids.map((id) => loadVersion(context, this.data, id)));
    return versions.filter((version) => version !== null);
  }

  @FieldResolver(() => [String], {
    description: 'Names of the uploads and exports that a deletion deleted; empty before its end.',
  })
  deletedFiles(@Root() { row }: ImportRun): string[] {
    return importing.outputOf(row)?.deletedFiles ?? [];
  }

  @FieldResolver(() => [KeptFile], {
    description: 'Files with deleted rows that a deletion left because a standing version was made of them.',
    complexity: cost(5),
  })
  async keptFiles(@Root() { row }: ImportRun, @Ctx() context: GraphContext): Promise<KeptFile[]> {
    const kept = importing.outputOf(row)?.keptFiles ?? [];
    const files = await Promise.all(kept.map(({ fileId }) => loadFile(context, this.data.parts.files, fileId)));
    // A later deletion may have taken it.
    return kept.flatMap(({ reason }, i) => (files[i] ? [{ file: files[i], reason }] : []));
  }
}
