import type { NodeRegistry } from '../graphql-kit/index.js';
import type { Data } from './data.js';
import { DatasetResolver, registerDatasetNodes } from './datasets/dataset-graphql.js';
import { registerFileNode } from './datasets/file-graphql.js';
import { ImportResolver, registerImportNodes } from './datasets/import-graphql.js';
import { DatasetDiffResolver, DatasetVersionResolver } from './datasets/version-fields-graphql.js';
import { FeatureViewResolver, registerFeatureNodes } from './features/feature-graphql.js';

/** The classes of this domain's resolvers, for printing the schema without an instance of anything. */
export const dataResolverClasses = [
  DatasetResolver,
  DatasetVersionResolver,
  DatasetDiffResolver,
  ImportResolver,
  FeatureViewResolver,
] as const;

/** The resolvers of this domain; registers its types with `nodes`. */
export function dataResolvers(data: Data, nodes: NodeRegistry): object[] {
  registerDatasetNodes(nodes, data);
  registerFileNode(nodes, data.parts.files);
  registerImportNodes(nodes, data.parts.runs);
  registerFeatureNodes(nodes, data);
  return dataResolverClasses.map((Resolver) => new Resolver(data));
}
