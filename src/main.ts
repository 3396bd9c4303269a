/**
 * Composition root: the only file that knows everything. `startGraft` starts what an installation needs, wires the domains
 * and serves; what it returns stops all of it. Run as a program it does so for the environment's configuration.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { answerHolder, AnswerStore, AskService, ExpectedTimes, RouterStore, sampleHolder } from './ask/index.js';
import { loadConfig, sharedStoreOf, type Config } from './config.js';
import { Data, dataRuns } from './data/index.js';
import {
  Attestor,
  attestationRuns,
  evaluationHolder,
  evaluationRuns,
  EvaluationStore,
  Evaluator,
  Gate,
  ScaleChooser,
  Comparer,
  HybridFitter,
  hybridFitRuns,
  RouterFitter,
  routerFitRuns,
  RouterKeeper,
  scaleChoiceRuns,
  strategyComparisonRuns,
} from './evaluation/index.js';
import { productResolvers, RUN_KINDS } from './graphql/resolvers.js';
import { buildGraphSchema } from './graphql/schema.js';
import { checkAddress } from './graphql/listening.js';
import { startGateway } from './graphql/server.js';
import { NodeRegistry } from './graphql-kit/index.js';
import { systemClock } from './kernel/clock.js';
import { isGraftError } from './kernel/errors.js';
import { DEFAULT_WORKSPACE_ID, type WorkspaceId } from './kernel/ids.js';
import {
  CollectionStore,
  DocumentStore,
  IngestionInputs,
  IsolatedParser,
  KnowledgeService,
  knowledgeRuns,
  retrievalTuningRuns,
  RetrievalTuner,
  Retriever,
} from './knowledge/index.js';
import { Erasure, erasureRuns } from './erasure/index.js';
import { FileService, homeName, openArtifactStore } from './platform/artifacts/index.js';
import { mapDatabaseError, migrate, openDatabase } from './platform/database/index.js';
import { EventLog } from './platform/events/index.js';
import { ModelsOnDisk } from './platform/models-on-disk/index.js';
import { packageRoot } from './platform/package-root.js';
import { startServices } from './platform/processes/index.js';
import { RunQueue } from './platform/runs/index.js';
import { createLogger, type Logger } from './platform/telemetry/index.js';
import { ChromaVectorStore } from './platform/vectors/index.js';
import { inBulk, ServeWorker, TrainWorker } from './platform/worker/index.js';
import {
  AdapterRegistry,
  AdapterStore,
  downloadRuns,
  modelFileOf,
  ModelRegistry,
  ModelStore,
  quantizationRuns,
  Quantizer,
} from './registry/index.js';
import { askParts, installationMetrics } from './parts.js';
import { Teardown } from './teardown.js';
import { DownloadBars, sayAddresses } from './terminal.js';
import {
  AdapterDeleter,
  AdapterExporter,
  adapterExportRuns,
  AdapterImporter,
  adapterImportRuns,
  AdapterMerger,
  adapterMergeRuns,
  ExecutorChoice,
  installReader,
  learningRateSearchRuns,
  RateSearcher,
  TrainingEstimator,
  trainingRuns,
  TrainingService,
  type ReaderParts,
} from './training/index.js';

/** How often artifacts that no row names are collected. */
const COLLECT_MS = 60 * 60 * 1000;

export interface Graft {
  /** `http://127.0.0.1:4000`, with the port that was really taken. */
  readonly url: string;
  /** Drains, stops everything that was started, and lets go of the home. */
  stop(): Promise<void>;
}

/** @throws GraftError SETUP_FAILED, MODEL_UNAVAILABLE and others; whatever had started is stopped then */
export async function startGraft(config: Config, log: Logger): Promise<Graft> {
  const teardown = new Teardown();
  try {
    return await start(config, log, teardown);
  } catch (error) {
    await teardown.run(log);
    throw error;
  }
}

