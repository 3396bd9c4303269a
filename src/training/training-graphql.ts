import type { ResolverList } from '../graphql-kit/index.js';
import {
  AdapterResolver,
  AdapterVersionResolver,
  AliasChangeResolver,
  AppliedAdapterResolver,
  loadAdapterVersion,
} from './adapters/adapter-graphql.js';
import { toAdapter } from './adapters/adapter-types.js';
import { AdapterDeletionResolver, type DeletionResolverParts } from './deletion/deletion-graphql.js';
import { EstimateResolver, type EstimateResolverParts } from './estimates/estimate-graphql.js';
import {
  AdapterExportResolver,
  AdapterMergeResolver,
  MergedVersionResolver,
  type AdapterExportResolverParts,
} from './exports/export-graphql.js';
import {
  AdapterFilesResolver,
  AdapterImportResolver,
  type AdapterImportResolverParts,
} from './imports/import-graphql.js';
import { TrainedOnResolver, VersionLineageResolver, type LineageResolverParts } from './lineage-graphql.js';
import { RateSearchResolver, type RateSearchResolverParts } from './search/search-graphql.js';
import { TrainingRunResolver, type TrainingResolverParts } from './runs/training-graphql.js';

/** The resolvers of this domain. */
export const trainingResolvers: ResolverList<
  TrainingResolverParts &
    AdapterImportResolverParts &
    AdapterExportResolverParts &
    LineageResolverParts &
    RateSearchResolverParts &
    EstimateResolverParts &
    DeletionResolverParts
> = {
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
  registerNodes(nodes, { adapters }) {
    nodes.register('Adapter', async ({ workspaceId }, id) => {
      const [row] = await adapters.store.byIds(workspaceId, [id]);
      return row ? toAdapter(row) : null;
    });
    nodes.register('AdapterVersion', (context, id) => loadAdapterVersion(context, adapters, id));
  },
};
