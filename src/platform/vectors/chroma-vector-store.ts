import {
  AdminClient,
  ChromaClient,
  ChromaConnectionError,
  ChromaNotFoundError,
  ChromaServerError,
  ChromaUniqueError,
  type Collection,
} from 'chromadb';
import { GraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { dot } from '../../kernel/vectors.js';
import { indexMissing, mapChromaError } from './errors.js';
import type { VectorFilter, VectorHit, VectorRecord, VectorStore } from './vector-store.js';

/** Every Chroma has it. */
const DEFAULT_TENANT = 'default_tenant';
/** Chroma takes at most 5,461 records a call; fewer bound the memory of one request (2,000 of 384 floats: 4 MB in base64). */
const BATCH = 2_000;
/** Milliseconds. A first query after a restart loads the index from disk. */
const TIMEOUT = { ping: 2_000, read: 10_000, write: 60_000 };
/** At least the largest `limit` asked of a query, or the graph search returns fewer. */
const EF_SEARCH = 256;
/**
 * So many records are compared here, one by one: Chroma walks its graph nearly whole to find few among many (100 ms for 200 of 100,000), and
 * reading a vector takes this thread 20 µs.
 */
const FEW = 200;

/** Which server, and where in it. */
interface ChromaPlace {
  url: string;
  tenant?: string | undefined;
  /** Of `installationId`: keeps installations apart that share the server; null where nobody shares it. */
  installation?: string | null;
}

/**
 * Vectors in a Chroma server: one database a workspace (`ws_<id>`, or `ws_<id>_<installation>`), one collection an index, cosine distance. Texts stay in
 * PostgreSQL, and vectors are made by our own embedder, so collections have no embedding function.
 */
export class ChromaVectorStore implements VectorStore {
  private readonly server: { host: string; port: number; ssl: boolean };
  /** Chroma addresses records by the collection's own id; looking it up would cost a request each time. */
  private readonly collectionIds = new Map<string, string>();

  private readonly tenant: string;
  private readonly installation: string | null;

  /** @param chroma its tenant is made when it is first written to */
  constructor({ url, tenant, installation = null }: ChromaPlace) {
    this.tenant = tenant ?? DEFAULT_TENANT;
    this.installation = installation;
    const { hostname, port, protocol } = new URL(url);
    const ssl = protocol === 'https:';
    this.server = { host: hostname, port: port === '' ? (ssl ? 443 : 80) : Number(port), ssl };
  }

  async ensure(workspace: WorkspaceId, indexId: string, dimensions: number): Promise<void> {
    await this.attempt(async () => {
      await this.createDatabase(workspace);
      const collection = await this.client(workspace, TIMEOUT.write).getOrCreateCollection({
        name: indexId,
        metadata: { dimensions },
        configuration: { hnsw: { space: 'cosine', ef_search: EF_SEARCH } },
        embeddingFunction: null,
      });
      this.collectionIds.set(key(workspace, indexId), collection.id);
    });
  }

  async upsert(workspace: WorkspaceId, indexId: string, records: readonly VectorRecord[]): Promise<void> {
    for (let start = 0; start < records.length; start += BATCH) {
      const batch = records.slice(start, start + BATCH);
      await this.inCollection(workspace, indexId, TIMEOUT.write, (collection) =>
        collection.upsert({
          ids: batch.map(({ id }) => id),
          embeddings: batch.map(({ vector }) => Array.from(vector)),
          metadatas: batch.map(({ metadata }) => metadata),
        }),
      );
    }
  }

  async query(
    workspace: WorkspaceId,
    indexId: string,
    vector: Float32Array,
    limit: number,
    where?: VectorFilter,
  ): Promise<VectorHit[]> {
    const inIndex = <T>(work: (collection: Collection) => Promise<T>) =>
      this.inCollection(workspace, indexId, TIMEOUT.read, work);
    const search = (filter?: VectorFilter): Promise<VectorHit[]> | VectorHit[] => {
      if (limit < 1 || filter?.ids?.length === 0 || filter?.documentIds?.length === 0) return [];
      const { ids } = filter ?? {};
      if (ids && ids.length <= FEW) return inIndex((collection) => compared(collection, vector, limit, ids));
      return inIndex((collection) => searched(collection, vector, limit, filter));
    };
    try {
      return await search(where);
    } catch (error) {
      if (!where?.ids || !isUnknownRecord(error)) throw error;
      // Some were deleted since they were looked up.
      const metadata = await this.metadata(workspace, indexId, where.ids);
      return await search({ ids: [...metadata.keys()] });
    }
  }

  async metadata(
    workspace: WorkspaceId,
    indexId: string,
    ids: readonly string[],
  ): Promise<Map<string, VectorRecord['metadata']>> {
    const metadataById = new Map<string, VectorRecord['metadata']>();
    for (let start = 0; start < ids.length; start += BATCH) {
      const batch = ids.slice(start, start + BATCH);
      const records = await this.inCollection(workspace, indexId, TIMEOUT.read, (collection) =>
        collection.get<VectorRecord['metadata']>({ ids: batch, limit: batch.length, include: ['metadatas'] }),
      );
      records.ids.forEach((id, index) => metadataById.set(id, records.metadatas[index] ?? {}));
    }
    return metadataById;
  }

  async records(
    workspace: WorkspaceId,
    indexId: string,
    selection: { ids: readonly string[] } | { from: number; most: number },
  ): Promise<VectorRecord[]> {
    const query =
      'ids' in selection
        ? { ids: [...selection.ids], limit: selection.ids.length }
        : { offset: selection.from, limit: Math.min(selection.most, BATCH) };
    if (query.limit === 0) return [];
    try {
      const records = await this.inCollection(workspace, indexId, TIMEOUT.write, (collection) =>
        collection.get<VectorRecord['metadata']>({ ...query, include: ['embeddings', 'metadatas'] }),
      );
      return records.ids.map((id, index) => ({
        id,
        vector: Float32Array.from(records.embeddings[index] ?? []),
        metadata: records.metadatas[index] ?? {},
      }));
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async relabel(
    workspace: WorkspaceId,
    indexId: string,
    ids: readonly string[],
    metadata: VectorRecord['metadata'],
  ): Promise<void> {
    for (let start = 0; start < ids.length; start += BATCH) {
      const batch = ids.slice(start, start + BATCH);
      await this.inCollection(workspace, indexId, TIMEOUT.write, (collection) =>
        collection.update({ ids: batch, metadatas: batch.map(() => metadata) }),
      );
    }
  }

  async delete(
    workspace: WorkspaceId,
    indexId: string,
    selection: { ids: readonly string[] } | { documentIds: readonly string[] },
  ): Promise<void> {
    const ids = 'ids' in selection ? selection.ids : selection.documentIds;
    for (let start = 0; start < ids.length; start += BATCH) {
      const batch = ids.slice(start, start + BATCH);
      try {
        await this.inCollection(workspace, indexId, TIMEOUT.write, (collection) =>
          collection.delete('ids' in selection ? { ids: batch } : { where: byDocuments(batch) }),
        );
      } catch (error) {
        if (isMissing(error)) return;
        throw error;
      }
    }
  }

  async drop(workspace: WorkspaceId, indexId: string): Promise<void> {
    this.collectionIds.delete(key(workspace, indexId));
    await this.attempt(async () => {
      try {
        await this.client(workspace, TIMEOUT.write).deleteCollection({ name: indexId });
      } catch (error) {
        if (!(error instanceof ChromaNotFoundError)) throw error;
      }
    });
  }

  async ping(): Promise<void> {
    await this.attempt(() => new ChromaClient(this.options(TIMEOUT.ping)).heartbeat());
  }

  /** A client is a handful of fields; one a call, because its only way to a time limit is a signal given when it is made. */
  private client(workspace: WorkspaceId, timeoutMs: number): ChromaClient {
    return new ChromaClient({ ...this.options(timeoutMs), tenant: this.tenant, database: this.databaseOf(workspace) });
  }

  private databaseOf(workspace: WorkspaceId): string {
    return this.installation === null ? `ws_${workspace}` : `ws_${workspace}_${this.installation}`;
  }

  private options(timeoutMs: number) {
    return { ...this.server, fetchOptions: { signal: AbortSignal.timeout(timeoutMs) } };
  }

  private async createDatabase(workspace: WorkspaceId): Promise<void> {
    const admin = new AdminClient(this.options(TIMEOUT.write));
    const { tenant } = this;
    if (tenant !== DEFAULT_TENANT) await unlessThere(admin.createTenant({ name: tenant }));
    await unlessThere(admin.createDatabase({ name: this.databaseOf(workspace), tenant }));
  }

  /** Runs the work on the collection; a remembered id that Chroma no longer knows is looked up once more. */
  private inCollection<T>(
    workspace: WorkspaceId,
    indexId: string,
    timeoutMs: number,
    work: (collection: Collection) => Promise<T>,
  ): Promise<T> {
    const cacheKey = key(workspace, indexId);
    return this.attempt(async () => {
      const client = this.client(workspace, timeoutMs);
      const id = this.collectionIds.get(cacheKey);
      try {
        if (id !== undefined) return await work(client.collection(id));
      } catch (error) {
        if (!(error instanceof ChromaNotFoundError)) throw error;
        this.collectionIds.delete(cacheKey);
      }
      try {
        const collection = await client.getCollection({ name: indexId });
        this.collectionIds.set(cacheKey, collection.id);
        return await work(collection);
      } catch (error) {
        throw error instanceof ChromaNotFoundError ? indexMissing(error) : error;
      }
    });
  }

  /**
   * Every operation here may be repeated. One that failed to connect is, once: after a restart of Chroma the first request on a
   * kept-alive connection finds it closed.
   */
  private async attempt<T>(work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ChromaConnectionError) || performance.now() - started > TIMEOUT.ping / 2)
        throw mapChromaError(error);
    }
    try {
      return await work();
    } catch (error) {
      throw mapChromaError(error);
    }
  }
}

