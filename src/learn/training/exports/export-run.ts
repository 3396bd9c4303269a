import { record, int, float } from '../../../kernel/record.js';
import { z } from 'zod';
import { storedJson } from '../../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../../platform/runs/index.js';
import { MERGE_PRECISIONS } from '../../../worker-protocol/index.js';

export const adapterExport = defineRunKind({
  kind: 'ADAPTER_EXPORT',
  description: 'An adapter version is packed as the folder that Python’s `peft` loads.',
  subject: 'AdapterVersion',
  input: storedJson(z.object({ adapterVersionId: z.string() })),
  output: storedJson(z.object({ fileId: z.string() })),
});
export type AdapterExportContext = ContextOf<typeof adapterExport>;

/**
 * How far a merged model may be from base + adapter, on the probes. A base model of few bits is served with quantised activations where it
 * is not merged and without where it is, so that the two never agree to the last digit; a share of what the adapter changes tells a merge
 * that left something out from that noise.
 */
export const MERGE_TOLERANCE = { meanKl: 0.02, topAgreement: 0.95, shareOfEffect: 0.25 } as const;

export const mergeParity = record(
  'MergeParity',
  `How a merged model agrees with its base model under the adapter, both as they are served, on fixed probes: the prompts of an attestation and three general texts. It is refused above ${MERGE_TOLERANCE.meanKl} nats, below ${100 * MERGE_TOLERANCE.topAgreement} % of the places, or where it differs by more than ${100 * MERGE_TOLERANCE.shareOfEffect} % of what the adapter changes.`,
  {
    places: int('Places at which both were asked for the next token.'),
    meanKl: float('Mean KL divergence from base + adapter over the whole vocabulary, in nats a token.'),
    klStandardError: float('Standard error of that mean, in nats.'),
    topAgreement: float('Share of places where both hold the same token for the most probable, 0 to 1.'),
    effectKl: float(
      'Mean KL divergence of the base model without the adapter at the same places: what the adapter changes.',
    ),
  },
);
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
