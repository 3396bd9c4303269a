import { digestOf } from '../../kernel/hashing.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { asSystem, inEachWorkspace } from '../../platform/database/index.js';
import type { RunRow } from '../../platform/runs/index.js';
import type { RouterFitter } from './router-fitter.js';

interface RouterKeeperParts {
  fitter: Pick<RouterFitter, 'routers' | 'changes' | 'fitting' | 'othersWork' | 'start'>;
}

/** How often it looks: a new adapter waits no longer than this for its fit to begin, and a look costs a few queries. */
export const ROUTER_LOOK_MS = 5_000;

/**
 * Has the router of each workspace fitted when its first adapter gets into production, and anew when collections or adapters have changed. It looks
 * at what is there instead of being told, so that whatever changed it counts, also while no gateway ran. A change of adapters is fitted at once. One of
 * documents must stand from one look to the next, since it goes on for a while, and waits while anything else works; a fit that waits or works is the only one.
 */
export class RouterKeeper {
  /** The state that the last look found changed, by workspace. */
  private readonly seen = new Map<WorkspaceId, string>();

  constructor(private readonly parts: RouterKeeperParts) {}

  /** Looks at every workspace. @throws what went wrong last */
  async look(): Promise<void> {
    const workspaces = await asSystem(() => this.parts.fitter.routers.workspaces());
    await inEachWorkspace(
      workspaces,
      (workspaceId) => workspaceId,
      (workspaceId) => this.lookAt(workspaceId),
    );
  }

  /** @returns the fit that it asked for; null where none is needed, or it is not yet the time */
  async lookAt(workspaceId: WorkspaceId): Promise<RunRow | null> {
    const { fitter } = this.parts;
    const router = await fitter.routers.newest(workspaceId);
    const drift = await fitter.changes(workspaceId, router);
    const previousState = this.seen.get(workspaceId);
    this.seen.delete(workspaceId);
    if (drift.changes.length === 0) return null;
    const state = digestOf([router?.version ?? 0, drift.state]);
    this.seen.set(workspaceId, state);
    const urgent = drift.changes.some(({ adapts }) => adapts);
    if (!drift.fittable || (await fitter.fitting(workspaceId)) !== null) return null;
    if (!urgent && (state !== previousState || (await fitter.othersWork(workspaceId)))) return null;
    return fitter.start(workspaceId, {
      mode: router?.mode ?? 'APPLY',
      seed: 1,
      automatic: true,
      ...(urgent && { urgent }),
      // The same state asks for no second fit, be it because of another gateway or because the first has failed.
      idempotencyKey: `automatic ${state}`,
    });
  }
}
