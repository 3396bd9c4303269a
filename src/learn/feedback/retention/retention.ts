import { badInput } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { asSystem, inEachWorkspace } from '../../../platform/database/index.js';
import type { Logger } from '../../../platform/telemetry/index.js';
import type { RetentionStore } from './retention-store.js';

const MOST_DAYS = 36_500;

/** Deletes feedback by age, where a workspace wants that, by whichever gateway comes to it; twice does no harm. */
export class RetentionSweeper {
  constructor(private readonly parts: { store: RetentionStore; log: Logger }) {}

  /** @throws BAD_USER_INPUT unless it is null (kept for good) or 1 to 36,500 days */
  async set(workspaceId: WorkspaceId, days: number | null): Promise<void> {
    if (days !== null && !(Number.isInteger(days) && days >= 1 && days <= MOST_DAYS))
      throw badInput('input.days', `days must be 1 to ${MOST_DAYS.toLocaleString('en')}, not ${days}.`);
    await this.parts.store.setDays(workspaceId, days);
  }

  days(workspaceId: WorkspaceId): Promise<number | null> {
    return this.parts.store.days(workspaceId);
  }

  /** @throws what went wrong last in a workspace; the others are done all the same */
  async expireAll(): Promise<void> {
    const { store, log } = this.parts;
    const workspaceOf = ({ workspaceId }: { workspaceId: string }): WorkspaceId => workspaceId as WorkspaceId;
    await inEachWorkspace(await asSystem(() => store.rules()), workspaceOf, async (rule) => {
      const expired = await store.expire(workspaceOf(rule), rule.days);
      if (expired.deleted + expired.blanked + expired.reviews > 0) log.info(expired, 'feedback deleted by age');
    });
  }
}
