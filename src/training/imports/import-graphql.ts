import { Arg, Ctx, Field, FieldResolver, ID, InputType, Mutation, ObjectType, Resolver, Root } from 'type-graphql';
import { FileType, loadFile, TaskKind } from '../../data/index.js';
import {
  SpendsBudget,
  Needs,
  cost,
  fromGlobalId,
  MaxItems,
  runGraph,
  runObject,
  type GraphContext,
} from '../../graphql-kit/index.js';
import { badInput } from '../../kernel/errors.js';
import type { FileService } from '../../platform/artifacts/index.js';
import type { AdapterRegistry } from '../../registry/index.js';
import { loadAdapterVersion } from '../adapters/adapter-graphql.js';
import { AdapterVersion } from '../adapters/adapter-types.js';
import type { AdapterImporter } from './adapter-importer.js';
import { adapterImport } from './import-run.js';

export const adapterImportRuns = runGraph(
  adapterImport.handledBy(({ importer }: { importer: AdapterImporter }, context) => importer.import(context)),
);
const AdapterImportRun = adapterImportRuns.Run;
type AdapterImportRun = InstanceType<typeof AdapterImportRun>;

@InputType({ description: 'Two languages, ISO 639-1.' })
export class LanguagePairInput {
  @Field(() => String, { description: 'Translated from, e.g. `en`.' })
  source!: string;

  @Field(() => String, { description: 'Translated into, e.g. `de`.' })
  target!: string;
}

@InputType({
  description:
    'An adapter that was trained elsewhere: what Python’s `peft` saves, uploaded as its two files or as one archive.',
})
export class ImportAdapterInput {
  @Field(() => String, { description: 'Name of the adapter; a new version of it if there is one.' })
  adapter!: string;

  @Field(() => String, { nullable: true, defaultValue: '', description: 'What it is for; at most 2,000 characters.' })
  description!: string;

  @Field(() => TaskKind, { description: 'What it was trained for; its examples must have had Graft’s prompts.' })
  task!: TaskKind;

  @Field(() => String, {
    nullable: true,
    description: 'The base model, `name` or `name@quantization`; the default one by default.',
  })
  model?: string | null;

  @Field(() => ID, {
    nullable: true,
    description:
      'Id of an uploaded ZIP archive of the folder, in place of `config` and `weights`: at most 200 entries, of which these two are read, and `graft.json` where Graft exported it.',
  })
  archive?: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Id of the uploaded `adapter_config.json`, at most 1 MiB; without `archive`.',
  })
  config?: string | null;

  @Field(() => ID, {
    nullable: true,
    description:
      'Id of the uploaded `adapter_model.safetensors`, at most 1.5 GiB; without `archive`. `adapter_model.bin` is refused.',
  })
  weights?: string | null;

  @Field(() => [String], {
    nullable: true,
    defaultValue: [],
    description:
      'The labels that it answers with, at most 1,000; for CLASSIFICATION and EXTRACTION. Left out, an archive that Graft exported tells them.',
  })
  @MaxItems(1_000)
  labels!: string[];

  @Field(() => LanguagePairInput, { nullable: true, description: 'For TRANSLATION.' })
  languages?: LanguagePairInput | null;

  @Field(() => ID, { description: 'The same key with the same input is the same run; 1 to 200 characters.' })
  idempotencyKey!: string;
}

const ImportAdapterPayload = adapterImportRuns.payload(
  'ImportAdapterPayload',
  'The run that checks the adapter and adds it.',
);
type ImportAdapterPayload = InstanceType<typeof ImportAdapterPayload>;

@ObjectType({ description: 'The files of an adapter version: the first two are what Python’s `peft` loads.' })
export class AdapterFiles {
  @Field(() => FileType, { nullable: true, description: '`adapter_config.json`.' })
  config!: FileType | null;

  @Field(() => FileType, { nullable: true, description: '`adapter_model.safetensors`.' })
  weights!: FileType | null;

  @Field(() => FileType, {
    nullable: true,
    description: 'The GGUF LoRA that is served; llama.cpp’s `--lora` takes it.',
  })
  gguf!: FileType | null;
}

export interface AdapterImportResolverParts {
  importer: AdapterImporter;
  adapters: AdapterRegistry;
  files: FileService;
}

@Resolver(() => AdapterImportRun)
export class AdapterImportResolver {
  constructor(private readonly parts: AdapterImportResolverParts) {}

  @Needs('EDIT')
  @SpendsBudget('RUN')
  @Mutation(() => ImportAdapterPayload, {
    description:
      'Adds a LoRA adapter that was trained elsewhere. It is held against its base model module by module; what doesn’t fit, is no plain LoRA, or is pickled is refused. Like any other it answers after it was attested and promoted.',
    complexity: cost(20),
  })
  async importAdapter(
    @Arg('input', () => ImportAdapterInput, { description: 'The files and what they are for.' })
    input: ImportAdapterInput,
    @Ctx() { workspaceId }: GraphContext,
  ): Promise<ImportAdapterPayload> {
    const { archive, config, weights, model = null, languages = null, ...rest } = input;
    const wish = {
      ...rest,
      model,
      languages: languages && { source: languages.source, target: languages.target },
      files: filesOf({ archive, config, weights }),
    };
    return { run: runObject(await this.parts.importer.start(workspaceId, wish)) };
  }

  @FieldResolver(() => AdapterVersion, {
    nullable: true,
    description: 'The version; null until the run succeeded.',
    complexity: cost(2),
  })
  async version(@Root() { row }: AdapterImportRun, @Ctx() context: GraphContext): Promise<AdapterVersion | null> {
    const output = adapterImport.outputOf(row);
    return output && loadAdapterVersion(context, this.parts.adapters, output.adapterVersionId);
  }
}

/** @throws BAD_USER_INPUT unless there is either an archive or both files */
function filesOf({ archive, config, weights }: Pick<ImportAdapterInput, 'archive' | 'config' | 'weights'>) {
  if (archive && !config && !weights) return { archiveFileId: fromGlobalId(archive, 'File', 'input.archive') };
  if (archive || !config || !weights)
    throw badInput('input.archive', 'Name either an archive, or both config and weights.');
  return {
    configFileId: fromGlobalId(config, 'File', 'input.config'),
    weightsFileId: fromGlobalId(weights, 'File', 'input.weights'),
  };
}

@Resolver(() => AdapterVersion)
export class AdapterFilesResolver {
  constructor(private readonly parts: AdapterImportResolverParts) {}

  @FieldResolver(() => AdapterFiles, {
    description: 'Its files to download: put the first two into a folder under their names, and `peft` loads it.',
    complexity: cost(5),
  })
  async files(@Root() { row }: AdapterVersion, @Ctx() context: GraphContext): Promise<AdapterFiles> {
    const of = (id: string): Promise<FileType | null> => loadFile(context, this.parts.files, id);
    const [config, weights, gguf] = await Promise.all([row.configFileId, row.weightsFileId, row.ggufFileId].map(of));
    return { config: config ?? null, weights: weights ?? null, gguf: gguf ?? null };
  }
}
