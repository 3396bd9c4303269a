import { join } from 'node:path';
import { openErasure } from '../../../src/kit/erasure/index.js';
import { createGraphContext } from '../../../src/kit/graphql/index.js';
import { localCaller } from '../../../src/kernel/caller.js';
import { newId } from '../../../src/kernel/ids.js';
import { ingestion } from '../../../src/sources/knowledge/indexing/ingestion-run.js';
import {
  openKnowledge,
  type Knowledge as OpenKnowledge,
  type NewDocument,
  type RetrievalRequest,
} from '../../../src/sources/knowledge/index.js';
import { LocalArtifactStore } from '../../../src/platform/artifacts/index.js';
import { catalogueEntry, ModelsOnDisk, type EmbedderEntry } from '../../../src/platform/models-on-disk/index.js';
import type { Platform } from '../../../src/platform/platform.js';
import type { RunRow } from '../../../src/platform/runs/index.js';
import { createLogger, type Logger } from '../../../src/platform/telemetry/index.js';
import { ChromaVectorStore, type VectorStore } from '../../../src/platform/vectors/index.js';
import type { ServeWorker, WorkerClient } from '../../../src/platform/worker/index.js';
import type { EmbedderFiles } from '../../../src/worker-protocol/index.js';
import { chromaUrl, freshWorkspace } from '../../support/chroma.js';
import { testDatabase } from '../../support/database.js';
import { endedRun } from '../../support/ended-run.js';
import { schemaOf } from '../../support/schema-of.js';
import { TestPlatform } from '../../support/test-platform.js';
import { sharedWorker, startWorker } from '../../support/worker.js';

const silent = createLogger({ level: 'silent' });

/** The real embedder's files, fetched if this machine lacks them. */
export async function realEmbedder(): Promise<EmbedderFiles> {
  const name = process.env['GRAFT_EMBEDDER'] ?? 'all-minilm-l6-v2';
  const files = await new ModelsOnDisk({ folder: process.env['GRAFT_MODELS'], log: silent }).files(name);
  const entry = catalogueEntry(name) as EmbedderEntry;
  const model = files.find(({ role }) => role === 'model')!;
  const tokenizer = files.find(({ role }) => role === 'tokenizer')!;
  return {
    name,
    modelPath: model.path,
    tokenizerPath: tokenizer.path,
    sha256: model.sha256,
    tokenizerSha256: tokenizer.sha256,
    dimensions: entry.dimensions,
    pooling: entry.pooling,
    normalised: entry.normalised,
    maxTokens: entry.maxTokens,
  };
}

/** A vector store that is away while `away` is true; the real one cannot fail on command without hurting other tests. */
export class SwitchableVectors implements VectorStore {
  away = false;
  /** Whether what is there stays, while searching works. */
  keeping = false;
  constructor(private readonly real: VectorStore) {}

  private use(away = this.away): VectorStore {
    return away ? new ChromaVectorStore({ url: 'http://127.0.0.1:9' }) : this.real;
  }
  ensure = (...args: Parameters<VectorStore['ensure']>) => this.use().ensure(...args);
  upsert = (...args: Parameters<VectorStore['upsert']>) => this.use().upsert(...args);
  query = (...args: Parameters<VectorStore['query']>) => this.use().query(...args);
  metadata = (...args: Parameters<VectorStore['metadata']>) => this.use().metadata(...args);
  records = (...args: Parameters<VectorStore['records']>) => this.use().records(...args);
  relabel = (...args: Parameters<VectorStore['relabel']>) => this.use().relabel(...args);
  delete = (...args: Parameters<VectorStore['delete']>) => this.use(this.away || this.keeping).delete(...args);
  drop = (...args: Parameters<VectorStore['drop']>) => this.use(this.away || this.keeping).drop(...args);
  ping = () => this.use().ping();
}

export interface Surroundings {
  log?: Logger;
  /** Folders for what shall lie elsewhere: on a small disk, say. */
  places?: { database?: string; artifacts?: string };
}

