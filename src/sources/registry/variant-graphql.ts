import { z } from 'zod';
import { make, toGlobalId, type GraphContext, nodeType } from '../../kit/graphql/index.js';
import { storedChat, type VariantRow } from './model.js';
import type { ModelRegistry } from './model-registry.js';
import { string, date } from '../../kernel/record.js';

export const ModelVariant = nodeType('ModelVariant', 'One stored form of a model: one file with one quantization.', {
  quantization: string(
    'How it was quantized, in GGUF’s words: `F16`, `Q8_0`, `Q4_K_M`…; what its file says, else how most of its weights are stored.',
  ),
  sha256: string('SHA-256 of its file, 64 hexadecimal digits.'),
  bytes: z.bigint().describe('Size of its file in bytes.'),
  contextLength: z.int().describe('Longest context that it was trained for, in tokens.'),
  vocabulary: z.int().describe('Number of tokens in its vocabulary.'),
  chatTemplate: string('Its chat template (Jinja); null when its file has none.').nullable(),
  unusableBecause: string(
    'Why its chat template can’t be used, so that asking it is refused with `MODEL_UNSUPPORTED`; null when it can, or when nobody has looked yet: that is done at the next start, or when it is asked.',
  ).nullable(),
  createdAt: date('When it was registered.'),
  modelId: z.custom<string>(),
  sourceId: z.custom<string | null>(),
  measurement: z.custom<unknown>(),
});
export type ModelVariant = InstanceType<typeof ModelVariant>;

export const toModelVariant = (row: VariantRow): ModelVariant =>
  make(ModelVariant, { ...row, id: toGlobalId('ModelVariant', row.id), unusableBecause: unusableBecause(row) });

function unusableBecause({ chat }: VariantRow): string | null {
  const form = chat === null ? null : storedChat.decode(chat);
  return form?.kind === 'unusable' ? form.reason : null;
}

/** A variant by row id, batched over the request: for the fields of other domains that point to one. */
export async function loadVariant(
  context: GraphContext,
  registry: ModelRegistry,
  id: string,
): Promise<ModelVariant | null> {
  const rows = context.loader<string, VariantRow>('registry.variantsById', (ids) =>
    registry.variantsById(context.workspaceId, ids),
  );
  const row = await rows.load(id);
  return row ? toModelVariant(row) : null;
}
