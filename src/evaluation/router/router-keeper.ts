import { digestOf } from '../../kernel/hashing.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import { asSystem, inWorkspace } from '../../platform/database/index.js';
import type { RunRow } from '../../platform/runs/index.js';
import type { Logger } from '../../platform/telemetry/index.js';
import type { RouterFitter } from './router-fitter.js';

export interface RouterKeeperParts {
  fitter: Pick<RouterFitter, 'routers' | 'changes' | 'fitting' | 'othersWork' | 'start'>;
  log: Logger;
}

/** How often it looks: a new adapter waits no longer than this for its fit to begin, and a look costs a few queries. */
const LOOK_MS = 5_000;

/**
 * Has the router of each workspace fitted when its first adapter gets into production, and anew when collections or adapters have changed. It looks
 * at what is there instead of being told, so that whatever changed it counts, also while no gateway ran. A change of adapters is fitted at once. One of
 * documents must stand from one look to the next, since it goes on for a while, and waits while anything else works; a fit that waits or works is the only one.
 */
export class RouterKeeper {
  private timer: NodeJS.Timeout | null = null;
  /** The state that the last look found changed, by workspace. */
  private readonly seen = new Map<WorkspaceId, string>();

  constructor(private readonly parts: RouterKeeperParts) {}

  start(): void {
    const tick = () =>
      this.look().catch((err: unknown) => this.parts.log.debug({ err }, 'looking after the router was put off'));
    this.timer ??= setInterval(() => void tick(), LOOK_MS).unref();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  /** Looks at every workspace; what goes wrong in one is no other's loss. */
  async look(): Promise<void> {
    const { fitter, log } = this.parts;
    for (const workspaceId of await asSystem(() => fitter.routers.workspaces()))
      await inWorkspace(workspaceId, () => this.lookAt(workspaceId)).catch((err: unknown) =>
        log.debug({ err, workspaceId }, 'looking after the router was put off'),
      );
  }

  /** @returns the fit that it asked for; null where none is needed, or it is not yet the time */
  async lookAt(workspaceId: WorkspaceId): Promise<RunRow | null> {
    const { fitter } = this.parts;
    const router = await fitter.routers.newest(workspaceId);
    const since = await fitter.changes(workspaceId, router);
    const before = this.seen.get(workspaceId);
    this.seen.delete(workspaceId);
    if (since.changes.length === 0) return null;
    const state = digestOf([router?.version ?? 0, since.state]);
    this.seen.set(workspaceId, state);
    const urgent = since.changes.some(({ adapts }) => adapts);
    if (!since.fittable || (await fitter.fitting(workspaceId)) !== null) return null;
    if (!urgent && (state !== before || (await fitter.othersWork(workspaceId)))) return null;
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
