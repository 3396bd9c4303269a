export type { PaidCall } from './field-hooks.js';
export { createLocalKey } from './keys/local-key.js';
export { accessDomain, openAccess, type Access } from './open.js';
export { WorkspaceStore } from './workspaces/workspace-store.js';
