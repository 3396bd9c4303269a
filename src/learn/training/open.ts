import type { OpenAsking } from '../../answer/ask/index.js';
import type { OpenData } from '../../sources/data/index.js';
import { defineDomain, offer, type Offer } from '../../kit/domain/index.js';
import type { NodeRegistry } from '../../kit/graphql/index.js';
import type { Platform } from '../../platform/platform.js';
import type { AdapterRegistry, Registry } from '../../sources/registry/index.js';
import {
  AdapterResolver,
  AdapterVersionResolver,
  AliasChangeResolver,
  AppliedAdapterResolver,
  registerAdapterNodes,
} from './adapters/adapter-graphql.js';
import { AdapterDeleter } from './deletion/adapter-deleter.js';
import { AdapterDeletionResolver } from './deletion/deletion-graphql.js';
import { EstimateResolver } from './estimates/estimate-graphql.js';
import { TrainingEstimator } from './estimates/training-estimator.js';
import { AdapterExporter } from './exports/adapter-exporter.js';
import { AdapterMerger } from './exports/adapter-merger.js';
import {
  AdapterExportResolver,
  adapterExportRuns,
  AdapterMergeResolver,
  adapterMergeRuns,
  MergedVersionResolver,
} from './exports/export-graphql.js';
import { AdapterImporter } from './imports/adapter-importer.js';
import { AdapterFilesResolver, AdapterImportResolver, adapterImportRuns } from './imports/import-graphql.js';
import { TrainedOnResolver, VersionLineageResolver } from './lineage-graphql.js';
import { ExecutorChoice } from './runs/executor-choice.js';
import { TrainingRunResolver, trainingRuns } from './runs/training-graphql.js';
import { TrainingService } from './runs/training-service.js';
import { RateSearcher } from './search/rate-searcher.js';
import { RateSearchResolver, learningRateSearchRuns } from './search/search-graphql.js';

export const trainingDomain = defineDomain({
  classes: [
    AdapterResolver,
    AdapterVersionResolver,
    AliasChangeResolver,
    AppliedAdapterResolver,
    TrainingRunResolver,
    AdapterImportResolver,
    AdapterFilesResolver,
    AdapterExportResolver,
    AdapterMergeResolver,
    MergedVersionResolver,
    TrainedOnResolver,
    VersionLineageResolver,
    RateSearchResolver,
    EstimateResolver,
    AdapterDeletionResolver,
  ],
  runs: [trainingRuns, learningRateSearchRuns, adapterImportRuns, adapterExportRuns, adapterMergeRuns],
  registerNodes: (nodes: NodeRegistry, { adapters }: { adapters: AdapterRegistry }) =>
    registerAdapterNodes(nodes, adapters),
});

/** How adapters come about. */
export interface Training {
  readonly training: TrainingService;
  readonly searcher: RateSearcher;
  readonly estimator: TrainingEstimator;
  readonly importer: AdapterImporter;
  readonly exporter: AdapterExporter;
  readonly merger: AdapterMerger;
  readonly deleter: AdapterDeleter;
  readonly executors: ExecutorChoice;
  readonly offer: Offer;
}

export function openTraining(
  platform: Platform,
  lower: { registry: Registry; data: OpenData; ask: Pick<OpenAsking, 'asking'> },
): Training {
  const { registry, adapters } = lower.registry;
  const { data } = lower.data;
  const { asking } = lower.ask;
  const { config, runs, files, folder, worker: serve } = platform;
  const parts = { ...platform, registry, adapters, data, worker: platform.trainWorker };
  const executors = new ExecutorChoice({ worker: parts.worker, home: config.GRAFT_HOME });
  const training = new TrainingService(parts);
  const services = {
    training,
    executors,
    searcher: new RateSearcher({ ...parts, training, executors, folder: folder('searching') }),
    estimator: new TrainingEstimator({ ...parts, training, executors, serve }),
    importer: new AdapterImporter({ ...parts, folder: folder('importing') }),
    exporter: new AdapterExporter(parts),
    merger: new AdapterMerger({ ...parts, folder: folder('merging') }),
    deleter: new AdapterDeleter(parts),
  };
  const trainer = { ...parts, executors, folder: folder('training') };
  const dependencies = { ...services, trainer, registry, adapters, data, asking, runs, files };
  return { ...services, offer: offer(trainingDomain, runs, dependencies) };
}
