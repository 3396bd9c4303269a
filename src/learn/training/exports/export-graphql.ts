import { toVersion } from '../adapters/adapter-graphql.js';
import { z } from 'zod';
import { FileType, loadFile } from '../../../sources/data/index.js';
import {
  runGraph,
  runObject,
  recordType,
  idempotencyKey,
  inputType,
  enumType,
  fieldsOf,
  toOne,
  toMany,
} from '../../../kit/graphql/index.js';
import { enumeration } from '../../../kernel/enumeration.js';
import type { FileService } from '../../../platform/artifacts/index.js';
import type { RunQueue } from '../../../platform/runs/index.js';
import type { AdapterRegistry } from '../../../sources/registry/index.js';
import { MERGE_PRECISIONS } from '../../../worker-protocol/index.js';
import { AdapterVersion } from '../adapters/adapter-types.js';
import type { AdapterExporter } from './adapter-exporter.js';
import type { AdapterMerger } from './adapter-merger.js';
import { adapterExport, adapterMerge, mergeParity } from './export-run.js';
import { string, oneOf } from '../../../kernel/record.js';

const MergePrecision = enumeration(...MERGE_PRECISIONS);
type MergePrecision = keyof typeof MergePrecision;
enumType(MergePrecision, 'MergePrecision', 'The type that the layers which an adapter changes are written in.', {
  F16: 'Half precision, 16 bits a weight.',
  F32: 'Single precision, 32 bits a weight: nothing is rounded.',
});

export const adapterExportRuns = runGraph(
  adapterExport.handledBy(({ exporter }: { exporter: AdapterExporter }, context) => exporter.export(context)),
);

export const adapterMergeRuns = runGraph(
  adapterMerge.handledBy(({ merger }: { merger: AdapterMerger }, context) => merger.merge(context)),
);
const AdapterMergeRun = adapterMergeRuns.Run;

const namedVersion = {
  adapter: string('Name of the adapter.'),
  version: z.int().describe('Number of the version, from 1.'),
  idempotencyKey,
};

const ExportAdapterInput = inputType('ExportAdapterInput', 'Which adapter version to pack.', namedVersion);

const MergeAdapterInput = inputType(
  'MergeAdapterInput',
  'Which adapter version becomes part of its base model, and how precisely.',
  {
    ...namedVersion,
    precision: oneOf(
      MergePrecision,
      'By default F32 where the base model has F32 or BF16, else F16. What the adapter doesn’t change stays.',
    ).nullish(),
  },
);

const MergeParity = recordType(mergeParity);
type MergeParity = InstanceType<typeof MergeParity>;

interface AdapterExportResolverParts {
  exporter: AdapterExporter;
  merger: AdapterMerger;
  adapters: AdapterRegistry;
  files: FileService;
  runs: Pick<RunQueue, 'list'>;
}

export const AdapterExportResolver = adapterExportRuns.startedBy('exportAdapter', {
  description:
    'Packs a version as a ZIP archive of the folder that Python’s `peft` loads, with a `graft.json` that tells Graft how to ask it: `importAdapter` takes the archive.',
  input: ExportAdapterInput,
  argument: 'Which version.',
  payload: 'The run that packs the version.',
  run: (parts: AdapterExportResolverParts, input, { workspaceId }) => parts.exporter.start(workspaceId, input),
  fields: {
    version: toVersion('The version that it packs.', ({ row }) => adapterExport.inputOf(row).adapterVersionId),
    file: toOne(
      () => FileType,
      'The archive, to be downloaded from its `path`; null before the end.',
      ({ row }, context, { files }: AdapterExportResolverParts) =>
        loadFile(context, files, adapterExport.outputOf(row)?.fileId ?? null),
    ),
  },
});

export const AdapterMergeResolver = adapterMergeRuns.startedBy('mergeAdapter', {
  description:
    'Writes base model and adapter into one GGUF file, which any llama.cpp serves, and holds it against the two as they are served here. `registerModel` takes the file.',
  cost: 50,
  input: MergeAdapterInput,
  argument: 'Which version, and how precisely.',
  payload: 'The run that merges the version.',
  run: (parts: AdapterExportResolverParts, { precision = null, ...input }, { workspaceId }) =>
    parts.merger.start(workspaceId, { ...input, precision }),
  fields: {
    version: toVersion('The version that it merges.', ({ row }) => adapterMerge.inputOf(row).adapterVersionId),
    file: toOne(
      () => FileType,
      'The model, to be downloaded from its `path` or registered by its id; null before the end.',
      ({ row }, context, { files }: AdapterExportResolverParts) =>
        loadFile(context, files, adapterMerge.outputOf(row)?.fileId ?? null),
    ),
    parity: toOne(
      () => MergeParity,
      'How it agrees with base model and adapter; null before the end.',
      ({ row }) => adapterMerge.outputOf(row)?.parity ?? null,
      { cost: 1 },
    ),
  },
});

const MOST_MERGES = 20;

export const MergedVersionResolver = fieldsOf<AdapterVersion, AdapterExportResolverParts>(() => AdapterVersion, {
  merges: toMany(
    () => AdapterMergeRun,
    'The runs that made a model of it and its base model, newest first; at most 20.',
    async ({ row }, { workspaceId }, { runs }) => {
      const filter = { kind: adapterMerge.kind, subjectId: row.id };
      const { items } = await runs.list(workspaceId, filter, { first: MOST_MERGES, after: null });
      return items.map(runObject);
    },
  ),
});