async function start(config: Config, log: Logger, teardown: Teardown): Promise<Graft> {
  const workspaceId = DEFAULT_WORKSPACE_ID;
  const shared = sharedStoreOf(config);
  await checkAddress(config.GRAFT_HOST, config.GRAFT_PORT);
  const services = await startServices({
    home: config.GRAFT_HOME,
    databaseUrl: config.DATABASE_URL,
    chromaUrl: config.CHROMA_URL,
    log,
  });
  teardown.add(() => services.stop());
  const database = await openDatabase(services.databaseUrl);
  teardown.add(() => database.close());
  const applied = await migrate(database);
  if (applied.length > 0) log.info({ migrations: applied }, 'migrations applied');

  const events = new EventLog({ database, log });
  teardown.add(() => events.close());
  const runs = new RunQueue({
    ...{ database, events, clock: systemClock, log },
    owner: homeName(config.GRAFT_HOME),
    kinds: RUN_KINDS,
  });
  const artifacts = await openArtifactStore({ home: config.GRAFT_HOME, shared, database, log });
  const files = new FileService(database, artifacts);
  const erasure = new Erasure(files);
  const vectors = new ChromaVectorStore(services.chroma);
  const worker = new ServeWorker({ home: config.GRAFT_HOME, log: log.child({ part: 'worker' }) });
  teardown.add(() => worker.stop());
  const trainWorker = new TrainWorker({ log: log.child({ part: 'train-worker' }), interactive: worker.interactive });
  teardown.add(() => trainWorker.stop());
  const executors = new ExecutorChoice({ worker: trainWorker, home: config.GRAFT_HOME });
  const modelsOnDisk = new ModelsOnDisk({
    folder: config.GRAFT_MODELS,
    hubEndpoint: config.HF_ENDPOINT,
    hubToken: config.HF_TOKEN,
    log,
  });

  const models = new ModelStore(database);
  const registry = new ModelRegistry({
    store: models,
    runs,
    files,
    artifacts,
    modelsOnDisk,
    erasure,
    worker,
    defaults: { model: config.GRAFT_MODEL, embedder: config.GRAFT_EMBEDDER },
  });
  const quantizer = new Quantizer({
    ...{ registry, store: models, runs, artifacts, files, worker, train: trainWorker },
    folder: join(config.GRAFT_HOME, 'quantizing'),
  });
  const adapters = new AdapterRegistry({ store: new AdapterStore(database), files, erasure });
  const stores = { collections: new CollectionStore(database), documents: new DocumentStore(database) };
  const inputs = new IngestionInputs(database);
  const parser = new IsolatedParser();
  const embedder = () => registry.embedder();
  const knowledge = new KnowledgeService({
    ...stores,
    database,
    runs,
    files,
    artifacts,
    parser,
    vectors,
    worker,
    embedder,
    erasure,
    inputs,
    log,
  });
  const retriever = new Retriever({ database, ...stores, vectors, worker, embedder, clock: systemClock });

  const answers = new AnswerStore(database);
  erasure.addHolder(answerHolder(database, answers));
  const data = new Data({
    ...{ database, runs, files, artifacts, erasure, vectors, worker, embedder, clock: systemClock },
    ...{ ...stores, retriever },
    folder: join(config.GRAFT_HOME, 'data'),
    countTokens: (workspace) => async (texts) => {
      const model = modelFileOf(await registry.defaultVariant(workspace));
      return worker.countTokens({ workspaceId: workspace, model, texts }, { priority: 'bulk' });
    },
  });
  teardown.add(() => data.stop());

  const routers = new RouterStore(database);
  erasure.addHolder(sampleHolder(routers));
  const answering = {
    registry,
    adapters,
    retriever,
    worker,
    answers,
    expected: new ExpectedTimes(),
    features: data.features,
    labelIndexes: data.labelIndexes,
    origins: data.raft,
    routers,
    clock: systemClock,
  };
  const asking = new AskService(answering);

  const attestor = new Attestor({
    ...{ runs, registry, adapters, files, serve: worker, train: trainWorker, clock: systemClock },
    folder: join(config.GRAFT_HOME, 'attesting'),
  });
  const evaluations = new EvaluationStore(database);
  erasure.addHolder(evaluationHolder(evaluations));
  const importer = new AdapterImporter({
    ...{ runs, registry, adapters, files, worker: trainWorker },
    folder: join(config.GRAFT_HOME, 'importing'),
  });
  const exporter = new AdapterExporter({ runs, registry, adapters, files, artifacts });
  const merger = new AdapterMerger({
    ...{ runs, registry, adapters, files, artifacts, worker: trainWorker },
    folder: join(config.GRAFT_HOME, 'merging'),
  });
  const training = new TrainingService({ runs, registry, adapters, data });
  const searcher = new RateSearcher({
    ...{ runs, training, registry, data, worker: trainWorker, executors },
    folder: join(config.GRAFT_HOME, 'searching'),
  });
  const estimator = new TrainingEstimator({ training, adapters, data, executors, serve: worker, worker: trainWorker });
  const gate = new Gate({ adapters, evaluations });
  const scales = new ScaleChooser({ runs, registry, adapters, data, worker });
  const hybridFitter = new HybridFitter({ runs, registry, adapters, data, worker });
  const routerFitter = new RouterFitter({ runs, registry, adapters, data, worker, retriever, routers, ...stores });
  const routerKeeper = new RouterKeeper({ fitter: routerFitter, workspaceId, log });
  teardown.add(() => routerKeeper.stop());
  const comparer = new Comparer({
    ...{ runs, registry, adapters, data, worker, retriever },
    asking: new AskService({ ...answering, worker: inBulk(worker), expected: new ExpectedTimes() }),
  });
  const evaluator = new Evaluator({
    ...{ runs, registry, adapters, data, worker, store: evaluations },
  });

  await worker.start();
  await trainWorker.start();
  const bars = new DownloadBars();
  const variant = await registry.ensureDefaults(workspaceId, bars.show).finally(() => bars.finish());
  const calibration = await worker.prepareModel({ workspaceId, model: variant });

  const verifying = new AbortController();
  teardown.add(() => verifying.abort());
  modelsOnDisk.verifyAll(verifying.signal).catch((error: unknown) => log.error({ err: error }, 'models not verified'));

  const looking = new AbortController();
  teardown.add(() => looking.abort());
  registry
    .readChats((unusable) => log.warn(unusable, 'a model’s chat template can’t be used'), looking.signal)
    .catch((err: unknown) =>
      log.debug({ err }, 'not all chat templates were looked into; each is when its model is asked'),
    );

  const parts = () => askParts({ database, vectors, worker, services });
  const tuner = new RetrievalTuner({ runs, ...stores, retriever });
  const nodes = new NodeRegistry();
  const resolvers = productResolvers(
    {
      gateway: {
        nodes,
        runs,
        system: {
          version: packageVersion(),
          home: config.GRAFT_HOME,
          parts,
          worker,
          threads: () => calibration.threads,
          executors: () => executors.chosen(),
          queues: (workspace) => runs.unfinished(workspace),
        },
      },
      registry: { registry, quantizer },
      knowledge: { service: knowledge, stores, retriever, tuner },
      ask: { service: asking, stores, registry, data },
      data,
      training: {
        ...{ training, searcher, estimator, deleter: new AdapterDeleter({ runs, adapters, erasure }) },
        ...{ importer, exporter, merger, runs, asking, files, adapters, registry, data },
      },
      evaluation: {
        ...{ attestor, evaluator, evaluations, gate, scales, hybridFitter, comparer },
        ...{ routerFitter, routers },
        ...{ adapters, registry, data },
      },
      erasure: {},
    },
    nodes,
  );

  const collector = setInterval(() => {
    void files.collectOrphans().catch((err: unknown) => log.debug({ err }, 'collecting artifacts was put off'));
  }, COLLECT_MS).unref();
  teardown.add(() => clearInterval(collector));

  runs.handle([downloadRuns], registry);
  runs.handle([quantizationRuns], quantizer);
  runs.handle(knowledgeRuns, knowledge.parts);
  runs.handle([retrievalTuningRuns], tuner);
  await data.importer.sweep();
  runs.handle(dataRuns, data);
  runs.handle([adapterImportRuns], importer);
  runs.handle([learningRateSearchRuns], searcher);
  runs.handle([adapterExportRuns], exporter);
  runs.handle([adapterMergeRuns], merger);
  runs.handle([trainingRuns], {
    ...{ registry, adapters, data, files, worker: trainWorker, executors },
    folder: join(config.GRAFT_HOME, 'training'),
  });
  runs.handle([attestationRuns], attestor);
  runs.handle([evaluationRuns], evaluator);
  runs.handle([scaleChoiceRuns], scales);
  runs.handle([hybridFitRuns], hybridFitter);
  runs.handle([strategyComparisonRuns], comparer);
  runs.handle([erasureRuns], erasure);
  runs.handle([routerFitRuns], routerFitter);
  teardown.add(() => knowledge.stop());
  teardown.add(() => runs.stop());
  const gateway = await startGateway({
    schema: buildGraphSchema(resolvers),
    host: config.GRAFT_HOST,
    port: config.GRAFT_PORT,
    origins: { allowedHosts: config.GRAFT_ALLOWED_HOSTS, allowedOrigins: config.GRAFT_ALLOWED_ORIGINS },
    log: log.child({ part: 'gateway' }),
    readiness: parts,
    metrics: installationMetrics({ parts, worker, queues: () => runs.unfinished(workspaceId) }),
    files,
    downloads: files,
    maxUploadBytes: config.GRAFT_MAX_UPLOAD_BYTES,
    mapError: mapDatabaseError,
    playgroundFolder: join(packageRoot(), 'dist', 'playground'),
    consoleFolder: join(packageRoot(), 'dist', 'console'),
  });
  // Added last, so it comes first: nothing new is taken from the moment of the signal.
  teardown.add(() => gateway.close(config.GRAFT_DRAIN_SECONDS * 1000));
  runs.start();
  knowledge.start();
  if (config.GRAFT_ROUTER_REFIT === 'on') routerKeeper.start();
  await startReader({ registry, adapters, files }, attestor, workspaceId, log);
  log.info({ url: gateway.url }, 'ready');
  return { url: gateway.url, stop: () => teardown.run(log) };
}

