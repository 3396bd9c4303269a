import type { WorkspaceId } from '../../kernel/ids.js';
import { dot } from '../../kernel/vectors.js';
import { RefusedField } from './errors.js';
import { checkModel, type EmbeddingParts } from './embeddings.js';
import { fieldsOf, optionalFlag, optionalNumber, refuseOthers, requiredText, type Fields } from './fields.js';

const MOST_DOCUMENTS = 1_000;
const LONGEST_TEXT = 100_000;

/**
 * `POST /v1/rerank`, in the form that Cohere and Jina gave it: documents in the order of their likeness to the query.
 * `relevance_score` is the cosine similarity by the workspace's embedder, -1 to 1.
 * @returns does what was asked for, and throws what the worker throws
 * @throws RefusedField at once
 */
export function rerankOf(parts: EmbeddingParts, workspaceId: WorkspaceId, body: unknown) {
  const fields = fieldsOf(body);
  refuseOthers(fields, ['model', 'query', 'documents', 'top_n', 'return_documents'], { user: 'any' });
  const embedder = parts.registry.embedder();
  checkModel(requiredText(fields, 'model'), embedder.name);
  const query = bounded(requiredText(fields, 'query'), 'query');
  const documents = documentsOf(fields);
  const limit = optionalNumber(fields, 'top_n') ?? documents.length;
  if (!Number.isInteger(limit) || limit < 1)
    throw new RefusedField('top_n', 'invalid_value', 'top_n must be a whole number from 1 on.');
  const returns = optionalFlag(fields, 'return_documents');
  return async (signal: AbortSignal) => {
    const { vectors } = await parts.worker.embed({ workspaceId, embedder, texts: [query, ...documents] }, { signal });
    const [asked, ...others] = vectors;
    const results = others
      .map((vector, index) => ({
        index,
        relevance_score: dot(asked!, vector),
        ...(returns && { document: { text: documents[index]! } }),
      }))
      .sort((a, b) => b.relevance_score - a.relevance_score || a.index - b.index)
      .slice(0, limit);
    return { object: 'list' as const, model: embedder.name, results };
  };
}

function documentsOf({ documents }: Fields): string[] {
  if (!Array.isArray(documents) || documents.length === 0 || documents.length > MOST_DOCUMENTS)
    throw new RefusedField('documents', 'invalid_value', `documents must have 1 to ${MOST_DOCUMENTS} texts.`);
  return documents.map((document: unknown, index) => {
    const text = typeof document === 'string' ? document : fieldsOf(document, `documents[${index}]`).text;
    if (typeof text !== 'string' || text === '')
      throw new RefusedField(
        `documents[${index}]`,
        'invalid_value',
        'A document must be a text, or an object with a text.',
      );
    return bounded(text, `documents[${index}]`);
  });
}

function bounded(text: string, param: string): string {
  if (text.length > LONGEST_TEXT)
    throw new RefusedField(
      param,
      'invalid_value',
      `A text has at most ${LONGEST_TEXT} characters, not ${text.length}.`,
    );
  return text.toWellFormed();
}
