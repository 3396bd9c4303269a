import { z } from 'zod';
import type { Passage } from '../../../sources/knowledge/index.js';
import type { Caller } from '../../../kernel/caller.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { RefusedField } from '../errors.js';
import { objectOf, only, resultLimit, storableText } from '../fields.js';
import { filesOfDocuments } from './documents.js';
import { filter, filterCondition } from './filters.js';
import type { StoreRows } from './rows.js';
import { collectionOfStore, type StoreParts } from './stores.js';

const LONGEST_QUERY = 2_000;
const MOST_QUERIES = 10;
const MOST_DOCUMENTS = 10_000;

const COUNT = `must be a text, or a list of 1 to ${MOST_QUERIES} texts.`;
const query = storableText
  .min(1)
  .max(LONGEST_QUERY)
  .refine((text) => text.trim() !== '', 'is empty.');

/** A body of `POST /v1/vector_stores/:store/search`. */
export const searchBody = objectOf({
  query: z.union(
    [query.transform((text) => [text]), z.array(query, COUNT).min(1, COUNT).max(MOST_QUERIES, COUNT)],
    COUNT,
  ),
  max_num_results: resultLimit,
  filters: filter.optional(),
  ranking_options: objectOf({ score_threshold: z.number().default(0), ranker: only(['auto', 'none']) }).default({
    score_threshold: 0,
  }),
  rewrite_query: only([false], 'nothing rewrites queries here'),
});
type SearchBody = z.output<typeof searchBody>;

/**
 * The passages that fit best, by Graft's hybrid search; of several queries each passage with its best score. Each query is paid for by itself.
 * @throws RefusedField, NOT_FOUND, OVERLOADED, BUDGET_EXCEEDED
 */
export async function searchStore(
  parts: StoreParts,
  { caller, store, body, signal }: { caller: Caller; store: string; body: SearchBody; signal: AbortSignal },
) {
  const { query: queries, max_num_results: limit, ranking_options: ranking } = body;
  const { workspaceId, groups } = caller;
  const { retriever, collections } = parts.knowledge;
  const collection = await collectionOfStore(collections, workspaceId, store);
  const scope = await retriever.scope(workspaceId, [collection.name], groups);
  const condition = conditionOf(body.filters);
  let documentFilter: string[] | undefined;
  const best = new Map<string, Passage>();
  const degraded = new Set<string>();
  for (const text of queries) {
    const search = { scope, query: text, mode: 'HYBRID' as const, limit, coverage: false };
    const result = await parts.paying.paid({ caller, spends: 'SEARCH', request: text }, async () => {
      if (condition) documentFilter ??= await documentsThat(parts, workspaceId, collection.id, condition);
      return retriever.retrieve({ ...search, documentFilter }, { signal });
    });
    if (result.degraded !== null) degraded.add(result.degraded);
    for (const passage of result.passages) {
      const earlier = best.get(passage.chunkId);
      if (!earlier || earlier.scores.fused < passage.scores.fused) best.set(passage.chunkId, passage);
    }
  }
  const passages = [...best.values()]
    .filter(({ scores }) => scores.fused >= ranking.score_threshold)
    .sort((a, b) => b.scores.fused - a.scores.fused)
    .slice(0, limit);
  const documentIds = passages.map(({ documentId }) => documentId);
  const fileOf = await filesOfDocuments(parts, workspaceId, documentIds);
  return {
    object: 'vector_store.search_results.page',
    search_query: queries,
    data: passages.map((passage) => ({
      ...fileOf(passage),
      score: passage.scores.fused,
      content: [{ type: 'text', text: passage.text }],
    })),
    has_more: false,
    next_page: null,
    graft: { degraded: [...degraded][0] ?? null },
  };
}

type Condition = Pick<Parameters<StoreRows['matching']>[2], 'condition' | 'values'>;

/** @throws RefusedField for too many conditions, and too deep ones */
function conditionOf(filters: SearchBody['filters']): Condition | null {
  if (filters === undefined) return null;
  const values: string[] = [];
  return { condition: filterCondition(filters, values, 4), values };
}

/** Ids of the documents that a filter lets through: each search sends them all. @throws RefusedField for too many */
async function documentsThat(
  { stores }: StoreParts,
  workspaceId: WorkspaceId,
  collectionId: string,
  condition: Condition,
) {
  const ids = await stores.matching(workspaceId, collectionId, { ...condition, limit: MOST_DOCUMENTS + 1 });
  if (ids.length > MOST_DOCUMENTS)
    throw new RefusedField(
      'filters',
      'unsupported_value',
      `The filters let through more than ${MOST_DOCUMENTS.toLocaleString('en')} documents.`,
      'Narrow them.',
    );
  return ids;
}
