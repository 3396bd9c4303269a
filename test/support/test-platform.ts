import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/platform/config.js';
import type { Offer } from '../../src/kit/domain/index.js';
import { systemClock } from '../../src/kernel/clock.js';
import { newId } from '../../src/kernel/ids.js';
import { LocalArtifactStore, type ArtifactStore } from '../../src/platform/artifacts/index.js';
import type { ModelsOnDisk } from '../../src/platform/models-on-disk/index.js';
import { platformOn, type Platform, type PlatformBase } from '../../src/platform/platform.js';
import { silentLogger } from '../../src/platform/telemetry/index.js';
import { ChromaVectorStore } from '../../src/platform/vectors/index.js';
import { ServeWorker, TrainWorker } from '../../src/platform/worker/index.js';
import { chromaUrl } from './chroma.js';
import { testDatabase, type TestDatabase } from './database.js';

export type Opened = Record<string, { readonly offer: Offer }>;

export interface TestPlatformOptions extends Partial<
  Omit<PlatformBase, 'config' | 'database' | 'artifacts' | 'modelsOnDisk'>
> {
  /** Variables of the configuration. */
  env?: Record<string, string>;
  database?: TestDatabase;
  artifacts?: (folder: string) => ArtifactStore;
  modelsOnDisk?: (folder: string) => ModelsOnDisk;
}

/**
 * What domains are opened over in tests, as in the product: a database of its own, the run's Chroma, artifacts and work in
 * progress in a folder of its own. Workers that aren't given are real, and not started.
 */
export class TestPlatform {
  readonly #opened: Opened[] = [];
  readonly #others: Platform[] = [];

  private constructor(
    readonly platform: Platform,
    readonly database: TestDatabase,
    readonly folder: string,
    /** What nobody else stops. */
    private readonly own: { stop(): Promise<void> }[],
  ) {}

  static async start({
    env,
    artifacts,
    modelsOnDisk,
    queue,
    ...given
  }: TestPlatformOptions = {}): Promise<TestPlatform> {
    const folder = await mkdtemp(join(tmpdir(), 'graft-test-'));
    const { GRAFT_MODELS, GRAFT_EMBEDDER, HF_ENDPOINT } = process.env;
    const config = loadConfig({ GRAFT_MODELS, GRAFT_EMBEDDER, HF_ENDPOINT, GRAFT_HOME: folder, ...env });
    const database = given.database ?? (await testDatabase());
    const log = given.log ?? silentLogger();
    const worker = given.worker ?? new ServeWorker({ home: folder, log, gpu: false, drainMs: 0 });
    const trainWorker = given.trainWorker ?? new TrainWorker({ log, drainMs: 0 });
    const own = [...(given.trainWorker ? [] : [trainWorker]), ...(given.worker ? [] : [worker])];
    const platform = platformOn({
      config,
      log,
      clock: systemClock,
      artifacts: artifacts?.(folder) ?? new LocalArtifactStore(join(folder, 'artifacts')),
      vectors: new ChromaVectorStore({ url: chromaUrl() }),
      worker,
      trainWorker,
      health: () => ({ postgres: EXTERNAL, chroma: EXTERNAL }),
      ...given,
      database,
      ...(modelsOnDisk && { modelsOnDisk: modelsOnDisk(folder) }),
      queue: { owner: newId(), pollMs: 200, ...queue },
    });
    return new TestPlatform(platform, database, folder, own);
  }

  /** Lets the platform's queue do the runs of these domains; nothing of what goes on by itself begins. */
  work(domains: Opened): void {
    this.handle(domains);
    this.platform.runs.start();
  }

  /** The same with a queue that its owner starts. */
  handle(domains: Opened): void {
    this.#opened.push(domains);
    for (const { offer } of Object.values(domains)) offer.handleRuns();
  }

  /** Another gateway's platform on the same servers. */
  other(queue: NonNullable<PlatformBase['queue']>): Platform {
    const other = platformOn({ ...this.platform, queue: { pollMs: 200, ...queue } });
    this.#others.push(other);
    return other;
  }

  async dispose(): Promise<void> {
    const all = [this.platform, ...this.#others];
    await Promise.all(all.map(({ runs }) => runs.stop()));
    for (const domains of this.#opened) for (const { offer } of Object.values(domains).reverse()) await offer.stop();
    for (const worker of this.own) await worker.stop();
    await Promise.all(all.map(({ events }) => events.close()));
    await this.database.dispose();
    await rm(this.folder, { recursive: true, force: true });
  }
}

const EXTERNAL = { state: 'external', pid: null, restarts: 0 } as const;
