import { z } from 'zod';
import { askAgain, type AnswerStore, type AskService } from '../../../answer/ask/index.js';
import type { Clock } from '../../../kernel/clock.js';
import { GraftError, isGraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { storedJson } from '../../../kernel/stored-json.js';
import { mapDatabaseError } from '../../../platform/database/index.js';
import { pause } from '../../../platform/events/index.js';
import { defineRunKind, type ContextOf } from '../../../platform/runs/index.js';
import type { PairStore } from './pair-store.js';
import { compareAnswers, type ShadowRow, type SkipReason } from './shadow.js';
import type { ShadowPoll, ShadowStore } from './shadow-store.js';

export const shadowKind = defineRunKind({
  kind: 'SHADOW_WATCH',
  description:
    'A candidate answers a sample of live questions behind users, unseen, and is compared with what was served.',
  subject: 'Adapter',
  input: storedJson(z.object({ shadowId: z.string() })),
  output: storedJson(z.object({ status: z.string(), answered: z.number().int() })),
  checkpoint: storedJson(z.object({ answered: z.number().int() })),
  concurrency: 100,
  // It waits for traffic for days: interruptions alone are no reason to end it.
  attempts: 50,
});
type ShadowContext = ContextOf<typeof shadowKind>;

export interface ShadowRunParts {
  shadows: ShadowStore;
  pairs: PairStore;
  answers: Pick<AnswerStore, 'byIds'>;
  /** Answers behind users, and keeps nothing. */
  asking: Pick<AskService, 'tryOut'>;
  /** Whether users wait. */
  interactive: { readonly busy: boolean };
  clock: Clock;
}

/** How often sampled answers, and a moment when nobody waits, are looked for. */
const LOOK_MS = 400;

/** What fails for no fault of the candidate. */
const UNAVAILABLE = new Set(['DATABASE_UNAVAILABLE', 'VECTOR_STORE_UNAVAILABLE', 'WORKER_UNAVAILABLE', 'OVERLOADED']);

/**
 * Puts sampled questions to the candidate, one after another while nobody waits, until there are as many as were wished. Pairs are rows:
 * one that was begun when a gateway died still waits, and what a gateway writes that lost the run counts for nothing.
 * @throws ADAPTER_UNAVAILABLE, ADAPTER_UNPROVEN, CONFLICT when it can’t go on
 */
export async function watchShadow(
  parts: ShadowRunParts,
  context: ShadowContext,
): Promise<{ status: string; answered: number }> {
  const { shadows, pairs, interactive } = parts;
  const { input, run, signal, fenced } = context;
  const workspaceId = run.workspaceId as WorkspaceId;
  const row = await shadows.require(workspaceId, input.shadowId);
  for (;;) {
    signal.throwIfAborted();
    const poll = await shadows.poll(row);
    if (poll.status !== 'RUNNING') return { status: poll.status, answered: poll.answered };
    const broken = brokenBy(row, poll);
    if (broken !== null) {
      const end = { status: 'FAILED' as const, errorCode: broken.code, reason: broken.message };
      await fenced(async (tx) => void (await shadows.end(await shadows.lock(workspaceId, row.id, tx), end, tx)));
      throw broken;
    }
    if (poll.skipped)
      await fenced(async (tx) => void (await shadows.countSkipped(await shadows.lock(workspaceId, row.id, tx), tx)));
    const next = await pairs.next(row.id);
    if (next !== null && poll.lately >= row.mostPerHour) await skip('HOURLY_BOUND');
    else if (next !== null && !interactive.busy) await askCandidate(next);
    else await pause(LOOK_MS, signal);
  }

  async function skip(reason: SkipReason, answerId: string | null = null): Promise<void> {
    await fenced((tx) => pairs.skip(tx, row.id, reason, answerId));
  }

  async function askCandidate({ answerId, latencyMs }: { answerId: string; latencyMs: number | null }): Promise<void> {
    const servedAnswer = (await parts.answers.byIds(workspaceId, [answerId])).get(answerId);
    if (!servedAnswer) return skip('UNAVAILABLE', answerId);
    const began = parts.clock.monotonic();
    const reference = `${row.adapter}@${row.candidateVersion}`;
    const outcome = await parts.asking.tryOut({ workspaceId }, askAgain(servedAnswer, reference), signal).then(
      (candidate) => ({
        status: 'COMPARED' as const,
        candidateMs: parts.clock.monotonic() - began,
        servedMs: latencyMs,
        compared: compareAnswers(servedAnswer, candidate),
      }),
      (error: unknown) => {
        signal.throwIfAborted();
        const mappedError = mapDatabaseError(error);
        return {
          status: 'FAILED' as const,
          code: isGraftError(mappedError) ? mappedError.code : ('INTERNAL_ERROR' as const),
        };
      },
    );
    // A version that went meanwhile is told of by the next look.
    if (outcome.status === 'FAILED' && brokenBy(row, await shadows.poll(row)) !== null) return;
    if (outcome.status === 'FAILED' && UNAVAILABLE.has(outcome.code)) {
      await skip('UNAVAILABLE', answerId);
      return pause(LOOK_MS, signal);
    }
    await fenced(async (tx) => {
      const locked = await shadows.lock(workspaceId, row.id, tx);
      if (locked.finishedAt !== null || !(await pairs.settle(tx, { shadowId: row.id, answerId }, outcome))) return;
      const answerCount = locked.answered + 1;
      await shadows.countAnswered(row.id, tx);
      await shadows.report(row, outcome.status, answerId, tx);
      await context.checkpoint({ answered: answerCount }, tx);
      if (answerCount < row.leastAnswers) return;
      const reason = `${answerCount} questions were put to the candidate, as many as were wished.`;
      await shadows.end({ ...locked, answered: answerCount }, { status: 'COMPLETE', reason }, tx);
    });
  }
}

/** Why a shadow can’t go on; null when it can. */
function brokenBy(
  { adapter, candidateVersion, againstId, againstVersion }: ShadowRow,
  { attested, productionId }: ShadowPoll,
): GraftError | null {
  const name = `${adapter}@${candidateVersion}`;
  if (attested === null)
    return new GraftError('ADAPTER_UNAVAILABLE', `The candidate ${name} was deleted.`, {
      hint: 'Start a shadow of another version.',
    });
  if (!attested)
    return new GraftError('ADAPTER_UNPROVEN', `${name} is no longer attested: its scale was changed.`, {
      hint: 'Attest it, then start another shadow.',
    });
  if (productionId === againstId) return null;
  return new GraftError('CONFLICT', `Production names another version than ${adapter}@${againstVersion} by now.`, {
    hint: 'Start another shadow: it compares with what is served now.',
  });
}
