import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnswerStore, AskService, ExpectedTimes, RouterStore, type AskParts } from '../../src/ask/index.js';
import { Data } from '../../src/data/index.js';
import { systemClock } from '../../src/kernel/clock.js';
import { DEFAULT_WORKSPACE_ID } from '../../src/kernel/ids.js';
import {
  CollectionStore,
  DocumentStore,
  IngestionInputs,
  IsolatedParser,
  KnowledgeService,
  knowledgeRuns,
  Retriever,
  type NewDocument,
} from '../../src/knowledge/index.js';
import { Erasure } from '../../src/erasure/index.js';
import { FileService, LocalArtifactStore } from '../../src/platform/artifacts/index.js';
import { migrate, openDatabase } from '../../src/platform/database/index.js';
import { EventLog } from '../../src/platform/events/index.js';
import { ModelsOnDisk } from '../../src/platform/models-on-disk/index.js';
import { startServices } from '../../src/platform/processes/index.js';
import { isFinished, RunQueue } from '../../src/platform/runs/index.js';
import { createLogger } from '../../src/platform/telemetry/index.js';
import { ChromaVectorStore } from '../../src/platform/vectors/index.js';
import { ServeWorker } from '../../src/platform/worker/index.js';
import { AdapterRegistry, AdapterStore, ModelRegistry, ModelStore } from '../../src/registry/index.js';
import { installReader } from '../../src/training/index.js';

const RUN_TIMEOUT_MS = 1_200_000;

/** Everything that answering takes, as `main.ts` wires it but without GraphQL, on a home of its own. */
export async function startAnswering() {
  const home = await mkdtemp(join(tmpdir(), 'graft-bench-'));
  const log = createLogger({ level: 'error' });
  const clock = systemClock;
  const services = await startServices({ home, log });
  const database = await openDatabase(services.databaseUrl);
  await migrate(database);
  const events = new EventLog({ database, log });
  const runs = new RunQueue({ database, events, clock, log, owner: home, kinds: knowledgeRuns });
  const artifacts = new LocalArtifactStore(join(home, 'artifacts'));
  const files = new FileService(database, artifacts);
  const erasure = new Erasure(files);
  const worker = new ServeWorker({ home, log });
  await worker.start();
  const modelsOnDisk = new ModelsOnDisk({ folder: process.env['GRAFT_MODELS'], log });
  const defaults = {
    model: process.env['GRAFT_MODEL'] ?? 'smollm2-135m-instruct',
    embedder: process.env['GRAFT_EMBEDDER'] ?? 'all-minilm-l6-v2',
  };
  const store = new ModelStore(database);
  const registry = new ModelRegistry({ store, runs, files, artifacts, modelsOnDisk, erasure, worker, defaults });
  const variant = await registry.ensureDefaults(DEFAULT_WORKSPACE_ID);
  const calibration = await worker.prepareModel({ workspaceId: DEFAULT_WORKSPACE_ID, model: variant });

  const collections = new CollectionStore(database);
  const shared = {
    ...{ database, collections, documents: new DocumentStore(database), artifacts, clock },
    ...{ vectors: new ChromaVectorStore(services.chroma), worker, parser: new IsolatedParser() },
    ...{ embedder: () => registry.embedder(), erasure, inputs: new IngestionInputs(database) },
  };
  const knowledge = new KnowledgeService({ ...shared, runs, files, log });
  runs.handle(knowledgeRuns, knowledge.parts);
  runs.start();
  const retriever = new Retriever(shared);
  const adapters = new AdapterRegistry({ store: new AdapterStore(database), files, erasure });
  const data = new Data({
    ...{ database, runs, files, artifacts, erasure, worker, clock, countTokens: null },
    ...{ vectors: shared.vectors, embedder: shared.embedder, folder: join(home, 'data') },
    ...{ collections, documents: shared.documents, retriever },
  });
  const parts: AskParts = {
    ...{ registry, retriever, worker, clock },
    adapters,
    answers: new AnswerStore(database),
    expected: new ExpectedTimes(),
    features: data.features,
    labelIndexes: data.labelIndexes,
    origins: data.raft,
    routers: new RouterStore(database),
  };

  /** Makes a collection of these documents and waits until it can be searched. */
  const ingest = async (collection: string, documents: NewDocument[]): Promise<void> => {
    await knowledge.createCollection({ workspaceId: DEFAULT_WORKSPACE_ID, name: collection });
    for (let from = 0; from < documents.length; from += 50) {
      const run = await knowledge.ingestDocuments(DEFAULT_WORKSPACE_ID, {
        collection,
        documents: documents.slice(from, from + 50),
        idempotencyKey: `${collection} ${from}`,
      });
      for (const deadline = Date.now() + RUN_TIMEOUT_MS; ;) {
        const row = await runs.get(DEFAULT_WORKSPACE_ID, run.id);
        if (row && isFinished(row.status)) {
          if (row.status === 'SUCCEEDED') break;
          throw new Error(`${collection}: ${row.errorMessage}`);
        }
        if (Date.now() > deadline) throw new Error(`${collection} was not ingested in time`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  };

  const stop = async (): Promise<void> => {
    await runs.stop();
    await worker.stop();
    shared.parser.close();
    await events.close();
    await database.close();
    await services.stop();
    await rm(home, { recursive: true, force: true });
  };
  const workspaceId = DEFAULT_WORKSPACE_ID;
  return {
    parts,
    registry,
    adapters,
    service: new AskService(parts),
    ingest,
    files,
    variant,
    calibration,
    worker,
    workspaceId,
    database,
    stop,
  };
}

/** Lets the reader that comes with Graft judge and read for the model that answers. @throws when none does */
export async function putReaderInProduction({
  registry,
  adapters,
  files,
  workspaceId,
}: Awaited<ReturnType<typeof startAnswering>>): Promise<void> {
  const reader = await installReader({ registry, adapters, files }, workspaceId);
  if (reader === null) throw new Error('No reader comes with the model that answers.');
  const move = { alias: 'production', toVersionId: reader.version.id, by: 'bench', reason: '', evidence: {} } as const;
  await adapters.store.moveAlias(await adapters.require(workspaceId, reader.name, 'adapter'), move, null);
}
