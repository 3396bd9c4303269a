import { localCaller, type Role } from '../../../kernel/caller.js';
import { systemClock } from '../../../kernel/clock.js';
import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import { inWorkspace, type Database } from '../../../platform/database/index.js';
import type { Logger } from '../../../platform/telemetry/index.js';
import { AuditLog } from '../audit/audit-log.js';
import { AuditStore } from '../audit/audit-store.js';
import { ApiKeyService, type NewKey } from './api-key-service.js';
import { ApiKeyStore } from './api-key-store.js';

/**
 * Makes a key in the database itself, with an entry in the audit log: how the first one comes about.
 * @param author what the entry and the key call its maker
 * @throws BAD_USER_INPUT
 */
export function createLocalKey(
  database: Database,
  log: Logger,
  workspaceId: WorkspaceId,
  input: { name: string; role: Role; expiresAt: Date | null },
  author: string,
): Promise<NewKey> {
  const keys = new ApiKeyService({ store: new ApiKeyStore(database), clock: systemClock });
  const audit = new AuditLog({ store: new AuditStore(database), log });
  const change: { after?: Record<string, string> } = {};
  const call = { what: 'createApiKey', who: author, caller: localCaller(), requestId: newId(), change };
  return audit.around({ ...call, input: { ...input, workspaceId } }, async () => {
    const newKey = await inWorkspace(workspaceId, () => keys.create(workspaceId, input, author));
    change.after = { name: input.name, role: input.role, prefix: newKey.key.prefix };
    return newKey;
  });
}
