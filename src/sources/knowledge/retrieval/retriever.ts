import type { Clock } from '../../../kernel/clock.js';
import { EVERYBODY, type Groups } from '../../../kernel/caller.js';
import { GraftError, isGraftError } from '../../../kernel/errors.js';
import { groupBy } from '../../../kernel/group-by.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { Database } from '../../../platform/database/index.js';
import type { VectorStore } from '../../../platform/vectors/index.js';
import type { WorkerClient } from '../../../platform/worker/index.js';
import type { EmbedderFiles } from '../../../worker-protocol/index.js';
import { seenAmong, type Sight } from '../access/sight.js';
import { activeIndex, type SearchScope } from '../collection.js';
import type { CollectionStore } from '../collection-store.js';
import { searchDense } from './dense.js';
import { fuse } from './fuse.js';
import { searchLexical, weighWords, type QueryTerms, type TermWeight } from './lexical.js';
import { readPassages } from './passages.js';
import type { Degradation, QueryVector, Retrieval, RetrievalRequest, ScoredChunk } from './retrieval.js';

interface RetrieverParts {
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
   * @throws with mode DENSE: VECTOR_STORE_UNAVAILABLE, and CONFLICT where an index lags behind the embedder; what
   * `WorkerClient.embed` throws
   */
  async retrieve(request: RetrievalRequest, options: { signal?: AbortSignal } = {}): Promise<Retrieval> {
    const { clock, database } = this.parts;
    const started = clock.monotonic();
    const { collections, sight } = request.scope;
    const limit = Math.max(CANDIDATES, 2 * request.limit);
    const candidates = {
      limit,
      documentIds: request.documentFilter ? seenAmong(sight, request.documentFilter) : null,
      sight,
    };
    const [dense, lexical] = await Promise.all([
      request.mode === 'LEXICAL' ? NO_DENSE : this.dense(request, candidates, options.signal),
      request.mode === 'DENSE' && request.coverage === false ? NO_LEXICAL : this.lexical(request, candidates),
    ]);
    const weights = new Map(collections.map(({ id, denseWeight }) => [id, denseWeight]));
    const fused = fuse(request.mode, dense.chunks, lexical.chunks, (id) => weights.get(id) ?? 0);
    // Some may have been deleted a moment ago: others take their places.
    const fusedChunks = fused.slice(0, 2 * request.limit);
    const passages = await readPassages(database, request.scope, fusedChunks, lexical.terms);
    return {
      passages: passages.slice(0, request.limit),
      queryVector: dense.vector,
      queryCut: dense.cut,
      degraded: dense.degraded,
      timings: {
        embedMs: dense.embedMs,
        denseMs: dense.searchMs,
        lexicalMs: lexical.ms,
        totalMs: clock.monotonic() - started,
      },
    };
  }

  /**
   * What each of the two indexes finds, best first, not fused yet: for those who try several weights.
   * @throws as `retrieve` with mode DENSE
   */
  async candidates(
    request: Pick<RetrievalRequest, 'scope' | 'query'>,
    options: { signal?: AbortSignal } = {},
  ): Promise<{ dense: ScoredChunk[]; lexical: ScoredChunk[] }> {
    const fullRequest = { ...request, limit: CANDIDATES };
    const candidates = { limit: CANDIDATES, documentIds: null, sight: request.scope.sight };
    const [dense, lexical] = await Promise.all([
      this.dense({ ...fullRequest, mode: 'DENSE' }, candidates, options.signal),
      this.lexical({ ...fullRequest, mode: 'HYBRID' }, candidates),
    ]);
    return { dense: dense.chunks, lexical: lexical.chunks };
  }

  /** Stem and rarity of words, for choosing evidence; all in one language, that of the first collection. */
  async termWeights(
    { workspaceId, collections, sight }: SearchScope,
    words: readonly string[],
  ): Promise<Map<string, TermWeight>> {
    const language = collections[0]?.language;
    if (language === undefined || words.length === 0) return new Map();
    const collectionIds = collections.filter((collection) => collection.language === language).map(({ id }) => id);
    return weighWords(this.parts.database, { workspaceId, collectionIds, language, sight }, words);
  }

  /** The collections of these names, or all of the workspace, as a reader of these groups sees them. @throws NOT_FOUND */
  scope(workspaceId: WorkspaceId, names: readonly string[] | null, groups: Groups = EVERYBODY): Promise<SearchScope> {
    return this.parts.collections.scope(workspaceId, names, groups);
  }

