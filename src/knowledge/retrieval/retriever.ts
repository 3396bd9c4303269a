import type { Clock } from '../../kernel/clock.js';
import { GraftError, isGraftError, notFound } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { Database } from '../../platform/database/index.js';
import type { VectorStore } from '../../platform/vectors/index.js';
import type { WorkerClient } from '../../platform/worker/index.js';
import type { EmbedderFiles } from '../../worker-protocol/index.js';
import type { SearchedCollection } from '../collection.js';
import type { CollectionStore } from '../collection-store.js';
import { searchDense } from './dense.js';
import { fuse } from './fuse.js';
import { analyseQuery, searchLexical, weighWords, type QueryTerms, type TermWeight } from './lexical.js';
import { readPassages } from './passages.js';
import type { Degradation, Retrieval, RetrievalRequest, ScoredChunk } from './retrieval.js';

export interface RetrieverParts {
  database: Database;
  collections: CollectionStore;
  vectors: VectorStore;
  worker: Pick<WorkerClient, 'embed'>;
  embedder: () => EmbedderFiles;
  clock: Clock;
}

/** Candidates of each index that are fused. */
const CANDIDATES = 100;

/** Finds passages. The one way to search, for `search` and for `ask`. */
export class Retriever {
  constructor(private readonly parts: RetrieverParts) {}

  /**
   * The best passages for a query, best first.
   * @throws NOT_FOUND for an unknown collection; with mode DENSE: VECTOR_STORE_UNAVAILABLE, and CONFLICT where an index lags
   * behind the embedder; what `WorkerClient.embed` throws
   */
  async retrieve(request: RetrievalRequest, options: { signal?: AbortSignal } = {}): Promise<Retrieval> {
    const { clock, database } = this.parts;
    const started = clock.monotonic();
    const collections = await this.collections(request.workspaceId, request.collections);
    const limit = Math.max(CANDIDATES, 2 * request.limit);
    const candidates = { limit, documentIds: request.documentFilter ?? null };
    const [dense, lexical] = await Promise.all([
      request.mode === 'LEXICAL' ? NO_DENSE : this.dense(request, collections, candidates, options.signal),
      this.lexical(request, collections, candidates),
    ]);
    const weights = new Map(collections.map(({ id, denseWeight }) => [id, denseWeight]));
    const fused = fuse(request.mode, dense.chunks, lexical.chunks, (id) => weights.get(id) ?? 0);
    const chosen = fused.slice(0, request.limit);
    const passages = await readPassages(database, request.workspaceId, chosen, collections, lexical.terms);
    return {
      passages,
      queryVector: dense.vector,
      degraded: dense.degraded,
      timings: {
        embedMs: dense.embedMs,
        denseMs: dense.searchMs,
        lexicalMs: lexical.ms,
        totalMs: clock.monotonic() - started,
      },
    };
  }

  /** Stem and rarity of words, for choosing evidence; all in one language, that of the first collection by default. */
  async termWeights(request: {
    workspaceId: WorkspaceId;
    collections: readonly string[] | null;
    words: readonly string[];
    language?: string;
  }): Promise<Map<string, TermWeight>> {
    const collections = await this.collections(request.workspaceId, request.collections);
    const language = request.language ?? collections[0]?.language;
    if (language === undefined || request.words.length === 0) return new Map();
    const collectionIds = collections.filter((one) => one.language === language).map(({ id }) => id);
    return weighWords(
      this.parts.database,
      { workspaceId: request.workspaceId, collectionIds, language },
      request.words,
    );
  }

  /** The collections that the workspace may read, by name. */
  async readableCollections(workspaceId: WorkspaceId): Promise<{ id: string; name: string }[]> {
    return (await this.collections(workspaceId, null)).map(({ id, name }) => ({ id, name }));
  }

  /** @throws NOT_FOUND */
  private async collections(workspaceId: WorkspaceId, names: readonly string[] | null): Promise<SearchedCollection[]> {
    const all = await this.parts.collections.all(workspaceId);
    if (names === null) return all;
    return [...new Set(names)].map((name) => {
      const found = all.find((collection) => collection.name === name);
      if (found === undefined) throw notFound('The collection', name, 'input.collections');
      return found;
    });
  }

  private async lexical(request: RetrievalRequest, collections: readonly SearchedCollection[], candidates: Candidates) {
    const { clock, database } = this.parts;
    const started = clock.monotonic();
    const terms = new Map<string, QueryTerms>();
    const lists = await Promise.all(
      [...groupBy(collections, ({ language }) => language)].map(async ([language, group]) => {
        const scope = { workspaceId: request.workspaceId, collectionIds: group.map(({ id }) => id), language };
        const query = await analyseQuery(database, scope, request.query);
        terms.set(language, query);
        return request.mode === 'DENSE' ? [] : searchLexical(database, scope, query, candidates);
      }),
    );
    return { chunks: merge(lists, candidates.limit), terms, ms: clock.monotonic() - started };
  }

  private async dense(
    request: RetrievalRequest,
    collections: readonly SearchedCollection[],
    candidates: Candidates,
    signal: AbortSignal | undefined,
  ): Promise<DenseResult> {
    if (collections.length === 0) return NO_DENSE;
    const { clock, worker, embedder } = this.parts;
    const files = embedder();
    const started = clock.monotonic();
    const ids = collections.map(({ id }) => id);
    const [{ vectors }, indexes] = await Promise.all([
      worker.embed({ workspaceId: request.workspaceId, embedder: files, texts: [request.query] }, { signal }),
      this.parts.collections.activeIndexes(ids, files),
    ]);
    const vector = vectors[0] as Float32Array;
    const embedMs = clock.monotonic() - started;
    const result = { vector, embedMs, searchMs: 0, chunks: [] };
    const outdated = collections.find(({ id }) => indexes.outdated.includes(id));
    if (outdated !== undefined) {
      if (request.mode === 'HYBRID') return { ...result, degraded: 'INDEX_OUTDATED' };
      throw new GraftError('CONFLICT', `The collection ${outdated.name} was embedded by another model.`, {
        hint: 'Run rebuildIndex on it, or search with mode LEXICAL.',
      });
    }
    try {
      const lists = await Promise.all(
        [...indexes.current].map(([collectionId, indexId]) =>
          searchDense(this.parts, { workspaceId: request.workspaceId, collectionId, indexId }, vector, candidates),
        ),
      );
      const searchMs = clock.monotonic() - started - embedMs;
      return { ...result, searchMs, chunks: merge(lists, candidates.limit), degraded: null };
    } catch (error) {
      if (request.mode === 'DENSE' || !isGraftError(error, 'VECTOR_STORE_UNAVAILABLE')) throw error;
      return { ...result, degraded: 'VECTOR_STORE_UNAVAILABLE' };
    }
  }
}

interface Candidates {
  limit: number;
  documentIds: readonly string[] | null;
}

interface DenseResult {
  vector: Float32Array | null;
  chunks: ScoredChunk[];
  degraded: Degradation | null;
  embedMs: number;
  searchMs: number;
}

const NO_DENSE: DenseResult = { vector: null, chunks: [], degraded: null, embedMs: 0, searchMs: 0 };

/** Scores are comparable across the lists: one embedder made all vectors, and one set of statistics a language's BM25. */
const merge = (lists: readonly ScoredChunk[][], limit: number): ScoredChunk[] =>
  lists.length === 1
    ? (lists[0] as ScoredChunk[])
    : lists
        .flat()
        .sort((a, b) => b.score - a.score || (a.chunkId < b.chunkId ? -1 : 1))
        .slice(0, limit);

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}