/** A workspace of its own on a platform of its own, with a real worker that runs. */
export async function startSurroundings(
  { log = silent, places = {} }: Surroundings = {},
  watched: (worker: ServeWorker) => WorkerClient = (worker) => worker,
) {
  const vectors = new SwitchableVectors(new ChromaVectorStore({ url: chromaUrl() }));
  // Who reads the log has a worker of its own.
  const { client: worker, dispose } = await (log === silent ? sharedWorker() : startWorker({ log }));
  const { database: tablespace, artifacts } = places;
  const test = await TestPlatform.start({
    log,
    vectors,
    worker: watched(worker),
    database: await testDatabase(tablespace),
    artifacts: (folder) => new LocalArtifactStore(artifacts ?? join(folder, 'artifacts')),
    queue: { owner: 'one', leaseMs: 1_500, retryMs: 50 },
  });
  const { platform, database, folder } = test;
  const workspaceId = freshWorkspace();
  await database.prisma.workspace.create({ data: { id: workspaceId, name: workspaceId } });
  const { events, runs, files, erasure } = platform;
  return {
    test,
    database,
    workspaceId,
    worker,
    events,
    vectors,
    runs,
    files,
    erasure,
    folder,
    context: (signal = new AbortController().signal) =>
      createGraphContext(localCaller(workspaceId), 'test', { signal }),
    otherContext: () => createGraphContext(localCaller(), 'test', new AbortController()),
    finished: (run: Pick<RunRow, 'id' | 'kind'>, timeoutMs?: number): Promise<RunRow> =>
      endedRun(database, run, timeoutMs),
    upload: (name: string, content: Buffer, mediaType = 'application/octet-stream') =>
      files.store(workspaceId, { name, mediaType, source: chunks(content), maxBytes: 1e9 }),
    async stop() {
      await test.dispose();
      await dispose();
    },
  };
}

/** What tests do with collections of a workspace. */
export function collectionsOf(
  { service, retriever, collections, documents, labels, tuner }: OpenKnowledge,
  { workspaceId, finished }: Pick<Awaited<ReturnType<typeof startSurroundings>>, 'workspaceId' | 'finished'>,
) {
  return {
    retriever,
    tuner,
    stores: { collections, documents, labels },
    collection: (name = `c${newId().slice(-12)}`, options: { language?: string; denseWeight?: number } = {}) =>
      service.createCollection({ workspaceId, name, ...options }),
    ingest: async (collection: string, sent: NewDocument[], idempotencyKey: string = newId(), timeoutMs?: number) =>
      finished(
        await service.ingestDocuments(localCaller(workspaceId), { collection, documents: sent, idempotencyKey }),
        timeoutMs,
      ),
    async search(collection: string, query: string, mode: RetrievalRequest['mode'] = 'HYBRID') {
      const scope = await retriever.scope(workspaceId, [collection]);
      return (await retriever.retrieve({ scope, query, mode, limit: 10 })).passages;
    },
  };
}

/** The knowledge domain on a database of its own, the run's Chroma and a real worker. */
export async function startKnowledge(options: Surroundings = {}) {
  const [files, surroundings] = await Promise.all([realEmbedder(), startSurroundings(options)]);
  const { test } = surroundings;
  let embedder = files;
  const open = (platform: Platform) => openKnowledge(platform, { embedder: () => embedder });
  const knowledge = open(test.platform);
  const domains = { knowledge, erasure: openErasure(test.platform) };
  test.work(domains);
  return {
    ...surroundings,
    ...collectionsOf(knowledge, surroundings),
    ...schemaOf(test, domains),
    service: knowledge.service,
    setEmbedder: (change: Partial<EmbedderFiles>) => (embedder = { ...files, ...change }),
    /** Another gateway on the same database, which doesn't work yet. */
    gateway(owner: string, { sliceMs }: { sliceMs?: number } = {}) {
      const platform = test.other({ owner, leaseMs: 1_500, retryMs: 50, ...(sliceMs !== undefined && { sliceMs }) });
      const other = open(platform);
      test.handle({ other, erasure: openErasure(platform) });
      return { runs: platform.runs, service: other.service };
    },
  };
}

export type Knowledge = Awaited<ReturnType<typeof startKnowledge>>;

async function* chunks(content: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(content);
}

/** What a run of ingestion says of its documents, at its end or so far. */
export const reports = (run: RunRow) => (ingestion.outputOf(run) ?? ingestion.checkpointOf(run))!.documents;
