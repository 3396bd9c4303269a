import type { BudgetLeft, GraphContext, NodeRegistry, Spends } from '../../kit/graphql/index.js';
import type { Caller } from '../../kernel/caller.js';
import { onAccount, streamOnAccount, type Account } from '../../platform/spending/index.js';
import type { Admission } from './admission/admission.js';
import type { AuditedCall, AuditLog } from './audit/audit-log.js';
import { lookAt } from './audit/subject.js';
import type { Ledger, Reservation } from './budgets/ledger.js';

/** A field as the schema's guard hands it over. */
interface Call {
  name: string;
  operation: string;
  spends: Spends | undefined;
  args: Readonly<Record<string, unknown>>;
  context: GraphContext;
}

/** A mutation as the audit log takes it. */
function noted({ name, args, context }: Call, nodes: Pick<NodeRegistry, 'fetch'> | null): AuditedCall {
  const { caller, requestId, change } = context;
  const input = args['input'] ?? args;
  return { what: name, caller, requestId, change, input, ...(nodes && { look: () => lookAt(nodes, context, input) }) };
}

/** What budgets have left after work that came to so many tokens. */
function leftAfter({ before }: Reservation, workspaceId: string, tokens: number): BudgetLeft[] {
  return before.map(({ subject, window, resetsAt, left }) => ({
    of: subject === workspaceId ? 'WORKSPACE' : 'KEY',
    window,
    resetsAt: resetsAt.toISOString(),
    requestsLeft: left.requests === null ? null : left.requests - 1,
    tokensLeft: left.tokens === null ? null : left.tokens - tokens,
    concurrentLeft: left.concurrent,
  }));
}

/** Work that was let in: it has a place in its line, and its budget is held. */
interface Begun {
  account: Account;
  reservation: Reservation | null;
  /** @param finished whether it came to its end */
  end(finished: boolean): Promise<void>;
}

/** Paid work of an address beside GraphQL: who asks for it, of what kind it is, and what it is about. */
export interface PaidCall {
  caller: Caller;
  spends: Spends;
  request: unknown;
}

/** What goes around each field that changes or spends something: a place among those that wait, a reservation, an account, two lines of the audit log. */
export class AccessHooks {
  #nodes: Pick<NodeRegistry, 'fetch'> | null = null;

  constructor(private readonly parts: { admission: Admission; ledger: Ledger; audit: AuditLog }) {}

  /** From now on the audit log says how what a mutation changes was before. */
  lookBy(nodes: Pick<NodeRegistry, 'fetch'>): void {
    this.#nodes = nodes;
  }

  /** @throws OVERLOADED and BUDGET_EXCEEDED before anything is done, and what the field throws */
  async resolve(call: Call, work: () => unknown): Promise<unknown> {
    const { context } = call;
    const { account, reservation, end } = await this.#begin(callOf(call));
    const runOnAccount = (): unknown => onAccount(account, work);
    let finished = false;
    try {
      const value = await (call.operation === 'mutation'
        ? this.parts.audit.around(noted(call, this.#nodes), runOnAccount)
        : runOnAccount());
      finished = true;
      return value;
    } finally {
      if (reservation) context.budget = leftAfter(reservation, context.workspaceId, account.tokens);
      await end(finished);
    }
  }

  /** @throws OVERLOADED and BUDGET_EXCEEDED before anything is done, and what the field throws */
  async subscribe(call: Call, open: () => unknown): Promise<AsyncIterable<unknown>> {
    const { context } = call;
    const { account, reservation, end } = await this.#begin(callOf(call));
    const updateBudget = (): void => {
      if (reservation) context.budget = leftAfter(reservation, context.workspaceId, account.tokens);
    };
    let settled = false;
    const settle = async (finished: boolean): Promise<void> => {
      if (settled) return;
      settled = true;
      updateBudget();
      await end(finished);
    };
    try {
      const source = (await onAccount(account, open)) as AsyncIterable<unknown>;
      return settling(streamOnAccount(account, source), updateBudget, settle);
    } catch (error) {
      await settle(false);
      throw error;
    }
  }

  /** A change that is made at an address beside GraphQL. */
  noted<T>(call: AuditedCall, work: () => T | Promise<T>): Promise<T> {
    return this.parts.audit.around(call, work);
  }

  /** Paid work of an address beside GraphQL. @throws OVERLOADED and BUDGET_EXCEEDED before it begins, and what it throws */
  async paid<T>(call: PaidCall, begin: () => Promise<T>): Promise<T> {
    const { account, end } = await this.#begin(call);
    let finished = false;
    try {
      const value = await onAccount(account, begin);
      finished = true;
      return value;
    } finally {
      await end(finished);
    }
  }

  /** The same of work that streams; it begins when the first value is asked for. */
  async *paidStream<T>(call: PaidCall, open: () => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    const { account, end } = await this.#begin(call);
    let finished = false;
    try {
      yield* streamOnAccount(account, onAccount(account, open));
      finished = true;
    } finally {
      await end(finished);
    }
  }

  /** What is refused for want of room has reserved nothing. */
  async #begin({ caller, spends, request }: Partial<PaidCall> & { caller: Caller }): Promise<Begun> {
    const account: Account = { caller, tokens: 0 };
    if (spends === undefined) return { account, reservation: null, end: () => Promise.resolve() };
    const leave = this.parts.admission.enter(spends, account, request);
    try {
      const reservation = await this.parts.ledger.reserve(caller, spends);
      const end = async (finished: boolean): Promise<void> => {
        leave(finished);
        await reservation?.settle(account.tokens);
      };
      return { account, reservation, end };
    } catch (error) {
      leave(false);
      throw error;
    }
  }
}

const callOf = ({ context: { caller }, spends, args: request }: Call) => ({ caller, spends, request });

/** The same stream; it is settled once, however it ends. */
function settling<T>(
  source: AsyncGenerator<T, void, undefined>,
  onStep: () => void,
  settle: (finished: boolean) => Promise<void>,
): AsyncGenerator<T, void, undefined> {
  const end = async (): Promise<IteratorResult<T, void>> => {
    // A source that is busy lets go in its own time; nobody waits for that.
    void source.return().catch(() => undefined);
    await settle(false);
    return { done: true, value: undefined };
  };
  return {
    async next() {
      try {
        const step = await source.next();
        onStep();
        if (step.done) await settle(true);
        return step;
      } catch (error) {
        await settle(false);
        throw error;
      }
    },
    return: end,
    throw: end,
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await end();
    },
  };
}
