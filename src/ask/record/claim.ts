import { setTimeout as sleep } from 'node:timers/promises';
import { GraftError, isGraftError } from '../../kernel/errors.js';
import { mapDatabaseError } from '../../platform/database/index.js';
import type { Answer, FinishedAnswer } from '../answer.js';
import { LEASE_SECONDS, type AnswerStore, type Lease, type NewAnswer } from './answer-store.js';

const POLL_MS = 150;
const RENEW_MS = (LEASE_SECONDS * 1000) / 3;

/**
 * Claims a request id, or joins what stands under it: a complete answer is returned; one that another gateway is making
 * is waited for, and taken over when that gateway is gone.
 * @throws IDEMPOTENCY_CONFLICT when the id was used with other input, CANCELLED when `signal` aborts while waiting
 */
export async function claimAnswer(
  store: AnswerStore,
  answer: NewAnswer,
  signal: AbortSignal,
): Promise<{ recorded: Answer } | { claim: Claim }> {
  for (;;) {
    if (signal.aborted) throw withdrawn();
    const lease = await store.claim(answer);
    if (lease !== null) return { claim: new Claim(store, answer, Promise.resolve(lease)) };
    const standing = await store.standing(answer.workspaceId, answer.requestId);
    if (standing !== null && standing.inputDigest !== answer.inputDigest) throw requestIdTaken();
    if (standing?.answer) return { recorded: standing.answer };
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * Claims a request id that was just made up: nobody else can have it, so the work may begin while the claim is being
 * written. `held` tells when it is.
 */
export function claimNew(store: AnswerStore, answer: NewAnswer): Claim {
  const claimed = store.claim(answer).then((lease) => {
    if (lease === null) throw new Error(`the new request id ${answer.requestId} is taken`);
    return lease;
  });
  // Whoever awaits it hears of a failure; until then it is nobody's unhandled rejection.
  claimed.catch(() => undefined);
  return new Claim(store, answer, claimed);
}

export const requestIdTaken = (): GraftError =>
  new GraftError('IDEMPOTENCY_CONFLICT', 'This requestId was used before with another question or other options.', {
    field: 'input.requestId',
  });

export const withdrawn = (): GraftError => new GraftError('CANCELLED', 'The caller withdrew the question.');

/** An answer that this process is making: its lease is renewed until it is settled one way or the other. */
export class Claim {
  private readonly renewing: NodeJS.Timeout;

  constructor(
    private readonly store: AnswerStore,
    private readonly answer: NewAnswer,
    private readonly lease: Promise<Lease>,
  ) {
    // A renewal that fails is no matter: without one the lease ends, and `complete` finds out.
    const renew = (): Promise<unknown> => lease.then((held) => store.renew(held)).catch(() => undefined);
    this.renewing = setInterval(() => void renew(), RENEW_MS).unref();
  }

  /** Resolves when the claim is written. @throws what the database throws */
  async held(): Promise<void> {
    await this.lease;
  }

  /** @throws CONFLICT when another gateway took the answer over meanwhile */
  async complete(finished: FinishedAnswer): Promise<Answer> {
    clearInterval(this.renewing);
    const lease = await this.lease;
    if (!(await this.store.complete(lease, finished)))
      throw new GraftError('CONFLICT', 'Another gateway took this answer over while this one was slow.', {
        field: 'input.requestId',
        hint: 'Ask again with the same requestId: it returns the answer that was recorded.',
      });
    const { workspaceId, requestId, question, conversationId } = this.answer;
    return { ...finished, id: lease.id, workspaceId, requestId, question, conversationId, createdAt: lease.createdAt };
  }

  /** Records why there is no answer. Never throws: the reason itself is what the caller has to hear. */
  async fail(error: unknown): Promise<void> {
    clearInterval(this.renewing);
    const known = mapDatabaseError(error);
    const [code, message] = isGraftError(known)
      ? [known.code, known.message]
      : (['INTERNAL_ERROR', 'Something unexpected happened.'] as const);
    const status = code === 'CANCELLED' ? 'CANCELLED' : 'FAILED';
    await this.lease.then((lease) => this.store.fail(lease, status, code, message)).catch(() => undefined);
  }
}

/** Passes on the events of making an answer, and records under the claim why it ended when it ends without one. */
export async function* underClaim<E, R>(claim: Claim, making: AsyncGenerator<E, R>): AsyncGenerator<E, R> {
  let reason: unknown = withdrawn();
  try {
    const result = yield* making;
    reason = null;
    return result;
  } catch (error) {
    reason = error;
    throw error;
  } finally {
    if (reason !== null) await claim.fail(reason);
  }
}
