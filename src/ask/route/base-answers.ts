import type { WorkspaceId } from '../../kernel/ids.js';
import type { Database } from '../../platform/database/index.js';

/** How long a setting that was read is taken for the current one, in ms. */
const KNOWN_MS = 2_000;

/** Whether the base model answers what belongs to no document and no adapter: a setting of the workspace. By default it doesn't. */
export class BaseAnswers {
  readonly #known = new Map<WorkspaceId, { until: number; allowed: Promise<boolean> }>();

  constructor(private readonly database: Database) {}

  /** Another gateway's change is seen within two seconds. */
  allowed(workspaceId: WorkspaceId): Promise<boolean> {
    const known = this.#known.get(workspaceId);
    if (known && known.until > performance.now()) return known.allowed;
    const allowed = this.#read(workspaceId);
    allowed.catch(() => this.#known.delete(workspaceId));
    this.#known.set(workspaceId, { until: performance.now() + KNOWN_MS, allowed });
    return allowed;
  }

  async #read(workspaceId: WorkspaceId): Promise<boolean> {
    const where = { id: workspaceId };
    const row = await this.database.prisma.workspace.findFirst({ where, select: { baseAnswers: true } });
    return row?.baseAnswers ?? false;
  }

  async set(workspaceId: WorkspaceId, baseAnswers: boolean): Promise<void> {
    await this.database.prisma.workspace.update({ where: { id: workspaceId }, data: { baseAnswers } });
    this.#known.delete(workspaceId);
  }
}
