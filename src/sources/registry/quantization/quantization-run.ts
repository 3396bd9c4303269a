import { z } from 'zod';
import { storedJson } from '../../../kernel/stored-json.js';
import { defineRunKind, type ContextOf } from '../../../platform/runs/index.js';
import { QUANTIZATION_TYPES } from '../../../worker-protocol/index.js';

export const quantization = defineRunKind({
  kind: 'QUANTIZATION',
  description: 'A variant of a model is stored in a smaller type and held against where it came from.',
  subject: 'ModelVariant',
  input: storedJson(z.object({ sourceId: z.string(), modelId: z.string(), type: z.enum(QUANTIZATION_TYPES) })),
  output: storedJson(z.object({ variantId: z.string() })),
  occupies: 'train-worker',
});
export type QuantizationContext = ContextOf<typeof quantization>;
