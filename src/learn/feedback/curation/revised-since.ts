import type { Data } from '../../../sources/data/index.js';

type Version = NonNullable<Awaited<ReturnType<Data['store']['latest']>>>;

/** Versions that are looked back at. */
const MOST_STEPS = 1_000;

/**
 * The labels whose rows were given another meaning on the way from each of these versions to the latest: what was said of answers that learned
 * from the earlier rows is no longer about the rows that are there. Versions whose rows the latest doesn't carry over are missing.
 */
export async function revisedSince(
  store: Pick<Data['store'], 'parents'>,
  latest: Version,
  versionIds: ReadonlySet<string>,
): Promise<Map<string, Set<string>>> {
  const revisions = new Map<string, Set<string>>();
  const revised = new Set<string>();
  let version: Version | undefined = latest;
  for (let step = 0; version && step < MOST_STEPS && revisions.size < versionIds.size; step++) {
    if (versionIds.has(version.id)) revisions.set(version.id, new Set(revised));
    const base: Version['manifest']['base'] = version.manifest.base;
    for (const { from, to } of base?.revision?.labels ?? [])
      for (const label of [from, to]) if (label !== null) revised.add(label);
    const parents: Version[] = (await store.parents([version.id])).get(version.id) ?? [];
    version = parents.find(({ digest }) => digest === base?.digest);
  }
  return revisions;
}
