import type { WorkspaceId } from '../../../kernel/ids.js';
import { RecentReads, type Database } from '../../../platform/database/index.js';

/** Workspaces whose setting is kept in memory. */
const MOST_KNOWN = 1_000;

/** Whether the base model answers what belongs to no document and no adapter: a setting of the workspace. By default it doesn't. */
export class BaseAnswers {
  readonly #known = new RecentReads<boolean>(MOST_KNOWN);

  constructor(private readonly database: Database) {}

  /** Another gateway's change is seen within two seconds. */
  allowed(workspaceId: WorkspaceId): Promise<boolean> {
    return this.#known.get(workspaceId, () => this.#read(workspaceId));
  }

  async #read(workspaceId: WorkspaceId): Promise<boolean> {
    const where = { id: workspaceId };
    const row = await this.database.prisma.workspace.findFirst({ where, select: { baseAnswers: true } });
    return row?.baseAnswers ?? false;
  }

  async set(workspaceId: WorkspaceId, baseAnswers: boolean): Promise<void> {
    await this.database.prisma.workspace.update({ where: { id: workspaceId }, data: { baseAnswers } });
    this.#known.forget(workspaceId);
  }
}
