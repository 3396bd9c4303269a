import type { ResolverList } from '../graphql-kit/index.js';
import type { Data } from './data.js';
import { DatasetResolver, registerDatasetNodes } from './datasets/dataset-graphql.js';
import { FileResolver, registerFileNode } from './datasets/file-graphql.js';
import { ImportResolver, importRuns } from './datasets/import-graphql.js';
import { DatasetDiffResolver, DatasetVersionResolver } from './datasets/version-fields-graphql.js';
import { FeatureViewResolver, registerFeatureNodes } from './features/feature-graphql.js';

/** The kinds of runs of this domain; their part is `Data.importer`. */
export const dataRuns = [importRuns] as const;

/** The resolvers of this domain. */
export const dataResolvers: ResolverList<Data> = {
  classes: [
    DatasetResolver,
    DatasetVersionResolver,
    DatasetDiffResolver,
    ImportResolver,
    FeatureViewResolver,
    FileResolver,
  ],
  registerNodes(nodes, data) {
    registerDatasetNodes(nodes, data);
    registerFileNode(nodes, data.parts.files);
    registerFeatureNodes(nodes, data);
  },
};