/** Makes the reader that comes with the default model one of the adapters; it answers as soon as it was shown to act. */
async function startReader(
  parts: ReaderParts,
  attestor: Attestor,
  workspaceId: WorkspaceId,
  log: Logger,
): Promise<void> {
  try {
    const reader = await installReader(parts, workspaceId);
    if (reader && reader.version.attestation === null) await attestor.startBuiltIn(workspaceId, reader);
  } catch (err) {
    log.warn({ err }, 'the reader that comes with Graft was not installed');
  }
}

const packageVersion = (): string =>
  (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;

/** Runs until SIGTERM or SIGINT; the second signal ends at once. */
async function main(): Promise<void> {
  const config = loadConfig();
  const log = createLogger({ level: config.LOG_LEVEL });
  const graft = await startGraft(config, log);
  sayAddresses(graft.url);
  stopOnSignal(graft);
}

/** Exit code 0 after a clean stop. */
export function stopOnSignal(graft: Graft): void {
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1);
    stopping = true;
    void graft.stop().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/** Prints an error as a person can use it; a stack only for what nobody foresaw. */
export function failToStart(error: unknown): never {
  const known = isGraftError(error);
  process.stderr.write(known ? `${error.code}: ${error.message}\n` : `${String((error as Error)?.stack ?? error)}\n`);
  if (known && error.hint) process.stderr.write(`${error.hint}\n`);
  process.exit(1);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main().catch(failToStart);
