import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGraphContext, makeResolvers, NodeRegistry, runResolvers } from '../../../src/graphql-kit/index.js';
import { localCaller } from '../../../src/kernel/caller.js';
import { NodeResolver, RunResolver } from '../../../src/graphql/runs-graphql.js';
import { buildGraphSchema } from '../../../src/graphql/schema.js';
import { systemClock } from '../../../src/kernel/clock.js';
import { newId } from '../../../src/kernel/ids.js';
import {
  CollectionStore,
  DocumentStore,
  IngestionInputs,
  IsolatedParser,
  KnowledgeService,
  knowledgeDomain,
  RetrievalTuner,
  Retriever,
  type RetrievalRequest,
  type NewDocument,
} from '../../../src/knowledge/index.js';
import { ingestion } from '../../../src/knowledge/indexing/ingestion-run.js';
import { Erasure } from '../../../src/platform/erasure/index.js';
import { erasureDomain } from '../../../src/erasure/index.js';
import { FileService, LocalArtifactStore } from '../../../src/platform/artifacts/index.js';
import { EventLog } from '../../../src/platform/events/index.js';
import { catalogueEntry, ModelsOnDisk, type EmbedderEntry } from '../../../src/platform/models-on-disk/index.js';
import { RunQueue, type RunRow } from '../../../src/platform/runs/index.js';
import { createLogger, type Logger } from '../../../src/platform/telemetry/index.js';
import { ChromaVectorStore, type VectorStore } from '../../../src/platform/vectors/index.js';
import { ServeWorker } from '../../../src/platform/worker/index.js';
import type { EmbedderFiles } from '../../../src/worker-protocol/index.js';
import { chromaUrl, freshWorkspace } from '../../support/chroma.js';
import { testDatabase } from '../../support/database.js';
import { endedRun } from '../../support/ended-run.js';

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

/**
 * The knowledge domain on a database of its own, the run's Chroma and a real worker.
 * @param kinds more kinds of runs, which their owner handles before it starts the queue
 */
export async function startKnowledge({
  kinds = [],
  log = silent,
  places = {},
}: Surroundings & { kinds?: ConstructorParameters<typeof RunQueue>[0]['kinds'] } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'graft-knowledge-'));
  const database = await testDatabase(places.database);
  const workspaceId = freshWorkspace();
  await database.prisma.workspace.create({ data: { id: workspaceId, name: workspaceId } });
  const worker = new ServeWorker({ home: folder, log, gpu: false });
  const [files] = await Promise.all([realEmbedder(), worker.start()]);
  let embedder = files;
  const events = new EventLog({ database, log });
  const artifacts = new LocalArtifactStore(places.artifacts ?? join(folder, 'artifacts'));
  const vectors = new SwitchableVectors(new ChromaVectorStore({ url: chromaUrl() }));
  const collections = new CollectionStore(database);
  const documents = new DocumentStore(database);
  const parser = new IsolatedParser();
  const fileService = new FileService(database, artifacts);
  const erasure = new Erasure(fileService);
  const inputs = new IngestionInputs(database);
  const shared = {
    ...{ database, collections, documents, inputs, artifacts, vectors, worker, parser, erasure },
    embedder: () => embedder,
  };

  const retriever = new Retriever({ ...shared, clock: systemClock });
  const started: RunQueue[] = [];
  /** A gateway's worth of runs; several may share the database. */
  const gateway = (name: string, { sliceMs }: { sliceMs?: number } = {}) => {
    const runs = new RunQueue({
      database,
      events,
      clock: systemClock,
      log,
      owner: name,
      leaseMs: 1_500,
      pollMs: 50,
      retryMs: 50,
      ...(sliceMs === undefined ? {} : { sliceMs }),
      kinds: [...knowledgeDomain.runs, ...erasureDomain.runs, ...kinds],
    });
    const service = new KnowledgeService({ ...shared, runs, files: fileService, log });
    const tuner = new RetrievalTuner({ runs, collections, documents, retriever });
    runs.handle(knowledgeDomain.runs, { service, tuner, retriever, stores: { collections, documents } });
    runs.handle(erasureDomain.runs, { erasure });
    started.push(runs);
    return { runs, service };
  };
  const { runs, service } = gateway('one');
  if (kinds.length === 0) runs.start();
  const nodes = new NodeRegistry();
  const stores = { collections, documents };
  const tuner = new RetrievalTuner({ runs, ...stores, retriever });
  const schema = buildGraphSchema([
    new NodeResolver({ nodes }),
    new RunResolver({ runs }),
    ...makeResolvers(knowledgeDomain, { service, stores, retriever, tuner }, nodes),
    ...makeResolvers(erasureDomain, { erasure }, nodes),
    ...runResolvers([...knowledgeDomain.runs, ...erasureDomain.runs], runs, nodes),
  ]);

  const finished = (run: Pick<RunRow, 'id' | 'kind'>, timeoutMs?: number): Promise<RunRow> =>
    endedRun(database, run, timeoutMs);

  return {
    ...{ database, workspaceId, worker, events, vectors, stores, runs, service, retriever, tuner, schema, nodes },
    ...{ gateway, finished, files: fileService, parser, erasure, folder, artifacts },
    setEmbedder: (change: Partial<EmbedderFiles>) => (embedder = { ...files, ...change }),
    context: (signal = new AbortController().signal) =>
      createGraphContext(localCaller(workspaceId), 'test', { signal }),
    otherContext: () => createGraphContext(localCaller(), 'test', new AbortController()),
    async collection(name = `c${newId().slice(-12)}`, options: { language?: string; denseWeight?: number } = {}) {
      return service.createCollection({ workspaceId, name, ...options });
    },
    async ingest(collection: string, sent: NewDocument[], idempotencyKey: string = newId(), timeoutMs?: number) {
      return finished(
        await service.ingestDocuments(workspaceId, { collection, documents: sent, idempotencyKey }),
        timeoutMs,
      );
    },
    async search(collection: string, query: string, mode: RetrievalRequest['mode'] = 'HYBRID') {
      const scope = await retriever.scope(workspaceId, [collection]);
      return (await retriever.retrieve({ scope, query, mode, limit: 10 })).passages;
    },
    async upload(name: string, content: Buffer, mediaType = 'application/octet-stream') {
      return fileService.store(workspaceId, { name, mediaType, source: chunks(content), maxBytes: 1e9 });
    },
    async stop() {
      service.stop();
      await Promise.all(started.map((queue) => queue.stop()));
      await worker.stop();
      await events.close();
      await database.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type Knowledge = Awaited<ReturnType<typeof startKnowledge>>;

async function* chunks(content: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(content);
}

/** What a run of ingestion says of its documents, at its end or so far. */
export const reports = (run: RunRow) => (ingestion.outputOf(run) ?? ingestion.checkpointOf(run))!.documents;
