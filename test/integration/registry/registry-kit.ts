import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { WorkspaceId } from '../../../src/kernel/ids.js';
import type { ArtifactStore, FileService } from '../../../src/platform/artifacts/index.js';
import { ModelsOnDisk } from '../../../src/platform/models-on-disk/index.js';
import type { Platform } from '../../../src/platform/platform.js';
import type { RunQueue, RunRow } from '../../../src/platform/runs/index.js';
import { silentLogger } from '../../../src/platform/telemetry/index.js';
import type { WorkerClient } from '../../../src/platform/worker/index.js';
import {
  openRegistry,
  type ModelRegistry,
  type Quantizer,
  type Registry,
} from '../../../src/sources/registry/index.js';
import type { TestDatabase } from '../../support/database.js';
import { endedRun } from '../../support/ended-run.js';
import { TestPlatform, type Opened } from '../../support/test-platform.js';
import { HubServer } from '../platform/hub-server.js';

/** Models on the real database and the real workers, of which the one that quantizes starts when it is asked; with a hub of the test's own. */
export class RegistryKit<Domains extends Opened & { registry: Registry } = { registry: Registry }> {
  private constructor(
    readonly test: TestPlatform,
    readonly hub: HubServer,
    readonly domains: Domains,
  ) {}

  static start(worker: WorkerClient, { realModels = false } = {}): Promise<RegistryKit> {
    return RegistryKit.with(worker, (platform) => Promise.resolve({ registry: openRegistry(platform) }), {
      realModels,
    });
  }

  /** The same with other domains beside it. */
  static async with<Domains extends Opened & { registry: Registry }>(
    worker: WorkerClient,
    open: (platform: Platform) => Promise<Domains>,
    { realModels = false, env }: { realModels?: boolean; env?: Record<string, string> } = {},
  ): Promise<RegistryKit<Domains>> {
    const hub = await HubServer.start();
    const test = await TestPlatform.start({
      worker,
      ...(env && { env }),
      ...(!realModels && {
        modelsOnDisk: (folder) =>
          new ModelsOnDisk({
            folder: join(folder, 'models'),
            hubEndpoint: hub.url,
            log: silentLogger(),
            packageIndexes: () => ({ urls: [], certificates: null }),
          }),
      }),
    });
    await test.platform.trainWorker.start();
    const domains = await open(test.platform);
    test.work(domains);
    return new RegistryKit(test, hub, domains);
  }

  async dispose(): Promise<void> {
    await this.test.dispose();
    await this.hub.close();
  }

  get database(): TestDatabase {
    return this.test.database;
  }

  get folder(): string {
    return this.test.folder;
  }

  get artifacts(): ArtifactStore {
    return this.test.platform.artifacts;
  }

  get files(): FileService {
    return this.test.platform.files;
  }

  get runs(): RunQueue {
    return this.test.platform.runs;
  }

  get registry(): ModelRegistry {
    return this.domains.registry.registry;
  }

  get quantizer(): Quantizer {
    return this.domains.registry.quantizer;
  }

  /** Another registry of the same models, which answers with this one when nobody names any. */
  withDefault(model: string): ModelRegistry {
    const { platform } = this.test;
    return openRegistry({ ...platform, config: { ...platform.config, GRAFT_MODEL: model } }).registry;
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
