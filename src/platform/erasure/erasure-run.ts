import { z } from 'zod';
import { GraftError } from '../../kernel/errors.js';
import type { ErrorCode } from '../../kernel/error-codes.js';
import { newId, type WorkspaceId } from '../../kernel/ids.js';
import { storedJson } from '../../kernel/stored-json.js';
import type { Transaction } from '../database/index.js';
import { defineRunKind, type ContextOf, type RunQueue, type RunRow } from '../runs/index.js';
import { erasureReport, NOTHING_ERASED } from './erasure-report.js';

/** How long who deletes something waits for the erasure; beyond that it goes on without them. */
const WAIT_MS = 10_000;

const erasureOutcome = erasureReport.extend({
  /** Whether nothing is left: something else may still work on what was to go. */
  complete: z.boolean(),
});
export type ErasureOutcome = z.infer<typeof erasureOutcome>;

/** What an erasure did, and the run that does it. */
export type ErasureResult = ErasureOutcome & { runId: string };

export const erasing = defineRunKind({
  kind: 'ERASURE',
  description: 'What was deleted is removed from everything that holds a copy of it.',
  input: storedJson(
    z.object({
      /** The name of an `ErasableSubject`, or `person`. */
      subject: z.string(),
      ids: z.array(z.string()),
      /** Goes when the run has ended. The salt keeps the digest of the input, which stays, from telling whom it named. */
      untilEnd: z.object({ person: z.string(), salt: z.string() }).optional(),
    }),
  ),
  output: storedJson(erasureOutcome),
  checkpoint: storedJson(erasureReport),
  events: { progress: storedJson(erasureReport) },
  // Large collections keep small deletions from waiting otherwise.
  concurrency: 4,
  // A vector store may be away for weeks; what was deleted has to go all the same.
  attempts: 1_000_000,
});
export type ErasureContext = ContextOf<typeof erasing>;

/** What is to leave no trace: a person, or what a domain has marked as deleted and names by id. */
type ErasureRequest =
  | { person: string }
  | {
      subject: string;
      ids: readonly string[];
      /** Row that these belong to, by which runs are found. */
      subjectId: string;
    };

/** Asks for an erasure; with `tx` together with what marks its subject as deleted. */
export function requestErasure(
  runs: RunQueue,
  workspaceId: WorkspaceId,
  request: ErasureRequest,
  tx?: Transaction,
): Promise<RunRow> {
  const run = { workspaceId, idempotencyKey: newId() };
  if ('person' in request) {
    const untilEnd = { person: request.person, salt: newId() };
    return runs.enqueue(erasing, { ...run, input: { subject: 'person', ids: [], untilEnd } }, tx);
  }
  const { subject, ids, subjectId } = request;
  return runs.enqueue(erasing, { ...run, subjectId, input: { subject, ids: [...ids] } }, tx);
}

/**
 * What an erasure did, as soon as it has ended. Where a part can't be reached or it takes long, what it did so far.
 * @throws what the run failed with
 */
export async function erasureOf(runs: RunQueue, { id, ...row }: RunRow): Promise<ErasureResult> {
  const workspaceId = row.workspaceId as WorkspaceId;
  for await (const _ of runs.follow(workspaceId, id, { signal: AbortSignal.timeout(WAIT_MS) })) {
    const now = await runs.get(workspaceId, id);
    if (now === null || (now.status === 'QUEUED' && now.attempt > 0)) break;
  }
  const run = (await runs.get(workspaceId, id))!;
  if (run.status === 'FAILED') throw new GraftError(run.errorCode as ErrorCode, run.errorMessage ?? '');
  const outcome = erasing.outputOf(run);
  return { runId: id, ...(outcome ?? { ...(erasing.checkpointOf(run) ?? NOTHING_ERASED), complete: false }) };
}
