import { z } from 'zod';
import type { Caller } from '../../../kernel/caller.js';
import { GraftError, notFound } from '../../../kernel/errors.js';
import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import { encodeCursor } from '../../../kernel/pagination.js';
import { toGlobalId } from '../../../kit/graphql/index.js';
import type { RunQueue, RunRow } from '../../../platform/runs/index.js';
import type { Paying } from '../asking.js';
import { filledText, note, notesOf, objectOf, only } from '../fields.js';
import { fileIdOf, requireFileFor, type FileParts } from '../files.js';
import { secondsOf } from '../http.js';
import { listOf, rowIdOf, type ListRequest } from '../lists.js';
import { expiryOf } from './answer-batch.js';
import { batch, ENDPOINTS } from './batch-run.js';
import type { BatchRow, BatchStore } from './store.js';

export interface BatchParts extends FileParts {
  runs: RunQueue;
  paying: Pick<Paying, 'paid'>;
  batches: BatchStore;
}

const PREFIX = 'batch_';
/** As many as OpenAI takes. */
const MOST_BYTES = 200 * 1024 * 1024;

/** A body of `POST /v1/batches`. */
export const batchBody = objectOf({
  input_file_id: filledText,
  endpoint: z.enum(ENDPOINTS, `must be ${ENDPOINTS.map((endpoint) => `"${endpoint}"`).join(' or ')}.`),
  completion_window: z.literal('24h'),
  metadata: notesOf(note).optional(),
  output_expires_after: only([], 'a file stays until it is deleted'),
});

/** @throws NOT_FOUND, RefusedField, PAYLOAD_TOO_LARGE, OVERLOADED, BUDGET_EXCEEDED; what is wrong within the file the batch tells */
export async function createBatch(
  parts: BatchParts,
  caller: Caller,
  { body, origin, key }: { body: z.output<typeof batchBody>; origin: string; key: string | null },
) {
  const { input_file_id: inputFile, endpoint, metadata = null } = body;
  const { workspaceId } = caller;
  const asked = { files: parts, caller, id: inputFile, field: 'input_file_id' };
  const file = await requireFileFor('requests', asked);
  if (file.bytes > MOST_BYTES)
    throw new GraftError('PAYLOAD_TOO_LARGE', `A file of requests has at most ${MOST_BYTES} bytes.`, {
      field: 'input_file_id',
      hint: 'Send several files, a batch each.',
    });
  const input = { fileId: file.id, inputFile, endpoint, metadata, origin, key: caller.key };
  const begin = () => parts.runs.enqueue(batch, { workspaceId, input, idempotencyKey: key ?? newId() });
  return shown(parts, await parts.paying.paid({ caller, spends: 'RUN', request: body }, begin));
}

/** @throws NOT_FOUND */
async function requireRun({ runs }: BatchParts, workspaceId: WorkspaceId, id: string): Promise<RunRow> {
  const row = await runs.get(workspaceId, rowIdOf(PREFIX, id, 'The batch', 'batch_id'));
  if (row?.kind !== batch.kind) throw notFound('The batch', id, 'batch_id');
  return row;
}

/** @throws NOT_FOUND */
export const batchById = async (parts: BatchParts, workspaceId: WorkspaceId, id: string) =>
  shown(parts, await requireRun(parts, workspaceId, id));

/** What was answered by then becomes a file. @throws NOT_FOUND, CONFLICT for a batch that has ended */
export async function cancelBatch(parts: BatchParts, workspaceId: WorkspaceId, id: string) {
  const { id: runId } = await requireRun(parts, workspaceId, id);
  return shown(parts, await parts.runs.cancel(workspaceId, runId));
}

/** Newest first. */
export async function batchesOf(parts: BatchParts, workspaceId: WorkspaceId, { limit, after }: ListRequest) {
  const cursor = after === undefined ? null : encodeCursor([rowIdOf(PREFIX, after, 'The batch', 'after')]);
  const page = await parts.runs.list(workspaceId, { kind: batch.kind }, { first: limit, after: cursor });
  return listOf(await Promise.all(page.items.map((row) => shown(parts, row))), page.hasNextPage);
}

async function shown(parts: BatchParts, run: RunRow) {
  const workspaceId = run.workspaceId as WorkspaceId;
  const row = await parts.batches.byId(workspaceId, run.id);
  const hasLines = run.status === 'CANCELLED' && (await parts.batches.hasLines(workspaceId, run.id));
  const status = statusOf(run, row, hasLines);
  const { inputFile, endpoint, metadata } = batch.inputOf(run);
  const endedAt = run.finishedAt && secondsOf(run.finishedAt);
  const when = (...states: readonly string[]) => (states.includes(status) ? endedAt : null);
  return {
    id: `${PREFIX}${run.id}`,
    object: 'batch',
    endpoint,
    errors: faultsOf(run),
    input_file_id: inputFile,
    completion_window: '24h',
    status,
    output_file_id: row && row.outputFileId && fileIdOf({ id: row.outputFileId }),
    error_file_id: row && row.errorFileId && fileIdOf({ id: row.errorFileId }),
    created_at: secondsOf(run.createdAt),
    in_progress_at: run.startedAt && secondsOf(run.startedAt),
    expires_at: Math.floor(expiryOf(run) / 1_000),
    finalizing_at: when('completed', 'expired'),
    completed_at: when('completed'),
    failed_at: when('failed'),
    expired_at: when('expired'),
    cancelling_at: when('cancelling', 'cancelled'),
    cancelled_at: when('cancelled'),
    request_counts: { total: row?.total ?? 0, completed: row?.completed ?? 0, failed: row?.failed ?? 0 },
    metadata,
    graft: { run: toGlobalId('BatchRun', run.id), message: run.message },
  };
}

/** @param hasLines whether what was answered has yet to become files */
function statusOf(run: RunRow, row: BatchRow | null, hasLines: boolean): string {
  switch (run.status) {
    case 'SUCCEEDED':
      return batch.outputOf(run)!.expired ? 'expired' : 'completed';
    case 'FAILED':
      return 'failed';
    case 'CANCELLED':
      return hasLines ? 'cancelling' : 'cancelled';
    default:
      if (run.cancelRequested) return 'cancelling';
      if (row === null) return 'validating';
      return row.completed + row.failed === row.total ? 'finalizing' : 'in_progress';
  }
}

/** What is wrong with the file, or what ended the run; null where nothing did. */
function faultsOf(run: RunRow) {
  if (run.status !== 'FAILED') return null;
  const faults = batch.checkpointOf(run)?.faults ?? [];
  const ended = { line: null, code: run.errorCode!.toLowerCase(), message: run.errorMessage ?? '' };
  return { object: 'list', data: (faults.length > 0 ? faults : [ended]).map((fault) => ({ ...fault, param: null })) };
}