async function unlessThere(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!(error instanceof ChromaUniqueError)) throw error;
  }
}

/** The nearest by Chroma's graph. Its cosine distance is 1 - similarity. */
async function searched(
  collection: Collection,
  vector: Float32Array,
  limit: number,
  where: VectorFilter | undefined,
): Promise<VectorHit[]> {
  const { ids, distances } = await collection.query({
    queryEmbeddings: [Array.from(vector)],
    nResults: limit,
    include: ['distances'],
    ...whereOf(where),
  });
  return (ids[0] ?? []).map((id, index) => ({ id, score: 1 - (distances?.[0]?.[index] ?? 1) }));
}

/** The nearest of these records, compared one by one. */
async function compared(
  collection: Collection,
  vector: Float32Array,
  limit: number,
  names: readonly string[],
): Promise<VectorHit[]> {
  const { ids, embeddings } = await collection.get({ ids: [...names], limit: names.length, include: ['embeddings'] });
  return ids
    .map((id, index) => ({ id, score: cosine(vector, embeddings[index] ?? []) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, limit);
}

const cosine = (a: ArrayLike<number>, b: ArrayLike<number>) => dot(a, b) / (Math.sqrt(dot(a, a) * dot(b, b)) || 1);
const key = (workspace: WorkspaceId, indexId: string) => `${workspace}/${indexId}`;
const whereOf = ({ ids, documentIds, notDocumentIds }: VectorFilter = {}) => {
  if (ids) return { ids: [...ids] };
  if (documentIds) return { where: byDocuments(documentIds) };
  return notDocumentIds?.length ? { where: { documentId: { $nin: [...notDocumentIds] } } } : {};
};

const byDocuments = (documentIds: readonly string[]) => ({ documentId: { $in: [...documentIds] } });
/** Chroma refuses a search whole of which one record isn't there. */
const isUnknownRecord = (error: unknown) =>
  error instanceof GraftError && error.cause instanceof ChromaServerError && /finding id/i.test(error.cause.message);
const isMissing = (error: unknown) => error instanceof GraftError && error.cause instanceof ChromaNotFoundError;
