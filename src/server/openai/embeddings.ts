import type { WorkspaceId } from '../../kernel/ids.js';
import type { ModelRegistry } from '../../sources/registry/index.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import { RefusedField } from './errors.js';
import { standIn, type ModelTable } from './model-names.js';
import { fieldsOf, optionalNumber, optionalText, refuseOthers, requiredText, type Fields } from './fields.js';

export interface EmbeddingParts {
  worker: Pick<WorkerClient, 'embed' | 'countTokens'>;
  registry: Pick<ModelRegistry, 'embedder'>;
  names: { table: ModelTable };
}

/** As many as OpenAI takes. */
const MOST_TEXTS = 2_048;
/** UTF-16 units of a text; the embedder reads far fewer tokens and says where a text was longer. */
const LONGEST_TEXT = 100_000;

type Format = 'float' | 'base64';

/**
 * `POST /v1/embeddings`: vectors of unit length by the workspace's embedder. Base64 holds 32-bit floats, little-endian.
 * @returns does what was asked for, and throws what the worker throws
 * @throws RefusedField at once
 */
export function embeddingsOf(parts: EmbeddingParts, workspaceId: WorkspaceId, body: unknown) {
  const fields = fieldsOf(body);
  refuseOthers(fields, ['model', 'input', 'encoding_format', 'dimensions'], { user: 'any' });
  const embedder = parts.registry.embedder();
  const model = requiredText(fields, 'model');
  checkModel(standIn(parts.names.table, model), embedder.name);
  const format = formatOf(fields);
  const dimensions = optionalNumber(fields, 'dimensions');
  if (dimensions !== null && dimensions !== embedder.dimensions)
    throw new RefusedField(
      'dimensions',
      'unsupported_value',
      `${embedder.name} has ${embedder.dimensions} dimensions.`,
      'Leave it out.',
    );
  const texts = textsOf(fields);
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

function formatOf(fields: Fields): Format {
  const format = optionalText(fields, 'encoding_format') ?? 'float';
  if (format !== 'float' && format !== 'base64')
    throw new RefusedField('encoding_format', 'unsupported_value', 'encoding_format must be "float" or "base64".');
  return format;
}

function textsOf({ input }: Fields): string[] {
  const list: unknown[] = Array.isArray(input) ? input : [input];
  if (list.length === 0 || list.length > MOST_TEXTS)
    throw new RefusedField('input', 'invalid_value', `input must have 1 to ${MOST_TEXTS} texts.`);
  return list.map((text, index) => {
    if (typeof text === 'number' || Array.isArray(text))
      throw new RefusedField(
        'input',
        'unsupported_value',
        'Token ids are those of a tokenizer that the request does not name.',
        'Send the texts themselves; in LangChain: check_embedding_ctx_length=False.',
      );
    if (typeof text !== 'string' || text === '')
      throw new RefusedField(`input[${index}]`, 'invalid_value', 'A text to embed must be a string that is not empty.');
    if (text.length > LONGEST_TEXT)
      throw new RefusedField(
        `input[${index}]`,
        'invalid_value',
        `A text has at most ${LONGEST_TEXT} characters, not ${text.length}.`,
      );
    return text.toWellFormed();
  });
}

const encoded = (vector: Float32Array, format: Format): number[] | string => {
  if (format === 'float') return [...vector];
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((value, index) => bytes.writeFloatLE(value, index * 4));
  return bytes.toString('base64');
};
