import type { ResolverList } from '../graphql-kit/index.js';
import type { Data } from './data.js';
import { ExportResolver, exportRuns } from './datasets/export-graphql.js';
import { DatasetResolver, registerDatasetNodes } from './datasets/dataset-graphql.js';
import { FileResolver, registerFileNode } from './datasets/file-graphql.js';
import { ImportResolver, importRuns } from './datasets/import-graphql.js';
import { DatasetDiffResolver, DatasetVersionResolver } from './datasets/version-fields-graphql.js';
import { FeatureImportResolver, featureImportRuns } from './features/feature-import-graphql.js';
import {
  LabelIndexingResolver,
  labelIndexingRuns,
  VersionLabelIndexResolver,
} from './label-index/label-index-graphql.js';
import { RaftResolver, raftRuns } from './raft/raft-graphql.js';
import { FeatureViewResolver, registerFeatureNodes } from './features/feature-graphql.js';

/** The kinds of runs of this domain; their parts are `Data`. */
export const dataRuns = [importRuns, exportRuns, featureImportRuns, labelIndexingRuns, raftRuns] as const;

/** The resolvers of this domain. */
export const dataResolvers: ResolverList<Data> = {
  classes: [
    DatasetResolver,
    DatasetVersionResolver,
    DatasetDiffResolver,
    ImportResolver,
    ExportResolver,
    FeatureViewResolver,
    FeatureImportResolver,
    FileResolver,
    LabelIndexingResolver,
    VersionLabelIndexResolver,
    RaftResolver,
  ],
  registerNodes(nodes, data) {
    registerDatasetNodes(nodes, data);
    registerFileNode(nodes, data.parts.files);
    registerFeatureNodes(nodes, data);
  },
};
