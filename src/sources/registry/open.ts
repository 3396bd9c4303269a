import { join } from 'node:path';
import { defineDomain, offer, type Offer } from '../../kit/domain/index.js';
import type { NodeRegistry } from '../../kit/graphql/index.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { Platform } from '../../platform/platform.js';
import { MeasurementStore } from '../../platform/worker/index.js';
import type { EmbedderFiles } from '../../worker-protocol/index.js';
import { AdapterRegistry } from './adapters/adapter-registry.js';
import { AdapterStore } from './adapters/adapter-store.js';
import { modelFileOf } from './model.js';
import { CatalogueResolver } from './catalogue-graphql.js';
import { ModelRegistry } from './model-registry.js';
import { ModelStore } from './model-store.js';
import {
  QuantizationReportResolver,
  QuantizationRunResolver,
  quantizationRuns,
  QuantizedVariantResolver,
  VariantRecommendationResolver,
} from './quantization/quantization-graphql.js';
import { Quantizer } from './quantization/quantizer.js';
import { machineMemory } from './recommending/memory.js';
import { RecommendationResolver } from './recommending/recommendation-graphql.js';
import { modelChoice, ModelRecommender } from './recommending/recommender.js';
import {
  DownloadRunResolver,
  downloadRuns,
  ModelResolver,
  ModelVariantResolver,
  registerModelNodes,
} from './registry-graphql.js';

export const registryDomain = defineDomain({
  classes: [
    ModelResolver,
    CatalogueResolver,
    ModelVariantResolver,
    DownloadRunResolver,
    QuantizationRunResolver,
    QuantizationReportResolver,
    QuantizedVariantResolver,
    VariantRecommendationResolver,
    RecommendationResolver,
  ],
  runs: [downloadRuns, quantizationRuns],
  registerNodes: (nodes: NodeRegistry, { registry }: { registry: ModelRegistry }) =>
    registerModelNodes(nodes, registry),
});

/** Models and adapters: what a workspace can answer with. */
export interface Registry {
  readonly registry: ModelRegistry;
  readonly adapters: AdapterRegistry;
  readonly quantizer: Quantizer;
  readonly recommender: ModelRecommender;
  /** The embedder of new indexes. @throws MODEL_UNAVAILABLE until it is on this machine */
  readonly embedder: () => EmbedderFiles;
  /** Counts tokens by the model that answers, and is trained, when nobody names one. */
  readonly countTokens: (workspaceId: WorkspaceId) => (texts: string[]) => Promise<number[]>;
  readonly offer: Offer;
}

export function openRegistry(platform: Platform): Registry {
  const { config, database, log, runs } = platform;
  const store = new ModelStore(database);
  const defaults = { model: config.GRAFT_MODEL, embedder: config.GRAFT_EMBEDDER };
  const registry = new ModelRegistry({ ...platform, store, defaults });
  const adapters = new AdapterRegistry({ ...platform, store: new AdapterStore(database) });
  const quantizer = new Quantizer({
    ...platform,
    registry,
    store,
    train: platform.trainWorker,
    folder: platform.folder('quantizing'),
  });
  const recommender = new ModelRecommender({
    ...platform,
    registry,
    choices: new MeasurementStore(join(config.GRAFT_HOME, 'chosen-model.json'), modelChoice),
    bounds: { seconds: config.GRAFT_ANSWER_SECONDS, memoryBytes: machineMemory() },
  });
  const services = { registry, adapters, quantizer, recommender };

  const looking = new AbortController();
  /** Looks into the templates of models that were registered before that was done. */
  const start = (): void => {
    registry
      .readChats((unusable) => log.warn(unusable, 'a model’s chat template can’t be used'), looking.signal)
      .catch((err: unknown) =>
        log.debug({ err }, 'not all chat templates were looked into; each is when its model is asked'),
      );
  };
  return {
    ...services,
    embedder: () => registry.embedder(),
    countTokens: (workspaceId) => async (texts) => {
      const model = modelFileOf(await registry.defaultVariant(workspaceId));
      return platform.worker.countTokens({ workspaceId, model, texts }, { priority: 'bulk' });
    },
    offer: offer(registryDomain, runs, services, { start, stop: () => looking.abort() }),
  };
}
