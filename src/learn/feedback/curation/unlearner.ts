import { importing, type Data } from '../../../sources/data/index.js';
import type { ErrorCode } from '../../../kernel/error-codes.js';
import { GraftError, isGraftError } from '../../../kernel/errors.js';
import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import type { Transaction } from '../../../platform/database/index.js';
import type { RunQueue, RunRow } from '../../../platform/runs/index.js';
import { unlearning, type UnlearningContext } from './curation-run.js';

/** Keys that one deletion of rows takes. */
const MOST_KEYS = 1_000;
const REASON = 'Answers that rows of it were made of were erased.';
/** How often a deletion is sent again because another version came in between. */
const ATTEMPTS = 3;

interface UnlearnerParts {
  runs: RunQueue;
  data: Pick<Data, 'store' | 'datasets'>;
}

/** Takes rows that were made of erased answers out of their datasets. */
export class Unlearner {
  constructor(private readonly parts: UnlearnerParts) {}

  /** Asks for it, together with what erases the answers. */
  async request(
    tx: Transaction,
    workspaceId: WorkspaceId,
    datasetId: string,
    answerIds: readonly string[],
  ): Promise<void> {
    for (let from = 0; from < answerIds.length; from += MOST_KEYS) {
      const input = { datasetId, answerIds: answerIds.slice(from, from + MOST_KEYS) };
      await this.parts.runs.enqueue(
        unlearning,
        { workspaceId, idempotencyKey: newId(), subjectId: datasetId, input },
        tx,
      );
    }
  }

  /** The work of an UNLEARNING run: the data domain's own deletion of rows, by their keys. */
  async work({
    run,
    input,
    signal,
    progress,
  }: UnlearningContext): Promise<{ importRunId: string | null; withdrawn: number }> {
    const workspaceId = run.workspaceId as WorkspaceId;
    const [dataset] = await this.parts.data.store.byIds(workspaceId, [input.datasetId]);
    if (!dataset) return { importRunId: null, withdrawn: 0 };
    for (let attempt = 1; ; attempt++) {
      const deletion = await this.#delete(workspaceId, dataset.name, input.answerIds, `${run.id} ${attempt}`);
      if (deletion === null) return { importRunId: null, withdrawn: 0 };
      await progress(0.5, 'A version without them is made.');
      const importRun = await this.#ended(workspaceId, deletion, signal);
      if (importRun.status === 'SUCCEEDED')
        return { importRunId: importRun.id, withdrawn: importing.outputOf(importRun)?.withdrawn.length ?? 0 };
      if (importRun.errorCode !== 'CONFLICT' || attempt === ATTEMPTS)
        throw new GraftError(
          (importRun.errorCode ?? 'CONFLICT') as ErrorCode,
          importRun.errorMessage ?? 'The deletion was cancelled.',
        );
    }
  }

  /** @returns null where no version has such rows */
  async #delete(
    workspaceId: WorkspaceId,
    dataset: string,
    keys: string[],
    idempotencyKey: string,
  ): Promise<RunRow | null> {
    try {
      return await this.parts.data.datasets.deleteRows(workspaceId, { dataset, keys, reason: REASON, idempotencyKey });
    } catch (error) {
      if (isGraftError(error, 'NOT_FOUND')) return null;
      throw error;
    }
  }

  async #ended(workspaceId: WorkspaceId, { id }: RunRow, signal: AbortSignal): Promise<RunRow> {
    for await (const _ of this.parts.runs.follow(workspaceId, id, { signal })) void _;
    signal.throwIfAborted();
    return (await this.parts.runs.get(workspaceId, id))!;
  }
}
