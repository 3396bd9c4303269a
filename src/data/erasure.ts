import type { Dependant, Holder } from '../erasure/index.js';
import type { DatasetStore } from './datasets/dataset-store.js';
import type { FeatureService } from './features/feature-service.js';

/** Feature views, as holders of what is known of a person. */
export const featureHolder = (features: FeatureService): Holder => ({
  name: 'feature rows',
  erase: async ({ workspaceId, person }) => (person === undefined ? 0 : features.forget(workspaceId, person)),
});

/** Versions are immutable: what one was made of, its rows and its training examples stay with it. */
export const datasetsNeedFiles = (store: DatasetStore): Dependant => ({
  async needs(workspaceId, contents) {
    const reasons = new Map<string, string>();
    for (const [sha256, { dataset, version }] of await store.madeOf(workspaceId, contents))
      reasons.set(sha256, `Version ${version} of the dataset ${dataset} was made of it: delete its rows there too.`);
    for (const [sha256, { dataset, version }] of await store.keptIn(workspaceId, contents))
      reasons.set(sha256, `It keeps rows of version ${version} of the dataset ${dataset}: delete them there.`);
    return reasons;
  },
});
