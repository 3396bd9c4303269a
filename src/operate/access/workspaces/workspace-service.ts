import type { Caller } from '../../../kernel/caller.js';
import { GraftError, notFound } from '../../../kernel/errors.js';
import { DEFAULT_WORKSPACE_ID, type WorkspaceId } from '../../../kernel/ids.js';
import type { Page, PageRequest } from '../../../kernel/pagination.js';
import { inWorkspace } from '../../../platform/database/index.js';
import { checkedName } from '../keys/api-key.js';
import type { WorkspaceRow, WorkspaceStore } from './workspace-store.js';

/** What a workspace needs before anybody can ask in it, such as a model. */
export type PrepareWorkspace = (workspaceId: WorkspaceId) => Promise<unknown>;

/** Whether a caller looks after the installation: the administrators of the first workspace do, others after their own alone. */
export const isOverseer = ({ workspaceId, role }: Caller): boolean =>
  workspaceId === DEFAULT_WORKSPACE_ID && role === 'ADMIN';

/** Makes workspaces and finds those that a caller may see. */
export class WorkspaceService {
  constructor(private readonly parts: { store: WorkspaceStore; prepare: PrepareWorkspace }) {}

  /** @throws FORBIDDEN, BAD_USER_INPUT, ALREADY_EXISTS, and what preparing it throws: then there is none */
  async create(caller: Caller, name: string): Promise<WorkspaceRow> {
    if (!isOverseer(caller))
      throw new GraftError('FORBIDDEN', 'Only administrators of the first workspace make others.');
    const { store, prepare } = this.parts;
    const workspace = await store.create(checkedName(name, 'input.name'));
    try {
      await inWorkspace(workspace.id, () => prepare(workspace.id));
    } catch (error) {
      await store.remove(workspace.id).catch(() => undefined);
      throw error;
    }
    return workspace;
  }

  async page(caller: Caller, page: PageRequest): Promise<Page<WorkspaceRow>> {
    if (isOverseer(caller)) return this.parts.store.page(page);
    return { items: page.after === null ? await this.byIds([caller.workspaceId]) : [], hasNextPage: false };
  }

  byIds(ids: readonly string[]): Promise<WorkspaceRow[]> {
    return this.parts.store.byIds(ids);
  }

  /**
   * Work on a workspace that a caller names: their own, or for who looks after the installation the one of this id.
   * @throws NOT_FOUND, and what the work throws
   */
  async within<T>(
    caller: Caller,
    id: string | null,
    field: string,
    work: (workspaceId: WorkspaceId) => Promise<T>,
  ): Promise<T> {
    const workspaceId = id === null ? caller.workspaceId : await this.#chosen(caller, id, field);
    return inWorkspace(workspaceId, () => work(workspaceId));
  }

  async #chosen(caller: Caller, id: string, field: string): Promise<WorkspaceId> {
    if (id === caller.workspaceId) return caller.workspaceId;
    const workspace = isOverseer(caller) ? (await this.byIds([id]))[0] : undefined;
    if (!workspace) throw notFound('The workspace', id, field);
    return workspace.id;
  }
}
