import type { WorkspaceId } from '../kernel/ids.js';
import type { FileService } from '../platform/artifacts/index.js';
import type { Dependant, Holder, Traces } from './holder.js';

/** A file that had to stay. */
export interface KeptFile {
  fileId: string;
  name: string;
  reason: string;
}

/** What an erasure did. */
export interface ErasureReport {
  /** Records that were deleted or from which text was removed, by holder. */
  records: { holder: string; count: number }[];
  /** Names of the files that went. */
  deletedFiles: string[];
  keptFiles: KeptFile[];
}

/** Removes what must leave no trace from every place that registered with it. */
export class Erasure {
  readonly #holders: Holder[] = [];
  readonly #dependants: Dependant[] = [];

  constructor(private readonly files: FileService) {}

  addHolder(holder: Holder): void {
    this.#holders.push(holder);
  }

  addDependant(dependant: Dependant): void {
    this.#dependants.push(dependant);
  }

  /** Files go last: until then they tell a repetition what there was to erase. */
  async erase(traces: Traces): Promise<ErasureReport> {
    const report: ErasureReport = { records: [], deletedFiles: [], keptFiles: [] };
    for (const holder of this.#holders) report.records.push({ holder: holder.name, count: await holder.erase(traces) });
    const digests = traces.contents ?? [];
    if (digests.length === 0) return report;
    for (const { id } of await this.files.find(traces.workspaceId, { digests })) {
      const { deletedFiles, keptFiles } = await this.eraseFile(traces.workspaceId, id);
      report.deletedFiles.push(...deletedFiles);
      report.keptFiles.push(...keptFiles);
    }
    return report;
  }

  /** Deletes one file unless something that stays needs its content; nothing when it is gone already. */
  async eraseFile(workspaceId: WorkspaceId, id: string): Promise<ErasureReport> {
    const [file] = await this.files.find(workspaceId, { ids: [id] });
    if (!file) return { records: [], deletedFiles: [], keptFiles: [] };
    const { name, sha256 } = file;
    const reason = await this.#removeFile(workspaceId, id, sha256);
    return reason === null
      ? { records: [], deletedFiles: [name], keptFiles: [] }
      : { records: [], deletedFiles: [], keptFiles: [{ fileId: id, name, reason }] };
  }

  /** @returns why the file stays; null when it is gone */
  async #removeFile(workspaceId: WorkspaceId, id: string, sha256: string): Promise<string | null> {
    let reason: string | null = null;
    await this.files.remove(workspaceId, id, async () => {
      for (const dependant of this.#dependants)
        reason ??= (await dependant.needs(workspaceId, [sha256])).get(sha256) ?? null;
      return reason !== null;
    });
    return reason;
  }
}

/** One report of several erasures. */
export function combined(reports: readonly ErasureReport[]): ErasureReport {
  const counts = new Map<string, number>();
  for (const { holder, count } of reports.flatMap(({ records }) => records))
    counts.set(holder, (counts.get(holder) ?? 0) + count);
  const kept = new Map(reports.flatMap(({ keptFiles }) => keptFiles.map((file) => [file.fileId, file])));
  return {
    records: [...counts].map(([holder, count]) => ({ holder, count })),
    deletedFiles: reports.flatMap(({ deletedFiles }) => deletedFiles),
    keptFiles: [...kept.values()],
  };
}
