import { z } from 'zod';
import type { WorkspaceId } from '../../kernel/ids.js';
import { dot } from '../../kernel/vectors.js';
import { checkModel, longText, type EmbeddingParts } from './embeddings.js';
import { anything, filledText, flag, objectOf } from './fields.js';

const MOST_DOCUMENTS = 1_000;
const COUNT = `must be a list of 1 to ${MOST_DOCUMENTS} texts.`;
const document = z.union(
  [longText, z.looseObject({ text: longText }).transform(({ text }) => text)],
  'must be a text, or an object with a text.',
);

/** A body of `POST /v1/rerank`. */
export const rerankBody = objectOf({
  model: filledText,
  query: longText,
  documents: z.array(document, COUNT).min(1, COUNT).max(MOST_DOCUMENTS, COUNT),
  top_n: z.int().min(1).optional(),
  return_documents: flag,
  user: anything,
});

/**
 * `POST /v1/rerank`, in the form that Cohere and Jina gave it: documents in the order of their likeness to the query.
 * `relevance_score` is the cosine similarity by the workspace's embedder, -1 to 1.
 * @returns does what was asked for, and throws what the worker throws
 * @throws RefusedField at once
 */
export function rerankOf(parts: EmbeddingParts, workspaceId: WorkspaceId, body: z.output<typeof rerankBody>) {
  const { model, query, documents, top_n: limit = documents.length, return_documents: returns } = body;
  const embedder = parts.registry.embedder();
  checkModel(model, embedder.name);
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
