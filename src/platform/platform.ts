import { join } from 'node:path';
import type { Config } from './config.js';
import { systemClock, type Clock } from '../kernel/clock.js';
import { FileService, homeName, openArtifactStore, sharedStoreOf, type ArtifactStore } from './artifacts/index.js';
import { installationId, migrate, openDatabase, type Database, type Scope } from './database/index.js';
import { Erasure } from './erasure/index.js';
import { EventLog } from './events/index.js';
import { ModelsOnDisk } from './models-on-disk/index.js';
import { startServices, type ServicesHealth } from './processes/index.js';
import { RunQueue, takenKinds, type RunQueueOptions } from './runs/index.js';
import type { Teardown } from './teardown.js';
import type { Logger } from './telemetry/index.js';
import { packageRoot } from './package-root.js';
import { openTracing } from './tracing/index.js';
import { ChromaVectorStore, type VectorStore } from './vectors/index.js';
import { ServeWorker, TrainWorker, type TrainClient, type WorkerClient } from './worker/index.js';

/** What every domain stands on, in one bag: a domain's `open.ts` takes it and passes on what each part needs. */
export interface Platform {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  readonly database: Database;
  readonly events: EventLog;
  readonly runs: RunQueue;
  readonly artifacts: ArtifactStore;
  readonly files: FileService;
  /** Who keeps copies of what people wrote, or needs files, registers with it while it is opened. */
  readonly erasure: Erasure;
  readonly vectors: VectorStore;
  /** Answers and embeds; opened, but not started. */
  readonly worker: WorkerClient;
  /** Does work of hours; opened, but not started. */
  readonly trainWorker: TrainClient;
  readonly modelsOnDisk: ModelsOnDisk;
  /** What the supervision knows of the servers below. */
  readonly health: () => ServicesHealth;
  /** A folder below the home for a domain's work in progress; made by who writes there. */
  readonly folder: (name: string) => string;
}

/** What is already there when the rest of the platform is made; tests and benchmarks bring their own. */
export type PlatformBase = Pick<
  Platform,
  'config' | 'log' | 'clock' | 'database' | 'artifacts' | 'vectors' | 'worker' | 'trainWorker' | 'health'
> &
  Partial<Pick<Platform, 'modelsOnDisk'>> &
  Pick<RunQueueOptions, 'kinds'> & {
    /** How the queue of runs behaves where it isn't as in production. */
    queue?: Partial<Pick<RunQueueOptions, 'owner' | 'leaseMs' | 'pollMs' | 'retryMs' | 'sliceMs'>>;
  };

/** The platform over its base. Ends with `events.close()`, once runs have stopped. */
export function platformOn({ kinds, queue, modelsOnDisk, ...base }: PlatformBase): Platform {
  const { config, log, clock, database, artifacts } = base;
  const events = new EventLog({ database, log });
  const files = new FileService(database, artifacts);
  const owner = homeName(config.GRAFT_HOME);
  const takes = takenKinds(
    config.GRAFT_RUNS,
    (kinds ?? []).map(({ definition }) => definition.kind),
  );
  return {
    ...base,
    events,
    files,
    runs: new RunQueue({ database, events, clock, log, owner, kinds, takes, ...queue }),
    erasure: new Erasure(files),
    modelsOnDisk:
      modelsOnDisk ??
      new ModelsOnDisk({
        folder: config.GRAFT_MODELS,
        hubEndpoint: config.HF_ENDPOINT,
        hubToken: config.HF_TOKEN,
        shipped: join(packageRoot(), 'models'),
        log,
      }),
    folder: (name) => join(config.GRAFT_HOME, name),
  };
}

/**
 * Starts the servers that the configuration doesn't name, migrates the database and opens what domains stand on. Each part
 * is stopped by `teardown`, also when a later one fails.
 * @throws SETUP_FAILED and what a server that can't be reached throws
 */
export async function openPlatform(
  config: Config,
  log: Logger,
  teardown: Teardown,
  kinds: PlatformBase['kinds'],
  { unsaid }: { unsaid?: Scope } = {},
): Promise<Platform> {
  teardown.add(await openTracing(config, log.child({ part: 'tracing' })));
  const home = config.GRAFT_HOME;
  const shared = sharedStoreOf(config);
  const services = await startServices({
    home,
    databaseUrl: config.DATABASE_URL,
    chromaUrl: config.CHROMA_URL,
    log,
  });
  teardown.add(() => services.stop());
  const database = await openDatabase(services.databaseUrl, { unsaid });
  teardown.add(() => database.close());
  const applied = await migrate(database);
  if (applied.length > 0) log.info({ migrations: applied }, 'migrations applied');
  const installation = await installationId(services.databaseUrl);
  const artifacts = await openArtifactStore({ home, installation, shared, database, log });
  const worker = new ServeWorker({ home, log: log.child({ part: 'worker' }) });
  const trainWorker = new TrainWorker({ log: log.child({ part: 'train-worker' }), interactive: worker.interactive });
  const platform = platformOn({
    config,
    log,
    clock: systemClock,
    database,
    artifacts,
    vectors: new ChromaVectorStore({ ...services.chroma, installation: services.chroma.own ? null : installation }),
    worker,
    trainWorker,
    health: () => services.health(),
    kinds,
  });
  teardown.add(() => platform.events.close());
  teardown.add(() => worker.stop());
  teardown.add(() => trainWorker.stop());
  return platform;
}
