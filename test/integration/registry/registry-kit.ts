import { Erasure } from '../../../src/platform/erasure/index.js';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { systemClock } from '../../../src/kernel/clock.js';
import { newId, type WorkspaceId } from '../../../src/kernel/ids.js';
import { FileService, LocalArtifactStore } from '../../../src/platform/artifacts/index.js';
import { EventLog } from '../../../src/platform/events/index.js';
import { ModelsOnDisk } from '../../../src/platform/models-on-disk/index.js';
import { RunQueue, type RunRow } from '../../../src/platform/runs/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import { TrainWorker, type WorkerClient } from '../../../src/platform/worker/index.js';
import { ModelRegistry, ModelStore, Quantizer, registryDomain } from '../../../src/registry/index.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { endedRun } from '../../support/ended-run.js';
import { HubServer } from '../platform/hub-server.js';

/** A registry on the real database and the real workers, of which the one that quantizes starts when it is asked; with a hub of the test's own. */
export class RegistryKit {
  private constructor(
    readonly database: TestDatabase,
    readonly folder: string,
    readonly hub: HubServer,
    readonly artifacts: LocalArtifactStore,
    readonly files: FileService,
    readonly erasure: Erasure,
    readonly runs: RunQueue,
    readonly events: EventLog,
    readonly registry: ModelRegistry,
    readonly train: TrainWorker,
    readonly quantizer: Quantizer,
    /** Another registry of the same models, which answers with this one when nobody names any. */
    readonly withDefault: (model: string) => ModelRegistry,
  ) {}

  static async start(worker: WorkerClient, { realModels = false } = {}): Promise<RegistryKit> {
    const database = await testDatabase();
    const folder = await mkdtemp(join(tmpdir(), 'graft-registry-'));
    const hub = await HubServer.start();
    const log = silentLogger();
    const artifacts = new LocalArtifactStore(join(folder, 'artifacts'));
    const files = new FileService(database, artifacts);
    const erasure = new Erasure(files);
    const events = new EventLog({ database, log });
    const runs = new RunQueue({
      database,
      events,
      clock: systemClock,
      log,
      owner: newId(),
      pollMs: 50,
      kinds: registryDomain.runs,
    });
    const modelsOnDisk = realModels
      ? new ModelsOnDisk({ folder: process.env['GRAFT_MODELS'], hubEndpoint: process.env['HF_ENDPOINT'], log })
      : new ModelsOnDisk({ folder: join(folder, 'models'), hubEndpoint: hub.url, log, pythons: [] });
    const store = new ModelStore(database);
    const withDefault = (model: string) =>
      new ModelRegistry({
        ...{ runs, files, artifacts, modelsOnDisk, worker, erasure, store },
        defaults: { model, embedder: 'all-minilm-l6-v2' },
      });
    const registry = withDefault('smollm2-135m-instruct');
    const train = new TrainWorker({ log, drainMs: 0 });
    await train.start();
    const quantizer = new Quantizer({
      ...{ registry, store, runs, artifacts, files, worker, train },
      folder: join(folder, 'quantizing'),
    });
    runs.handle(registryDomain.runs, { registry, quantizer });
    runs.start();
    return new RegistryKit(
      database,
      folder,
      hub,
      artifacts,
      files,
      erasure,
      runs,
      events,
      registry,
      train,
      quantizer,
      withDefault,
    );
  }

  async dispose(): Promise<void> {
    await this.runs.stop();
    await this.train.stop();
    await this.events.close();
    await this.hub.close();
    await this.database.dispose();
    await rm(this.folder, { recursive: true });
  }

  upload(workspaceId: WorkspaceId, name: string, content: Buffer) {
    const source = Readable.from([content]);
    return this.files.store(workspaceId, { name, mediaType: 'application/octet-stream', source, maxBytes: 1e9 });
  }

  /** The run when it has ended. */
  ended(run: RunRow, timeoutMs?: number): Promise<RunRow> {
    return endedRun(this.database, run, timeoutMs);
  }

  /** Everything that registrations could leave behind, but for rows of runs. */
  async leftovers(): Promise<string[]> {
    const entries = await readdir(this.folder, { recursive: true, withFileTypes: true });
    const { prisma } = this.database;
    const rows = [prisma.storedFile.count(), prisma.baseModel.count(), prisma.modelVariant.count()];
    const [files, models, variants] = await Promise.all(rows);
    return [
      ...entries.filter((entry) => entry.isFile()).map((entry) => entry.name),
      ...[`${files} files`, `${models} models`, `${variants} variants`].filter((text) => !text.startsWith('0')),
    ];
  }
}
