import { z } from 'zod';
import { isUuid, type Uuid } from '../../kernel/ids.js';
import { storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';

/** Where a model is to come from. */
const modelSource = z.discriminatedUnion('from', [
  z.object({
    from: z.literal('upload'),
    fileId: z.custom<Uuid>((value) => typeof value === 'string' && isUuid(value)),
  }),
  z.object({ from: z.literal('catalogue'), name: z.string() }),
  z.object({
    from: z.literal('hub'),
    file: z.object({ repo: z.string(), file: z.string(), revision: z.string().optional() }),
  }),
]);
export type ModelSource = z.infer<typeof modelSource>;

const downloadOutput = z.object({ variantId: z.string(), modelId: z.string() });
export type DownloadOutput = z.infer<typeof downloadOutput>;

export const downloading = defineRunKind({
  kind: 'DOWNLOAD',
  description: 'A model of the catalogue or of a hub is fetched and verified.',
  input: storedJson(z.object({ source: modelSource, name: z.string().nullable() })),
  output: storedJson(downloadOutput),
  /** Bytes that are there, and of the whole file; 0 while unknown. */
  events: { progress: storedJson(z.object({ bytes: z.number(), totalBytes: z.number() })) },
  concurrency: 2,
});
export type DownloadContext = ContextOf<typeof downloading>;
