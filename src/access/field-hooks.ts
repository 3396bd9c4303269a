import type { BudgetLeft, GraphContext, Spends } from '../graphql-kit/index.js';
import type { Caller } from '../kernel/caller.js';
import { onAccount, streamOnAccount, type Account } from '../platform/spending/index.js';
import type { AuditedCall, AuditLog } from './audit/audit-log.js';
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
const noted = ({ name, args, context: { caller, requestId, change } }: Call): AuditedCall => ({
  ...{ what: name, caller, requestId, change },
  input: args['input'] ?? args,
});

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

/** What goes around each field that changes or spends something: a reservation, an account, two lines of the audit log. */
export class AccessHooks {
  constructor(private readonly parts: { ledger: Ledger; audit: AuditLog }) {}

  /** @throws BUDGET_EXCEEDED before anything is done, and what the field throws */
  async resolve(call: Call, work: () => unknown): Promise<unknown> {
    const { context, spends } = call;
    const reservation = await this.#reserve(call);
    const account: Account = { caller: context.caller, tokens: 0 };
    const done = (): unknown => onAccount(account, work);
    try {
      return await (call.operation === 'mutation' ? this.parts.audit.around(noted(call), done) : done());
    } finally {
      if (spends !== undefined && reservation) {
        context.budget = leftAfter(reservation, context.workspaceId, account.tokens);
        await reservation.settle(account.tokens);
      }
    }
  }

  /** @throws BUDGET_EXCEEDED before anything is done, and what the field throws */
  async subscribe(call: Call, open: () => unknown): Promise<AsyncIterable<unknown>> {
    const { context } = call;
    const reservation = await this.#reserve(call);
    const account: Account = { caller: context.caller, tokens: 0 };
    const told = (): void => {
      if (reservation) context.budget = leftAfter(reservation, context.workspaceId, account.tokens);
    };
    let settled = false;
    const settle = async (): Promise<void> => {
      if (settled) return;
      settled = true;
      told();
      await reservation?.settle(account.tokens);
    };
    try {
      const source = (await onAccount(account, open)) as AsyncIterable<unknown>;
      return settling(streamOnAccount(account, source), told, settle);
    } catch (error) {
      await settle();
      throw error;
    }
  }

  /** A change that is made at an address beside GraphQL. */
  noted<T>(call: AuditedCall, work: () => T | Promise<T>): Promise<T> {
    return this.parts.audit.around(call, work);
  }

  /** Paid work of an address beside GraphQL. @throws BUDGET_EXCEEDED before it begins, and what it throws */
  async paid<T>(caller: Caller, work: Spends, begin: () => Promise<T>): Promise<T> {
    const reservation = await this.parts.ledger.reserve(caller, work);
    const account: Account = { caller, tokens: 0 };
    try {
      return await onAccount(account, begin);
    } finally {
      await reservation?.settle(account.tokens);
    }
  }

  /** The same of work that streams; it begins when the first value is asked for. */
  async *paidStream<T>(caller: Caller, work: Spends, open: () => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    const reservation = await this.parts.ledger.reserve(caller, work);
    const account: Account = { caller, tokens: 0 };
    try {
      yield* streamOnAccount(account, onAccount(account, open));
    } finally {
      await reservation?.settle(account.tokens);
    }
  }

  #reserve({ spends, context }: Call): Promise<Reservation | null> {
    return spends === undefined ? Promise.resolve(null) : this.parts.ledger.reserve(context.caller, spends);
  }
}

/** The same stream; it is settled once, however it ends. */
function settling<T>(
  source: AsyncGenerator<T, void, undefined>,
  told: () => void,
  settle: () => Promise<void>,
): AsyncGenerator<T, void, undefined> {
  const end = async (): Promise<IteratorResult<T, void>> => {
    // A source that is busy lets go in its own time; nobody waits for that.
    void source.return().catch(() => undefined);
    await settle();
    return { done: true, value: undefined };
  };
  return {
    async next() {
      try {
        const step = await source.next();
        told();
        if (step.done) await settle();
        return step;
      } catch (error) {
        await settle();
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
