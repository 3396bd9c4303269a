import type { Erasure, ErasureResult, ErasableSubject } from '../../../platform/erasure/index.js';
import { erasureOf, requestErasure } from '../../../platform/erasure/index.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { pause } from '../../../platform/events/index.js';
import type { RunQueue } from '../../../platform/runs/index.js';
import type { AdapterRegistry, Removal } from '../../../sources/registry/index.js';
import { adapterExport, adapterMerge } from '../exports/export-run.js';

interface AdapterDeleterParts {
  runs: RunQueue;
  adapters: AdapterRegistry;
  erasure: Erasure;
}

/** How long an erasure waits for runs that were told to let go. */
const LET_GO_MS = 30_000;
const LOOK_MS = 100;
/** Exports and merges of a version whose files are looked for. */
const MOST_FILES = 1_000;

/**
 * Versions that are out of the registry. The ids are theirs and those of their files, which no row but the run's input names together
 * any more. It waits for runs about them, which were told to let go: what they still write goes too.
 */
const deletedVersions = ({ runs }: AdapterDeleterParts): ErasableSubject => ({
  name: 'adapter versions',
  async *batches(workspaceId, ids, signal) {
    for (let waited = 0; waited < LET_GO_MS && (await runs.areWorkedOn(workspaceId, ids)); waited += LOOK_MS) {
      await pause(LOOK_MS, signal);
      signal.throwIfAborted();
    }
    yield { workspaceId, adapterVersions: ids, files: [...ids, ...(await madeOf(runs, workspaceId, ids))] };
  },
  left: () => Promise.resolve(0),
});

/** Files that were exported and merged of versions. */
async function madeOf(runs: RunQueue, workspaceId: WorkspaceId, versionIds: readonly string[]): Promise<string[]> {
  const fileIds: string[] = [];
  for (const subjectId of versionIds)
    for (const kind of [adapterExport, adapterMerge]) {
      const filter = { kind: kind.kind, subjectId };
      const { items } = await runs.list(workspaceId, filter, { first: MOST_FILES, after: null });
      fileIds.push(...items.flatMap((run) => kind.outputOf(run)?.fileId ?? []));
    }
  return fileIds;
}

/** Deletes adapters with everything that was made of them. */
export class AdapterDeleter {
  constructor(private readonly parts: AdapterDeleterParts) {
    parts.erasure.addSubject(deletedVersions(parts));
  }

  /**
   * Nothing resolves to it any more when it returns; a question that it is answering already ends as its answer, or with
   * ADAPTER_UNAVAILABLE if its file had not been read yet.
   * @returns numbers of the versions that went, and what was removed with them
   * @throws NOT_FOUND, BAD_USER_INPUT, CONFLICT when an alias names it and it isn't forced
   */
  async delete(workspaceId: WorkspaceId, removal: Removal): Promise<{ versions: number[]; erasure: ErasureResult }> {
    const { runs, adapters } = this.parts;
    const { versions, run } = await adapters.store.transaction(async (tx) => {
      const removed = await adapters.remove(tx, workspaceId, removal);
      const runIds = removed.versions.flatMap(({ runId }) => runId ?? []);
      await runs.releaseKeysOf(runIds, tx);
      for (const { id } of removed.versions)
        for (const kind of [adapterExport, adapterMerge]) await runs.releaseKeys(kind, id, tx);
      const ids = removed.versions.flatMap((row) => [row.id, row.weightsFileId, row.configFileId, row.ggufFileId]);
      const request = { subject: 'adapter versions', ids, subjectId: removed.adapter.id };
      return { versions: removed.versions, run: await requestErasure(runs, workspaceId, request, tx) };
    });
    for (const { id } of versions) await runs.cancelAll(workspaceId, id);
    const numbers = versions.map(({ version }) => version).sort((a, b) => a - b);
    return { versions: numbers, erasure: await erasureOf(runs, run) };
  }
}
