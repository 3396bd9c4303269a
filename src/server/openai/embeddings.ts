import { z } from 'zod';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { ModelRegistry } from '../../sources/registry/index.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import { RefusedField } from './errors.js';
import { standIn, type ModelTable } from './model-names.js';
import { anything, filledText, objectOf } from './fields.js';

export interface EmbeddingParts {
  worker: Pick<WorkerClient, 'embed' | 'countTokens'>;
  registry: Pick<ModelRegistry, 'embedder'>;
  names: { table: ModelTable };
}

/** As many as OpenAI takes. */
const MOST_TEXTS = 2_048;
/** UTF-16 units of a text; the embedder reads far fewer tokens and says where a text was longer. */
const LONGEST_TEXT = 100_000;

/** A text that is embedded. */
export const longText = filledText.max(LONGEST_TEXT).transform((text) => text.toWellFormed());

/** Token ids are those of a tokenizer that the request does not name. */
const TOKENS = 'Send the texts themselves, not token ids; in LangChain: check_embedding_ctx_length=False.';
const listedText = z
  .string({ error: ({ input }) => (typeof input === 'number' || Array.isArray(input) ? TOKENS : 'must be a string.') })
  .pipe(longText);
const COUNT = `must be a text, or a list of 1 to ${MOST_TEXTS} texts.`;

/** A body of `POST /v1/embeddings`. */
export const embeddingsBody = objectOf({
  model: filledText,
  input: z.union(
    [longText.transform((text) => [text]), z.array(listedText).min(1, COUNT).max(MOST_TEXTS, COUNT)],
    COUNT,
  ),
  encoding_format: z.enum(['float', 'base64']).default('float'),
  dimensions: z.int().optional(),
  user: anything,
});
type EmbeddingsBody = z.output<typeof embeddingsBody>;

/**
 * `POST /v1/embeddings`: vectors of unit length by the workspace's embedder. Base64 holds 32-bit floats, little-endian.
 * @returns does what was asked for, and throws what the worker throws
 * @throws RefusedField at once
 */
export function embeddingsOf(parts: EmbeddingParts, workspaceId: WorkspaceId, body: EmbeddingsBody) {
  const { model, input: texts, encoding_format: format, dimensions } = body;
  const embedder = parts.registry.embedder();
  checkModel(standIn(parts.names.table, model), embedder.name);
  if (dimensions !== undefined && dimensions !== embedder.dimensions)
    throw new RefusedField(
      'dimensions',
      'unsupported_value',
      `${embedder.name} has ${embedder.dimensions} dimensions.`,
      'Leave it out.',
    );
  return async (signal: AbortSignal) => {
    const { vectors, tokens } = await parts.worker.embed({ workspaceId, embedder, texts }, { signal });
    return {
      object: 'list' as const,
      data: vectors.map((vector, index) => ({
        object: 'embedding' as const,
        index,
        embedding: encoded(vector, format),
      })),
      model: embedder.name,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    };
  };
}

/** @throws RefusedField for another model than the one that embeds here */
export function checkModel(model: string, embedder: string): void {
  if (model !== embedder && model !== 'graft')
    throw new RefusedField(
      'model',
      'unsupported_value',
      `The embedder here is ${embedder}.`,
      `Send "${embedder}" or "graft".`,
    );
}

const encoded = (vector: Float32Array, format: EmbeddingsBody['encoding_format']): number[] | string => {
  if (format === 'float') return [...vector];
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((value, index) => bytes.writeFloatLE(value, index * 4));
  return bytes.toString('base64');
};
