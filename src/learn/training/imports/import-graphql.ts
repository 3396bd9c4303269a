import { toVersion } from '../adapters/adapter-graphql.js';
import { z } from 'zod';
import { FileType, loadFile, TaskKind } from '../../../sources/data/index.js';
import {
  fromGlobalId,
  runGraph,
  inputType,
  ofType,
  objectType,
  idempotencyKey,
  fieldsOf,
  toItsOwn,
} from '../../../kit/graphql/index.js';
import { badInput } from '../../../kernel/errors.js';
import type { FileService } from '../../../platform/artifacts/index.js';
import type { AdapterRegistry } from '../../../sources/registry/index.js';
import { AdapterVersion } from '../adapters/adapter-types.js';
import type { AdapterImporter } from './adapter-importer.js';
import { adapterImport } from './import-run.js';
import { string, oneOf, id } from '../../../kernel/record.js';

export const adapterImportRuns = runGraph(
  adapterImport.handledBy(({ importer }: { importer: AdapterImporter }, context) => importer.import(context)),
);

const LanguagePairInput = inputType('LanguagePairInput', 'Two languages, ISO 639-1.', {
  source: string('Translated from, e.g. `en`.'),
  target: string('Translated into, e.g. `de`.'),
});

const ImportAdapterInput = inputType(
  'ImportAdapterInput',
  'An adapter that was trained elsewhere: what Python’s `peft` saves, uploaded as its two files or as one archive.',
  {
    adapter: string('Name of the adapter; a new version of it if there is one.'),
    description: z.string().optional().default('').describe('What it is for; at most 2,000 characters.'),
    task: oneOf(TaskKind, 'What it was trained for; its examples must have had Graft’s prompts.'),
    model: string('The base model, `name` or `name@quantization`; the default one by default.').nullish(),
    archive: id(
      'Id of an uploaded ZIP archive of the folder, in place of `config` and `weights`: at most 200 entries, of which these two are read, and `graft.json` where Graft exported it.',
    ).nullish(),
    config: id('Id of the uploaded `adapter_config.json`, at most 1 MiB; without `archive`.').nullish(),
    weights: id(
      'Id of the uploaded `adapter_model.safetensors`, at most 1.5 GiB; without `archive`. `adapter_model.bin` is refused.',
    ).nullish(),
    labels: z
      .array(z.string())
      .max(1_000)
      .optional()
      .default([])
      .describe(
        'The labels that it answers with, at most 1,000; for CLASSIFICATION and EXTRACTION. Left out, an archive that Graft exported tells them.',
      ),
    languages: ofType(() => LanguagePairInput)
      .nullish()
      .describe('For TRANSLATION.'),
    idempotencyKey,
  },
);
type ImportAdapterInput = InstanceType<typeof ImportAdapterInput>;

const AdapterFiles = objectType(
  'AdapterFiles',
  'The files of an adapter version: the first two are what Python’s `peft` loads.',
  {
    config: ofType(() => FileType)
      .nullable()
      .describe('`adapter_config.json`.'),
    weights: ofType(() => FileType)
      .nullable()
      .describe('`adapter_model.safetensors`.'),
    gguf: ofType(() => FileType)
      .nullable()
      .describe('The GGUF LoRA that is served; llama.cpp’s `--lora` takes it.'),
  },
);
type AdapterFiles = InstanceType<typeof AdapterFiles>;

interface AdapterImportResolverParts {
  importer: AdapterImporter;
  adapters: AdapterRegistry;
  files: FileService;
}

export const AdapterImportResolver = adapterImportRuns.startedBy('importAdapter', {
  description:
    'Adds a LoRA adapter that was trained elsewhere. It is held against its base model module by module; what doesn’t fit, is no plain LoRA, or is pickled is refused. Like any other it answers after it was attested and promoted.',
  input: ImportAdapterInput,
  argument: 'The files and what they are for.',
  payload: 'The run that checks the adapter and adds it.',
  run: (parts: AdapterImportResolverParts, input, { workspaceId }) => {
    const { archive, config, weights, model = null, languages = null, ...rest } = input;
    const wish = {
      ...rest,
      model,
      languages: languages && { source: languages.source, target: languages.target },
      files: filesOf({ archive, config, weights }),
    };
    return parts.importer.start(workspaceId, wish);
  },
  fields: {
    version: toVersion(
      'The version; null until the run succeeded.',
      ({ row }) => adapterImport.outputOf(row)?.adapterVersionId ?? null,
    ),
  },
});

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

export const AdapterFilesResolver = fieldsOf<AdapterVersion, AdapterImportResolverParts>(() => AdapterVersion, {
  files: toItsOwn(
    () => AdapterFiles,
    'Its files to download: put the first two into a folder under their names, and `peft` loads it.',
    async ({ row }, context, { files }) => {
      const fileOf = (id: string): Promise<FileType | null> => loadFile(context, files, id);
      const [config, weights, gguf] = await Promise.all(
        [row.configFileId, row.weightsFileId, row.ggufFileId].map(fileOf),
      );
      return { config: config ?? null, weights: weights ?? null, gguf: gguf ?? null };
    },
  ),
});
