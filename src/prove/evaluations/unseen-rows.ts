import type { Data, Split, UsableVersion } from '../../sources/data/index.js';
import { GraftError } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { learnedFrom, type AdapterRegistry } from '../../sources/registry/index.js';
import { sampleRows, type AskedRow } from './sample-rows.js';

interface UnseenParts {
  data: Pick<Data, 'rows' | 'store'>;
  adapters: Pick<AdapterRegistry, 'store'>;
}

interface Wanted extends UsableVersion {
  split: keyof typeof Split;
  most: number;
  seed: number;
  /** Adapter versions that are asked. */
  asked: readonly string[];
}

/**
 * A sample of a split for them to be measured on. Of the rows for validation and testing it leaves out those whose text one of them was trained on: a version
 * keeps its own splits apart, and knows nothing of another one that holds the same rows.
 * @throws DATASET_UNUSABLE where none is left
 */
export async function unseenRows(
  parts: UnseenParts,
  workspaceId: WorkspaceId,
  { dataset, version, rowGroups, split, most, seed, asked }: Wanted,
): Promise<AskedRow[]> {
  const filter = { split, quarantined: false };
  const learnedGroups = split === 'TRAIN' ? [] : await learnedElsewhere(parts, workspaceId, asked, version.id);
  const rows = await sampleRows(parts.data.rows.stream(dataset.task, rowGroups, filter, learnedGroups), most, seed);
  if (rows.length > 0) return rows;
  const trainedOn = learnedGroups.length > 0 && (await parts.data.rows.count(rowGroups, filter)) > 0;
  throw new GraftError(
    'DATASET_UNUSABLE',
    trainedOn
      ? `All ${split} rows of version ${version.version} are among those that the adapter was trained on.`
      : `Version ${version.version} has no ${split} rows to measure on.`,
  );
}

/** The rows of other dataset versions that adapter versions learned from; of those that were erased none are left. */
async function learnedElsewhere(
  { data, adapters }: UnseenParts,
  workspaceId: WorkspaceId,
  versionIds: readonly string[],
  datasetVersionId: string,
): Promise<UsableVersion['rowGroups']> {
  const versions = await adapters.store.versionsById(workspaceId, versionIds);
  const ids = new Set(versions.flatMap(learnedFrom));
  ids.delete(datasetVersionId);
  const standing = (await data.store.versionsByIds(workspaceId, [...ids])).filter(
    (version) => version.withdrawnAt === null,
  );
  return (await Promise.all(standing.map(({ id }) => data.store.rowGroups(id)))).flat();
}
