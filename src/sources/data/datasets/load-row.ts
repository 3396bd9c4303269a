import type { GraphContext } from '../../../kit/graphql/index.js';
import type { Data } from '../data.js';
import { toDatasetRow, type DatasetRow } from './row-graphql.js';

interface RowPlace {
  versionId: string;
  /** Place in the version, from 1. */
  ordinal: number;
}

/** A row by its place, batched over the request; null when its version is not there or was withdrawn. */
export function loadDatasetRow(
  context: GraphContext,
  data: Data,
  { versionId, ordinal }: RowPlace,
): Promise<DatasetRow | null> {
  const loader = context.loader<string, DatasetRow | null>('data.rowsByPlace', (places) =>
    rowsAt(context, data, places),
  );
  return loader.load(`${versionId} ${ordinal}`);
}

async function rowsAt(
  { workspaceId }: GraphContext,
  data: Data,
  places: readonly string[],
): Promise<(DatasetRow | null)[]> {
  const pairs = places.map((place) => place.split(' ') as [versionId: string, ordinal: string]);
  const rowsByPlace = new Map<string, DatasetRow>();
  for (const version of await data.store.versionsByIds(workspaceId, [...new Set(pairs.map(([id]) => id))])) {
    const [dataset] = await data.store.byIds(workspaceId, [version.datasetId]);
    if (version.withdrawnAt !== null || !dataset) continue;
    const ordinals = pairs.flatMap(([id, ordinal]) => (id === version.id ? [Number(ordinal)] : []));
    for (const row of await data.rows.at(dataset.task, await data.store.rowGroups(version.id), ordinals))
      rowsByPlace.set(`${version.id} ${row.ordinal}`, toDatasetRow(row, version.sources));
  }
  return places.map((place) => rowsByPlace.get(place) ?? null);
}
