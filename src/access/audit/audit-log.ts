import type { GraphContext } from '../../graphql-kit/index.js';
import { callerName } from '../../kernel/caller.js';
import { GraftError } from '../../kernel/errors.js';
import { mapDatabaseError } from '../../platform/database/index.js';
import type { Logger } from '../../platform/telemetry/index.js';
import { outcomeOf, summarised, toldChange } from './audit.js';
import type { AuditStore } from './audit-store.js';

export interface AuditedCall {
  name: string;
  args: Readonly<Record<string, unknown>>;
  context: GraphContext;
}

/** Writes down who changes what. */
export class AuditLog {
  constructor(private readonly parts: { store: AuditStore; log: Logger }) {}

  /**
   * Does the work of a mutation between two lines of the log. The first stands before the work begins, so that nothing changes without
   * one: where it can't be written, nothing is done.
   * @throws DATABASE_UNAVAILABLE and others before the work, and what the work throws
   */
  async around<T>({ name, args, context }: AuditedCall, work: () => T | Promise<T>): Promise<T> {
    const { store, log } = this.parts;
    const { caller, workspaceId, requestId, change } = context;
    for (const told of ['subject', 'before', 'after'] as const) delete change[told];
    const { input = args } = args;
    const id = await store.begin({
      ...{ workspaceId, requestId, what: name, role: caller.role },
      who: callerName(caller),
      keyId: caller.key?.id ?? null,
      input: summarised(input),
    });
    const end = async (outcome: string, payload?: unknown): Promise<void> => {
      const seen = outcomeOf(payload);
      await store
        .end(id, {
          outcome,
          subject: change.subject ?? seen.subject,
          before: change.before ? toldChange(change.before) : null,
          after: change.after ? toldChange(change.after) : seen.after,
        })
        .catch((err: unknown) => log.warn({ err, requestId }, 'an entry of the audit log has no outcome'));
    };
    try {
      const payload = await work();
      await end('DONE', payload);
      return payload;
    } catch (error) {
      const known = mapDatabaseError(error);
      await end(known instanceof GraftError ? known.code : 'INTERNAL_ERROR');
      throw error;
    }
  }
}
