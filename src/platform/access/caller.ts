import { DEFAULT_WORKSPACE_ID, type WorkspaceId } from '../../kernel/ids.js';

/** Who sends a request. */
export interface Caller {
  readonly workspaceId: WorkspaceId;
}

/** Loopback only and one tenant for now: every caller works in the default workspace. */
const LOCAL_CALLER: Caller = { workspaceId: DEFAULT_WORKSPACE_ID };

export const identifyCaller = (): Caller => LOCAL_CALLER;