  /** A query's vector. It needs no scope: who is sure to retrieve asks for it first. @throws what `WorkerClient.embed` throws */
  async embed(workspaceId: WorkspaceId, query: string, options: { signal?: AbortSignal } = {}): Promise<QueryVector> {
    const { clock, worker, embedder } = this.parts;
    const started = clock.monotonic();
    const request = { workspaceId, embedder: embedder(), texts: [query] };
    const { vectors, truncated } = await worker.embed(request, options);
    return { vector: vectors[0] as Float32Array, cut: truncated.length > 0, ms: clock.monotonic() - started };
  }

  private async lexical(
    { scope: { workspaceId, collections }, query: text, mode }: RetrievalRequest,
    candidates: Candidates,
  ): Promise<LexicalResult> {
    const { clock, database } = this.parts;
    const started = clock.monotonic();
    const terms = new Map<string, QueryTerms>();
    const lists = await Promise.all(
      [...groupBy(collections, ({ language }) => language)].map(async ([language, group]) => {
        const scope = { workspaceId, collectionIds: group.map(({ id }) => id), language, sight: candidates.sight };
        const limit = mode === 'DENSE' ? 0 : candidates.limit;
        const { query, chunks } = await searchLexical(database, scope, text, { ...candidates, limit });
        terms.set(language, query);
        return chunks;
      }),
    );
    return { chunks: merge(lists, candidates.limit), terms, ms: clock.monotonic() - started };
  }

  private async dense(
    { scope: { workspaceId, collections }, query, mode, vector: queryVector }: RetrievalRequest,
    candidates: Candidates,
    signal: AbortSignal | undefined,
  ): Promise<DenseResult> {
    if (collections.length === 0) return NO_DENSE;
    const { clock, embedder } = this.parts;
    const files = embedder();
    const { vector, cut = false, ms: embedMs } = await (queryVector ?? this.embed(workspaceId, query, { signal }));
    const embedded = clock.monotonic();
    const result = { vector, cut, embedMs, searchMs: 0, chunks: [] };
    const indexes = collections.map((collection) => ({ collection, indexId: activeIndex(collection, files) }));
    const outdated = indexes.find(
      ({ collection, indexId }) => indexId === null && collection.indexes.length > 0,
    )?.collection;
    if (outdated !== undefined) {
      if (mode === 'HYBRID') return { ...result, degraded: 'INDEX_OUTDATED' };
      throw new GraftError('CONFLICT', `The collection ${outdated.name} was embedded by another model.`, {
        hint: 'Run rebuildIndex on it, or search with mode LEXICAL.',
      });
    }
    try {
      const lists = await Promise.all(
        indexes.flatMap(({ collection, indexId }) =>
          indexId === null ? [] : [searchDense(this.parts, { workspaceId, collection, indexId }, vector, candidates)],
        ),
      );
      const searchMs = clock.monotonic() - embedded;
      return { ...result, searchMs, chunks: merge(lists, candidates.limit), degraded: null };
    } catch (error) {
      if (mode === 'DENSE' || !isGraftError(error, 'VECTOR_STORE_UNAVAILABLE')) throw error;
      return { ...result, degraded: 'VECTOR_STORE_UNAVAILABLE' };
    }
  }
}

interface Candidates {
  limit: number;
  /** Those of the request's that are seen; null: all that are. */
  documentIds: readonly string[] | null;
  sight: Sight;
}

interface DenseResult {
  vector: Float32Array | null;
  cut: boolean;
  chunks: ScoredChunk[];
  degraded: Degradation | null;
  embedMs: number;
  searchMs: number;
}

interface LexicalResult {
  chunks: ScoredChunk[];
  /** What the query was read as, by language. */
  terms: ReadonlyMap<string, QueryTerms>;
  ms: number;
}

const NO_LEXICAL: LexicalResult = { chunks: [], terms: new Map(), ms: 0 };
const NO_DENSE: DenseResult = { vector: null, cut: false, chunks: [], degraded: null, embedMs: 0, searchMs: 0 };

/** Scores are comparable across the lists: one embedder made all vectors, and one set of statistics a language's BM25. */
const merge = (lists: readonly ScoredChunk[][], limit: number): ScoredChunk[] =>
  lists.length === 1
    ? (lists[0] as ScoredChunk[])
    : lists
        .flat()
        .sort((a, b) => b.score - a.score || (a.chunkId < b.chunkId ? -1 : 1))
        .slice(0, limit);
