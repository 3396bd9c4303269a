import type { WorkspaceId } from '../../../kernel/ids.js';
import type { FileService } from '../../../platform/artifacts/index.js';
import type { Transaction } from '../../../platform/database/index.js';
import type { DatasetRecord } from './dataset.js';
import type { DatasetStore, Withdrawn } from './dataset-store.js';
import type { ImportOutput } from './import-run.js';

/** Keeps something that was made of the rows of versions, and lets go of it with them: vectors. */
export interface MadeOfRows {
  forget(workspaceId: WorkspaceId, versionIds: readonly string[]): Promise<void>;
}

export interface ErasingParts {
  store: DatasetStore;
  files: FileService;
  madeOfRows: MadeOfRows;
}

/** What became of the files that hold rows of withdrawn versions, row groups apart. */
type ErasedFiles = Pick<ImportOutput, 'deletedFiles' | 'keptFiles'>;

/** A version and its dataset. */
export interface VersionPlace {
  id: string;
  datasetId: string;
}

/** Withdraws whole versions, in one transaction, and deletes what holds their rows. */
export async function eraseVersions(
  parts: ErasingParts,
  workspaceId: WorkspaceId,
  versions: readonly VersionPlace[],
  { within, withdrawn }: { within: (work: (tx: Transaction) => Promise<void>) => Promise<void>; withdrawn: Withdrawn },
): Promise<void> {
  if (versions.length === 0) return;
  const ids = versions.map(({ id }) => id);
  await within((tx) => parts.store.withdraw(tx, ids, withdrawn));
  const datasets = await parts.store.byIds(workspaceId, [...new Set(versions.map(({ datasetId }) => datasetId))]);
  for (const dataset of datasets) await eraseWithdrawnRows(parts, dataset);
}

/**
 * Deletes what holds rows of a dataset's withdrawn versions: row groups, vectors, exports, and in the workspace
 * each upload of a file that they were made of. It looks at all withdrawn versions of the dataset, so it can be repeated
 * after a crash, and a file that had to stay goes with a later deletion.
 */
export async function eraseWithdrawnRows(
  { store, files, madeOfRows }: ErasingParts,
  dataset: DatasetRecord,
): Promise<ErasedFiles> {
  const workspaceId = dataset.workspaceId as WorkspaceId;
  const versions = await store.withdrawn(dataset.id);
  const versionIds = versions.map((version) => version.id);
  await madeOfRows.forget(workspaceId, versionIds);

  const groups = versions.flatMap(({ manifest }) => manifest.rowGroups.map((group) => group.sha256));
  const groupFiles = await files.find(workspaceId, { digests: groups });
  // After the files: a version that comes in between must not lose one.
  const standing = await store.rowGroupFiles(groups);
  for (const file of groupFiles) if (!standing.has(file.id)) await files.remove(workspaceId, file.id);

  const sourceFiles = await files.find(workspaceId, {
    ids: await store.exportFiles(versions.map((version) => version.id)),
    digests: versions.flatMap(({ manifest }) => manifest.files.flatMap(({ sha256, pair }) => [sha256, pair ?? sha256])),
  });
  const users = await store.madeOf(
    workspaceId,
    sourceFiles.map((file) => file.sha256),
  );
  const erased: ErasedFiles = { deletedFiles: [], keptFiles: [] };
  for (const { id, name, sha256 } of sourceFiles) {
    const user = users.get(sha256);
    if (user) {
      const reason = `Version ${user.version} of ${user.dataset} was made of it: delete the rows there too.`;
      erased.keptFiles.push({ fileId: id, reason });
    } else {
      await files.remove(workspaceId, id);
      erased.deletedFiles.push(name);
    }
  }
  return erased;
}
