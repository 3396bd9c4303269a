import { encodeCursor } from '../../../kernel/pagination.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { inWorkspace } from '../../../platform/database/index.js';
import { toGlobalId } from '../../../kit/graphql/index.js';
import type { AuditFilter, AuditStore } from './audit-store.js';

const PAGE = 500;

/**
 * A workspace's entries, newest first, as lines of NDJSON with the names that `auditLog` has. They are read page by page as they are
 * taken, so that a log of any length fits; entries that come meanwhile are not among them.
 */
export async function* auditLines(
  store: AuditStore,
  workspaceId: WorkspaceId,
  filter: AuditFilter,
): AsyncGenerator<string, void, undefined> {
  for (let cursor: string | null = null; ;) {
    const page = () => store.page(workspaceId, filter, { first: PAGE, after: cursor });
    // Whoever writes the file asks for it.
    const { items, hasNextPage } = await inWorkspace(workspaceId, page);
    yield items
      .map(({ id, createdAt, subject, keyId, ...entry }) => {
        const { who, role, what, input, before, outcome, requestId, after: afterState } = entry;
        const key = keyId && toGlobalId('ApiKey', keyId);
        const [globalId, details] = [toGlobalId('AuditEntry', id), { who, role, keyId: key, what, subjectId: subject }];
        return `${JSON.stringify({ id: globalId, at: createdAt, ...details, input, before, after: afterState, outcome, requestId })}\n`;
      })
      .join('');
    if (!hasNextPage) return;
    cursor = encodeCursor([items.at(-1)!.id]);
  }
}
