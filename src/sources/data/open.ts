import { defineDomain, offer, type Offer } from '../../kit/domain/index.js';
import type { NodeRegistry } from '../../kit/graphql/index.js';
import type { Platform } from '../../platform/platform.js';
import { Data, type DataParts } from './data.js';
import { DatasetResolver, registerDatasetNodes } from './datasets/dataset-graphql.js';
import { ExportResolver, exportRuns } from './datasets/export-graphql.js';
import { FileResolver, registerFileNode } from './datasets/file-graphql.js';
import { FileMappingResolver } from './datasets/mapping-graphql.js';
import { ImportResolver, importRuns } from './datasets/import-graphql.js';
import { DatasetDiffResolver, DatasetVersionResolver } from './datasets/version-fields-graphql.js';
import { FeatureImportResolver, featureImportRuns } from './features/feature-import-graphql.js';
import { FeatureViewResolver, registerFeatureNodes } from './features/feature-graphql.js';
import {
  LabelIndexingResolver,
  labelIndexingRuns,
  VersionLabelIndexResolver,
} from './answering/label-index/label-index-graphql.js';
import { RaftResolver, raftRuns } from './answering/raft/raft-graphql.js';

export const dataDomain = defineDomain({
  classes: [
    DatasetResolver,
    DatasetVersionResolver,
    DatasetDiffResolver,
    ImportResolver,
    FileMappingResolver,
    ExportResolver,
    FeatureViewResolver,
    FeatureImportResolver,
    FileResolver,
    LabelIndexingResolver,
    VersionLabelIndexResolver,
    RaftResolver,
  ],
  runs: [importRuns, exportRuns, featureImportRuns, labelIndexingRuns, raftRuns],
  registerNodes(nodes: NodeRegistry, data: Data) {
    registerDatasetNodes(nodes, data);
    registerFileNode(nodes, data.parts.files);
    registerFeatureNodes(nodes, data);
  },
});

/** Datasets and features. */
export interface OpenData {
  readonly data: Data;
  readonly offer: Offer;
}

/** Sweeps up first what imports of an earlier process left behind. */
export async function openData(
  platform: Platform,
  lower: {
    registry: Pick<DataParts, 'embedder' | 'countTokens'>;
    knowledge: Pick<DataParts, 'collections' | 'documents' | 'retriever'>;
  },
): Promise<OpenData> {
  const data = new Data({ ...platform, ...lower.knowledge, ...lower.registry, folder: platform.folder('data') });
  await data.importer.sweep();
  return { data, offer: offer(dataDomain, platform.runs, data, { stop: () => data.stop() }) };
}
