import type { FittedOn } from '../../answer/ask/index.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { CollectionStore, SearchScope } from '../../sources/knowledge/index.js';
import { storedUsage, type AdapterRegistry } from '../../sources/registry/index.js';

/** Collections and adapters that are calibrated, the ones with most to read and the newest. */
export const MOST = { collections: 12, adapters: 30 } as const;

/** An adapter in production that answers without documents. */
export interface PlacedAdapter {
  versionId: string;
  name: string;
  version: number;
  datasetVersionId: string;
}

/** Where questions may belong, as it is now. */
export interface Places {
  collections: SearchScope['collections'];
  /** Which of their documents have no label: of the others nothing is made. */
  sight: SearchScope['sight'];
  adapters: readonly PlacedAdapter[];
}

interface PlacesParts {
  collections: Pick<CollectionStore, 'scope' | 'newPassages'>;
  adapters: AdapterRegistry;
}

export async function placesNow({ collections, adapters }: PlacesParts, workspaceId: WorkspaceId): Promise<Places> {
  const whole = await collections.scope(workspaceId, null);
  const read = [...whole.collections].filter(({ chunks }) => chunks > 0).sort((a, b) => b.chunks - a.chunks);
  return {
    collections: read.slice(0, MOST.collections),
    sight: whole.sight,
    adapters: await inProduction(adapters, workspaceId),
  };
}

/** One that reads is no place of its own. */
async function inProduction({ store }: AdapterRegistry, workspaceId: WorkspaceId): Promise<PlacedAdapter[]> {
  const page = await store.adapters(workspaceId, null, { first: MOST.adapters, after: null });
  const placedAdapters: PlacedAdapter[] = [];
  for (const adapter of page.items) {
    const row = await store.resolve(adapter, { alias: 'production' });
    if (!row || row.datasetVersionId === null || storedUsage.decode(row.usage).reads) continue;
    const { id: versionId, version, datasetVersionId } = row;
    placedAdapters.push({ versionId, name: adapter.name, version, datasetVersionId });
  }
  return placedAdapters;
}

/** What a fit remembers of its places. @param mark a fresh id: documents with later ones came afterwards */
export const fittedOn = ({ collections, adapters }: Places, mark: string): FittedOn => ({
  mark,
  collections: collections.map(({ id, name, chunks }) => ({ id, name, passages: chunks })),
  adapters: adapters.map(({ versionId, name, version }) => ({ versionId, name, version })),
});

/** A place that is not as it was when the router was fitted. */
export interface PlaceChange {
  /** Name of the collection, or `name@3` of the adapter as it is now, or was. */
  name: string;
  adapts: boolean;
  change: 'ADDED' | 'CHANGED' | 'REMOVED';
}

/** Share of a collection's passages that must have come or gone before it is another one to the router. */
const NOTABLE = 0.1;

/**
 * What has changed since a fit, as far as it may matter.
 * @param added passages that came since then, by collection
 */
export function changesSince(baseline: FittedOn, now: Places, added: ReadonlyMap<string, number>): PlaceChange[] {
  const changes: PlaceChange[] = [];
  for (const { id, name, chunks } of now.collections) {
    const earlierCollection = baseline.collections.find((collection) => collection.id === id);
    const fresh = added.get(id) ?? 0;
    if (!earlierCollection) changes.push({ name, adapts: false, change: 'ADDED' });
    else if (
      fresh + Math.abs(earlierCollection.passages - (chunks - fresh)) >=
      NOTABLE * Math.max(1, earlierCollection.passages)
    )
      changes.push({ name, adapts: false, change: 'CHANGED' });
  }
  for (const { id, name } of baseline.collections)
    if (!now.collections.some((collection) => collection.id === id))
      changes.push({ name, adapts: false, change: 'REMOVED' });
  for (const { versionId, name, version } of now.adapters) {
    if (baseline.adapters.some((adapter) => adapter.versionId === versionId)) continue;
    const isUpdate = baseline.adapters.some((adapter) => adapter.name === name);
    changes.push({ name: `${name}@${version}`, adapts: true, change: isUpdate ? 'CHANGED' : 'ADDED' });
  }
  for (const { name, version } of baseline.adapters)
    if (!now.adapters.some((adapter) => adapter.name === name))
      changes.push({ name: `${name}@${version}`, adapts: true, change: 'REMOVED' });
  return changes;
}
