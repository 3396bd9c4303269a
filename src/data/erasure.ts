import type { Dependant, Holder } from '../erasure/index.js';
import type { DatasetStore } from './datasets/dataset-store.js';
import type { FeatureService } from './features/feature-service.js';

/** Feature views, as holders of what is known of a person. */
export const featureHolder = (features: FeatureService): Holder => ({
  name: 'feature rows',
  erase: async ({ workspaceId, person }) => (person === undefined ? 0 : features.forget(workspaceId, person)),
});

/** Versions are immutable: what one was made of stays as long as its rows. */
export const datasetsNeedFiles = (store: DatasetStore): Dependant => ({
  async needs(workspaceId, contents) {
    const users = await store.madeOf(workspaceId, contents);
    return new Map(
      [...users].map(([sha256, { dataset, version }]) => [
        sha256,
        `Version ${version} of the dataset ${dataset} was made of it: delete its rows there too.`,
      ]),
    );
  },
});
