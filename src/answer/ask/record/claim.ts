import { setTimeout as sleep } from 'node:timers/promises';
import { GraftError, isGraftError } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/ids.js';
import { mapDatabaseError } from '../../../platform/database/index.js';
import type { Answer, Assignment, FinishedAnswer } from '../answer.js';
import type { AskedBefore } from '../question.js';
import {
  LEASE_SECONDS,
  type AnswerStore,
  type Failure,
  type AnswerLease,
  type MadeWith,
  type NewAnswer,
} from './answer-store.js';

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
  elapsed: () => number,
  signal: AbortSignal,
): Promise<{ recorded: Answer } | { claim: Claim }> {
  for (;;) {
    if (signal.aborted) throw withdrawn();
    const lease = await store.claim(answer);
    if (lease !== null) return { claim: new Claim(store, answer, lease, elapsed) };
    const standing = await store.standing(answer.workspaceId, answer.requestId);
    if (standing !== null && standing.inputDigest !== answer.inputDigest) throw requestIdTaken();
    if (standing?.answer) return { recorded: standing.answer };
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

export const requestIdTaken = (): GraftError =>
  new GraftError('IDEMPOTENCY_CONFLICT', 'This requestId was used before with another question or other options.', {
    field: 'input.requestId',
  });

export const withdrawn = (): GraftError => new GraftError('CANCELLED', 'The caller withdrew the question.');

/** An answer that is being made: where it goes, or the reason why there is none. */
export interface OpenAnswer {
  /** Row id of the answer to be; of one that isn't kept, too. */
  readonly id: string;
  /** Says what the question was drawn into, before anything of it can fail. */
  draw(assignment: Assignment | null): void;
  /** Says what is to make the answer, which a failure is told of, too. */
  plan(planned: MadeWith): void;
  /**
   * @param behind what the question was put behind
   * @throws CONFLICT when another gateway took the answer over meanwhile, and what the database throws
   */
  complete(finished: FinishedAnswer, behind: readonly AskedBefore[]): Promise<Answer>;
  /** Never throws: the reason itself is what the caller has to hear. */
  fail(error: unknown): Promise<void>;
}

/**
 * An answer that the caller gave no request id: nobody can join it or ask for it again, so it is written once, when it is
 * settled, and the model need not wait for the database.
 */
export function recordOnce(
  store: AnswerStore,
  answer: Omit<NewAnswer, 'requestId'>,
  createdAt: Date,
  elapsed: () => number,
): OpenAnswer {
  const unclaimed = { ...answer, id: newId(), requestId: newId(), createdAt };
  const { inputDigest: _digest, askedBy: _askedBy, ...answerFields } = unclaimed;
  let isWritten = false;
  let assignment: Assignment | null = null;
  let plan: MadeWith | null = null;
  return {
    id: unclaimed.id,
    draw(newAssignment) {
      assignment = newAssignment;
    },
    plan(newPlan) {
      plan = newPlan;
    },
    async complete(finished, earlierQuestions) {
      await store.add(unclaimed, { finished, behind: earlierQuestions }, { assignment, latencyMs: elapsed() });
      isWritten = true;
      return { ...finished, ...answerFields, assignment };
    },
    async fail(error) {
      // A reader that has its answer leaves without hearing the end.
      if (isWritten) return;
      await store.add(unclaimed, failureOf(error, plan), { assignment, latencyMs: elapsed() }).catch(() => undefined);
    },
  };
}

/** An answer that is only looked at: nothing of it is kept. */
export function unrecorded(
  { inputDigest: _digest, askedBy: _askedBy, ...answerFields }: Omit<NewAnswer, 'requestId'>,
  createdAt: Date,
): OpenAnswer {
  const id = newId();
  return {
    id,
    draw: () => undefined,
    plan: () => undefined,
    complete: (finished) =>
      Promise.resolve({ ...finished, ...answerFields, id, requestId: newId(), assignment: null, createdAt }),
    fail: () => Promise.resolve(),
  };
}

/** An answer that this process is making: its lease is renewed until it is settled one way or the other. */
class Claim implements OpenAnswer {
  readonly id: string;
  private readonly renewing: NodeJS.Timeout;
  private assignment: Assignment | null = null;
  private planned: MadeWith | null = null;

  constructor(
    private readonly store: AnswerStore,
    private readonly answer: NewAnswer,
    private readonly lease: AnswerLease,
    private readonly elapsed: () => number,
  ) {
    this.id = lease.id;
    // A renewal that fails is no matter: without one the lease ends, and `complete` finds out.
    this.renewing = setInterval(() => void store.renew(lease).catch(() => undefined), RENEW_MS).unref();
  }

  draw(assignment: Assignment | null): void {
    this.assignment = assignment;
  }

  plan(plan: MadeWith): void {
    this.planned = plan;
  }

  async complete(finished: FinishedAnswer, earlierQuestions: readonly AskedBefore[]): Promise<Answer> {
    clearInterval(this.renewing);
    const { assignment } = this;
    if (!(await this.store.complete(this.lease, finished, { assignment, latencyMs: this.elapsed() }, earlierQuestions)))
      throw new GraftError('CONFLICT', 'Another gateway took this answer over while this one was slow.', {
        field: 'input.requestId',
        hint: 'Ask again with the same requestId: it returns the answer that was recorded.',
      });
    const { id, createdAt } = this.lease;
    const { workspaceId, requestId, question, conversationId } = this.answer;
    return { ...finished, workspaceId, requestId, question, conversationId, id, createdAt, assignment };
  }

  async fail(error: unknown): Promise<void> {
    clearInterval(this.renewing);
    const measures = { assignment: this.assignment, latencyMs: this.elapsed() };
    await this.store.fail(this.lease, failureOf(error, this.planned), measures).catch(() => undefined);
  }
}

function failureOf(error: unknown, plan: MadeWith | null): Failure {
  const mappedError = mapDatabaseError(error);
  const [code, message] = isGraftError(mappedError)
    ? [mappedError.code, mappedError.message]
    : (['INTERNAL_ERROR', 'Something unexpected happened.'] as const);
  return { status: code === 'CANCELLED' ? 'CANCELLED' : 'FAILED', code, message, planned: plan };
}

/** Passes on the events of making an answer, and records why it ended when it ends without one. */
export async function* recorded<E, R>(record: OpenAnswer, making: AsyncGenerator<E, R>): AsyncGenerator<E, R> {
  let reason: unknown = withdrawn();
  try {
    const result = yield* making;
    reason = null;
    return result;
  } catch (error) {
    reason = error;
    throw error;
  } finally {
    if (reason !== null) await record.fail(reason);
  }
}
