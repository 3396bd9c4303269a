import type { Dependant, Holder } from '../../platform/erasure/index.js';
import type { Clock } from '../../kernel/clock.js';
import type { Database } from '../../platform/database/index.js';
import { eraseVersions, type ErasingParts } from './datasets/erase-rows.js';
import type { DatasetStore } from './datasets/dataset-store.js';
import type { FeatureService } from './features/feature-service.js';

/** Feature views, as holders of what is known of a person. */
export const featureHolder = (features: FeatureService): Holder => ({
  name: 'feature rows',
  erase: async ({ workspaceId, person }) => (person === undefined ? 0 : features.forget(workspaceId, person)),
});

const DOCUMENT_DELETED = 'A document was deleted whose text its rows held: make it anew of what is left.';

/**
 * Versions whose rows hold passages of documents: the rows go as a whole, because each shows several documents beside each other, and
 * such a version is made again in minutes.
 */
export const raftHolder = ({
  database,
  clock,
  ...parts
}: ErasingParts & { database: Database; clock: Clock }): Holder => ({
  name: 'dataset versions made of documents',
  async erase({ workspaceId, documents = [] }) {
    const versions = await parts.store.showing(workspaceId, documents);
    await eraseVersions(parts, workspaceId, versions, {
      within: (work) => database.prisma.$transaction(work),
      withdrawn: { withdrawnAt: clock.now(), withdrawnReason: DOCUMENT_DELETED, withdrawnBy: null },
    });
    return versions.length;
  },
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
