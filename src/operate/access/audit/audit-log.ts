import type { Change } from '../../../kit/graphql/index.js';
import { callerName, type Caller } from '../../../kernel/caller.js';
import { GraftError } from '../../../kernel/errors.js';
import { mapDatabaseError } from '../../../platform/database/index.js';
import type { Logger } from '../../../platform/telemetry/index.js';
import { outcomeOf, summarised, toldChange, type Outcome } from './audit.js';
import type { AuditStore } from './audit-store.js';

/** A change that is about to be made. */
export interface AuditedCall {
  /** The mutation, or the address or command beside GraphQL. */
  what: string;
  caller: Caller;
  /** Who it is where no key says so; the caller's name by default. */
  who?: string;
  requestId: string;
  /** What is asked for; a summary of it is kept. */
  input: unknown;
  /** What the work says of its change while it goes on. */
  change?: Change;
  /** What is to be changed, as it is before; null where that isn't known. */
  look?: () => Promise<object | null>;
}

/** Writes down who changes what. */
export class AuditLog {
  constructor(private readonly parts: { store: AuditStore; log: Logger }) {}

  /**
   * Does the work of a mutation between two lines of the log. The first stands before the work begins, so that nothing changes without
   * one: where it can't be written, nothing is done.
   * @throws DATABASE_UNAVAILABLE and others before the work, and what the work throws
   */
  async around<T>(
    { what, caller, who = callerName(caller), requestId, input, change = {}, look }: AuditedCall,
    work: () => T | Promise<T>,
  ): Promise<T> {
    const { store, log } = this.parts;
    for (const field of ['subject', 'before', 'after'] as const) delete change[field];
    const pendingId = store.begin({
      workspaceId: caller.workspaceId,
      requestId,
      what,
      who,
      role: caller.role,
      keyId: caller.key?.id ?? null,
      input: summarised(input),
    });
    // What can't be seen keeps nobody from changing it.
    const [id, node] = await Promise.all([pendingId, look?.().catch(() => null)]);
    const was = outcomeOf({ node });
    const end = async (outcome: string, payload?: unknown): Promise<void> => {
      const result = outcomeOf(payload);
      const isDone = outcome === 'DONE';
      await store
        .end(id, {
          outcome,
          subject: change.subject ?? result.subject ?? was.subject,
          before: change.before ? toldChange(change.before) : isDone && isSame(was, result) ? was.after : null,
          after: change.after ? toldChange(change.after) : result.after,
        })
        .catch((err: unknown) => log.warn({ err, requestId }, 'an entry of the audit log has no outcome'));
    };
    try {
      const payload = await work();
      await end('DONE', payload);
      return payload;
    } catch (error) {
      const mappedError = mapDatabaseError(error);
      await end(mappedError instanceof GraftError ? mappedError.code : 'INTERNAL_ERROR');
      throw error;
    }
  }
}

/** Whether what was looked at is what was changed: an answer that gets feedback isn't. What is deleted leaves no payload of its own. */
const isSame = (was: Outcome, result: Outcome): boolean =>
  was.subject !== null && (result.subject === null || result.subject === was.subject);
