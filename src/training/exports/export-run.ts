import { z } from 'zod';
import { storedJson } from '../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../platform/runs/index.js';
import { MERGE_PRECISIONS } from '../../worker-protocol/index.js';

export const adapterExport = defineRunKind({
  kind: 'ADAPTER_EXPORT',
  description: 'An adapter version is packed as the folder that Python’s `peft` loads.',
  subject: 'AdapterVersion',
  input: storedJson(z.object({ adapterVersionId: z.string() })),
  output: storedJson(z.object({ fileId: z.string() })),
});
export type AdapterExportContext = ContextOf<typeof adapterExport>;

/** How a merged model agrees with its base model under the adapter, both as they are served. */
const mergeParity = z.object({
  /** Places of the probes at which both were asked for the next token. */
  places: z.number().int(),
  /** Mean KL(base + adapter ‖ merged) in nats a token, and the standard error of that mean. */
  meanKl: z.number(),
  klStandardError: z.number(),
  /** Share of places where both hold the same token for the most probable. */
  topAgreement: z.number(),
  /** Mean KL(base + adapter ‖ base) at the same places: what the adapter changes at all. */
  effectKl: z.number(),
});
export type MergeParity = z.infer<typeof mergeParity>;

export const adapterMerge = defineRunKind({
  kind: 'ADAPTER_MERGE',
  description: 'An adapter version and its base model become one model file, which is held against the two.',
  subject: 'AdapterVersion',
  input: storedJson(z.object({ adapterVersionId: z.string(), precision: z.enum(MERGE_PRECISIONS).nullable() })),
  output: storedJson(z.object({ fileId: z.string(), modules: z.number().int(), parity: mergeParity })),
  occupies: 'train-worker',
});
export type AdapterMergeContext = ContextOf<typeof adapterMerge>;
