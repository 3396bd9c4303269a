import { EVERYBODY, type Groups } from '../../kernel/caller.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type { FileService, StoredFileRow } from '../artifacts/index.js';
import { combined, NOTHING_ERASED, type ErasureReport } from './erasure-report.js';
import type { ErasureContext, ErasureOutcome } from './erasure-run.js';
import type { Dependant, Holder, ErasableSubject, Traces } from './holder.js';

/** Removes what must leave no trace from every place that registered with it. It knows none of them. */
export class Erasure {
  readonly #holders = new Map<string, Holder>();
  readonly #subjects = new Map<string, ErasableSubject>();
  readonly #dependants: Dependant[] = [];

  constructor(private readonly files: FileService) {}

  addHolder(holder: Holder): void {
    this.#holders.set(holder.name, holder);
  }

  addDependant(dependant: Dependant): void {
    this.#dependants.push(dependant);
  }

  addSubject(subject: ErasableSubject): void {
    this.#subjects.set(subject.name, subject);
  }

  /**
   * An ERASURE run: each holder in turn removes its copies, then the files go, then the reminder of what there was to erase. Every
   * step bears repetition, so a run that was interrupted begins again with what is left; it counts what its last attempt did
   * besides what an earlier one has written down.
   */
  async work(context: ErasureContext): Promise<ErasureOutcome> {
    const { input, signal } = context;
    const workspaceId = context.run.workspaceId as WorkspaceId;
    const subject = this.#subjectOf(input);
    const total = Math.max(1, await subject.left(workspaceId, input.ids));
    const steps = this.#holders.size + 1;
    let report = context.resumed ?? NOTHING_ERASED;
    let erasedCount = 0;
    for await (const traces of subject.batches(workspaceId, input.ids, signal)) {
      const size = traces.documents?.length ?? 1;
      let step = 0;
      for await (const part of this.#steps(traces)) {
        signal.throwIfAborted();
        step += 1;
        report = combined([report, part]);
        await context.checkpoint(report);
        await context.progress(Math.min(0.99, (erasedCount + (size * step) / steps) / total), said(part), part);
      }
      erasedCount += size;
    }
    return { ...report, complete: (await subject.left(workspaceId, input.ids)) === 0 };
  }

  /**
   * Deletes one file unless something that stays needs its content; nothing when it is gone already. One transaction, so no run.
   * @param groups of whoever reads the report; what runs report is read by every editor
   * @param copiesSuffice whether another file of the same content is enough for what needs it
   */
  eraseFile(
    workspaceId: WorkspaceId,
    id: string,
    groups: Groups = EVERYBODY,
    { copiesSuffice = false } = {},
  ): Promise<ErasureReport> {
    return this.#eraseFiles(workspaceId, { ids: [id] }, { groups, copiesSuffice });
  }

  /** Why `eraseFile` would keep a file, a reason from each dependant; none where another file has the same content. */
  reasonsToKeep(
    { workspaceId, sha256 }: Pick<StoredFileRow, 'workspaceId' | 'sha256'>,
    groups: Groups,
  ): Promise<string[]> {
    return this.#reasons(workspaceId as WorkspaceId, sha256, { copiesSuffice: true, groups });
  }

  /** Files go last: until then they tell a repetition what there was to erase. */
  async *#steps(traces: Traces): AsyncGenerator<ErasureReport> {
    for (const holder of this.#holders.values())
      yield { ...NOTHING_ERASED, records: [{ holder: holder.name, count: await holder.erase(traces) }] };
    yield combined([
      await this.#eraseFiles(traces.workspaceId, { digests: traces.contents ?? [] }),
      await this.#eraseFiles(traces.workspaceId, { ids: traces.files ?? [] }, { copiesSuffice: true }),
    ]);
  }

  async #eraseFiles(
    workspaceId: WorkspaceId,
    selection: { ids?: readonly string[]; digests?: readonly string[] },
    { copiesSuffice = false, groups = EVERYBODY }: { copiesSuffice?: boolean; groups?: Groups } = {},
  ): Promise<ErasureReport> {
    const report: ErasureReport = { records: [], deletedFiles: [], keptFiles: [] };
    for (const { id, name, sha256, purpose } of await this.files.find(workspaceId, selection)) {
      const reason =
        selection.digests && purpose !== null
          ? 'A client of `/v1` uploaded it: delete it at `/v1/files`.'
          : await this.#removeFile(workspaceId, { id, sha256 }, { copiesSuffice, groups });
      if (reason === null) report.deletedFiles.push(name);
      else report.keptFiles.push({ fileId: id, name, reason });
    }
    return report;
  }

  /** @returns why the file stays; null when it is gone */
  async #removeFile(
    workspaceId: WorkspaceId,
    { id, sha256 }: { id: string; sha256: string },
    { copiesSuffice, groups }: { copiesSuffice: boolean; groups: Groups },
  ): Promise<string | null> {
    let reason: string | null = null;
    await this.files.remove(workspaceId, id, async () => {
      [reason = null] = await this.#reasons(workspaceId, sha256, { copiesSuffice, groups });
      return reason !== null;
    });
    return reason;
  }

  async #reasons(
    workspaceId: WorkspaceId,
    sha256: string,
    { copiesSuffice, groups }: { copiesSuffice: boolean; groups: Groups },
  ): Promise<string[]> {
    if (copiesSuffice && (await this.files.find(workspaceId, { digests: [sha256] })).length > 1) return [];
    const reasons: string[] = [];
    for (const dependant of this.#dependants)
      reasons.push(...(await dependant.needs(workspaceId, [sha256], groups)).values());
    return reasons;
  }

  #subjectOf({ subject, untilEnd }: ErasureContext['input']): ErasableSubject {
    if (subject === 'person') return person(untilEnd?.person);
    const knownSubject = this.#subjects.get(subject);
    if (!knownSubject) throw new Error(`nothing registered as a subject of erasure under the name ${subject}`);
    return knownSubject;
  }
}

/** A person leaves no reminder but the run: it is told once. */
const person = (name: string | undefined): ErasableSubject => ({
  name: 'person',
  async *batches(workspaceId) {
    if (name !== undefined) yield await Promise.resolve({ workspaceId, person: name });
  },
  left: () => Promise.resolve(0),
});

function said({ records, deletedFiles, keptFiles }: ErasureReport): string {
  const [first] = records;
  if (first) return `${first.count} ${first.holder}`;
  return `${deletedFiles.length} files deleted${keptFiles.length > 0 ? `, ${keptFiles.length} kept` : ''}`;
}
