export { AuditLog } from './audit/audit-log.js';
export { AuditStore } from './audit/audit-store.js';
export type { PaidCall } from './field-hooks.js';
export { ApiKeyService } from './keys/api-key-service.js';
export { ApiKeyStore } from './keys/api-key-store.js';
export { createLocalKey } from './keys/local-key.js';
export { accessDomain, openAccess, type Access } from './open.js';
export { WorkspaceStore } from './workspaces/workspace-store.js';
