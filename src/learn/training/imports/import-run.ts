import { z } from 'zod';
import { TASK_KINDS } from '../../../sources/data/index.js';
import { storedJson } from '../../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../../platform/runs/index.js';

export const adapterImport = defineRunKind({
  kind: 'ADAPTER_IMPORT',
  description: 'An adapter that was trained elsewhere is checked against its base model and becomes a version.',
  subject: 'File',
  input: storedJson(
    z.object({
      adapter: z.string(),
      description: z.string(),
      task: z.enum(TASK_KINDS),
      modelId: z.string(),
      variantId: z.string(),
      /** PEFT's two files, or one archive of the folder that they are in. */
      configFileId: z.string().nullish(),
      weightsFileId: z.string().nullish(),
      archiveFileId: z.string().nullish(),
      labels: z.array(z.string()),
      languages: z.object({ source: z.string(), target: z.string() }).nullable(),
    }),
  ),
  output: storedJson(z.object({ adapterVersionId: z.string() })),
  occupies: 'train-worker',
  brief: true,
});
export type AdapterImportContext = ContextOf<typeof adapterImport>;
export type AdapterImportInput = AdapterImportContext['input'];
