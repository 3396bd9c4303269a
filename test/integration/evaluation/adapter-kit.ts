import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../../src/kernel/hashing.js';
import { DEFAULT_WORKSPACE_ID as workspaceId, newId } from '../../../src/kernel/ids.js';
import { openDomains, type Domains } from '../../../src/server/domains.js';
import type { ServeWorker, WorkerClient } from '../../../src/platform/worker/index.js';
import type { AdapterRegistry, AdapterUsage, ServedVariant } from '../../../src/sources/registry/index.js';
import { tinyModel } from '../../support/tiny-model.js';
import { TINY_LORA, writePeft, type PeftOptions } from '../../support/tiny-peft.js';
import { sharedWorker, type TestWorker } from '../../support/worker.js';
import { RegistryKit } from '../registry/registry-kit.js';

const USAGE: AdapterUsage = { v: 1, rendering: 1, labels: [], languages: null, reads: false, answer: { form: 'text' } };

export interface NewTinyAdapter extends PeftOptions {
  name: string;
  task?: string;
  usage?: Partial<AdapterUsage>;
  datasetVersionId?: string;
  /** Dataset versions that its parents learned from. */
  inheritedFrom?: string[];
  /** Puts another file where the served form is kept. */
  served?: (gguf: Buffer) => Buffer | Promise<Buffer>;
  /** Puts other settings in PEFT's configuration. */
  settings?: object;
}

/** The tiny model registered, the whole product open over real workers, and adapters for the model as training leaves them. */
export class AdapterKit {
  private constructor(
    readonly worker: TestWorker,
    readonly models: RegistryKit<Domains>,
    readonly variant: ServedVariant,
  ) {}

  /**
   * @param realModels whether the real embedder is there
   * @param watched the worker as domains see it; the real one by default
   * @param env more variables of the configuration
   */
  static async start({
    realModels = false,
    watched = (client) => client,
    env,
  }: {
    realModels?: boolean;
    watched?: (client: ServeWorker) => WorkerClient;
    env?: Record<string, string>;
  } = {}): Promise<AdapterKit> {
    const worker = await sharedWorker();
    const models = await RegistryKit.with(watched(worker.client), openDomains, {
      realModels,
      env: { GRAFT_MODEL: 'tiny', ...env },
    });
    const file = await models.upload(workspaceId, 'tiny.gguf', tinyModel({ variedGains: true }));
    await models.ended(
      await models.registry.register(workspaceId, { fileId: file.id as never, idempotencyKey: newId() }),
      120_000,
    );
    if (realModels) await models.registry.ensureEmbedder();
    return new AdapterKit(worker, models, await models.registry.resolve(workspaceId, 'tiny'));
  }

  get domains(): Domains {
    return this.models.domains;
  }

  get adapters(): AdapterRegistry {
    return this.domains.registry.adapters;
  }

  async add({
    name,
    task = 'INSTRUCTION',
    usage,
    datasetVersionId,
    inheritedFrom = [],
    served = (gguf) => gguf,
    settings,
    ...options
  }: NewTinyAdapter) {
    const files = await writePeft(mkdtempSync(join(this.models.folder, 'peft-')), this.variant, options);
    const store = (file: string, content: Buffer) => this.models.upload(workspaceId, file, content);
    const weights = await store('adapter_model.safetensors', files.weights);
    const config = await store('adapter_config.json', withSettings(files.config, settings));
    const gguf = await store('adapter.gguf', await served(files.gguf));
    return this.adapters.add(
      workspaceId,
      { name, task, modelId: this.variant.modelId, description: '' },
      {
        digest: sha256(files.weights),
        weightsFileId: weights.id,
        configFileId: config.id,
        ggufFileId: gguf.id,
        ggufSha256: gguf.sha256,
        bytes: files.weights.length,
        rank: TINY_LORA.rank,
        alpha: TINY_LORA.alpha,
        targets: [...TINY_LORA.targets],
        variantId: this.variant.variantId,
        ...(datasetVersionId !== undefined && { datasetVersionId }),
        inheritedFrom,
        usage: { ...USAGE, ...usage },
        origin: 'TRAINED',
      },
    );
  }

  async dispose(): Promise<void> {
    await this.models.dispose();
    await this.worker.dispose();
  }
}

const withSettings = (config: Buffer, settings?: object): Buffer =>
  settings ? Buffer.from(JSON.stringify({ ...(JSON.parse(config.toString('utf8')) as object), ...settings })) : config;
