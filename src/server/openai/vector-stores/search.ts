import type { Passage } from '../../../sources/knowledge/index.js';
import type { Caller } from '../../../kernel/caller.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { checkedText } from '../../../kernel/text.js';
import { RefusedField } from '../errors.js';
import { fieldsOf, optionalFlag, optionalNumber, optionalText, refuseOthers, resultLimit } from '../fields.js';
import { filesOfDocuments } from './documents.js';
import { filterCondition } from './filters.js';
import type { StoreRows } from './rows.js';
import { collectionOfStore, type StoreParts } from './stores.js';

const LONGEST_QUERY = 2_000;
const MOST_QUERIES = 10;
const MOST_DOCUMENTS = 10_000;

interface SearchRequest {
  queries: string[];
  limit: number;
  threshold: number;
  filters: unknown;
}

/** @throws RefusedField */
function checkedSearch(body: unknown): SearchRequest {
  const fields = fieldsOf(body);
  refuseOthers(fields, ['query', 'max_num_results', 'filters', 'ranking_options', 'rewrite_query'], {});
  const { query } = fields;
  const queries: unknown[] = Array.isArray(query) ? query : [query];
  if (queries.length === 0 || queries.length > MOST_QUERIES)
    throw new RefusedField('query', 'invalid_value', `query must be a text, or a list of 1 to ${MOST_QUERIES} texts.`);
  if (optionalFlag(fields, 'rewrite_query'))
    throw new RefusedField('rewrite_query', 'unsupported_value', 'Nothing rewrites queries here.', 'Leave it out.');
  const ranking = fieldsOf(fields['ranking_options'] ?? {}, 'ranking_options');
  refuseOthers(ranking, ['score_threshold'], { ranker: ['auto', 'none'] });
  return {
    queries: queries.map((text) => checkedText(optionalText({ query: text }, 'query') ?? '', 'query', LONGEST_QUERY)),
    limit: resultLimit(fields, 'max_num_results'),
    threshold: optionalNumber(ranking, 'score_threshold') ?? 0,
    filters: fields['filters'] ?? null,
  };
}

/**
 * The passages that fit best, by Graft's hybrid search; of several queries each passage with its best score. Each query is paid for by itself.
 * @throws RefusedField, NOT_FOUND, OVERLOADED, BUDGET_EXCEEDED
 */
export async function searchStore(
  parts: StoreParts,
  { caller, store, body, signal }: { caller: Caller; store: string; body: unknown; signal: AbortSignal },
) {
  const request = checkedSearch(body);
  const { workspaceId, groups } = caller;
  const { retriever, collections } = parts.knowledge;
  const collection = await collectionOfStore(collections, workspaceId, store);
  const scope = await retriever.scope(workspaceId, [collection.name], groups);
  const filter = checkedFilter(request.filters);
  let documentFilter: string[] | undefined;
  const best = new Map<string, Passage>();
  const degraded = new Set<string>();
  for (const query of request.queries) {
    const search = { scope, query, mode: 'HYBRID' as const, limit: request.limit, coverage: false };
    const result = await parts.paying.paid({ caller, spends: 'SEARCH', request: query }, async () => {
      if (filter) documentFilter ??= await documentsThat(parts, workspaceId, collection.id, filter);
      return retriever.retrieve({ ...search, documentFilter }, { signal });
    });
    if (result.degraded !== null) degraded.add(result.degraded);
    for (const passage of result.passages) {
      const earlier = best.get(passage.chunkId);
      if (!earlier || earlier.scores.fused < passage.scores.fused) best.set(passage.chunkId, passage);
    }
  }
  const passages = [...best.values()]
    .filter(({ scores }) => scores.fused >= request.threshold)
    .sort((a, b) => b.scores.fused - a.scores.fused)
    .slice(0, request.limit);
  const documentIds = passages.map(({ documentId }) => documentId);
  const fileOf = await filesOfDocuments(parts, workspaceId, documentIds);
  return {
    object: 'vector_store.search_results.page',
    search_query: request.queries,
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

type Filter = Pick<Parameters<StoreRows['matching']>[2], 'condition' | 'values'>;

/** @throws RefusedField, BAD_USER_INPUT */
function checkedFilter(filters: unknown): Filter | null {
  if (filters === null) return null;
  const values: string[] = [];
  return { condition: filterCondition(filters, values, 4), values };
}

/** Ids of the documents that a filter lets through: each search sends them all. @throws RefusedField for too many */
async function documentsThat({ stores }: StoreParts, workspaceId: WorkspaceId, collectionId: string, filter: Filter) {
  const ids = await stores.matching(workspaceId, collectionId, { ...filter, limit: MOST_DOCUMENTS + 1 });
  if (ids.length > MOST_DOCUMENTS)
    throw new RefusedField(
      'filters',
      'unsupported_value',
      `The filters let through more than ${MOST_DOCUMENTS.toLocaleString('en')} documents.`,
      'Narrow them.',
    );
  return ids;
}
