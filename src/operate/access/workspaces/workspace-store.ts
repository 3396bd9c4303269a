import { newId, type Uuid, type WorkspaceId } from '../../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../../kernel/pagination.js';
import { asSystem, mapNameTaken, type Database } from '../../../platform/database/index.js';

export interface WorkspaceRow {
  id: WorkspaceId;
  name: string;
  createdAt: Date;
  /** See `BaseAnswers`. */
  baseAnswers: boolean;
}

/** All queries of the table `workspace`: of all of them, since who may see which is asked for by role (`WorkspaceService`). */
export class WorkspaceStore {
  constructor(private readonly database: Database) {}

  /** @throws ALREADY_EXISTS */
  async create(name: string): Promise<WorkspaceRow> {
    try {
      const id: Uuid = newId();
      return (await asSystem(() => this.#table.create({ data: { id, name } }))) as WorkspaceRow;
    } catch (error) {
      throw mapNameTaken(error, 'A workspace', name);
    }
  }

  async remove(id: WorkspaceId): Promise<void> {
    await asSystem(() => this.#table.delete({ where: { id } }));
  }

  async byIds(ids: readonly string[]): Promise<WorkspaceRow[]> {
    return (await asSystem(() => this.#table.findMany({ where: { id: { in: [...ids] } } }))) as WorkspaceRow[];
  }

  async byName(name: string): Promise<WorkspaceRow | null> {
    return (await asSystem(() => this.#table.findFirst({ where: { name } }))) as WorkspaceRow | null;
  }

  async all(): Promise<WorkspaceRow[]> {
    return (await asSystem(() => this.#table.findMany({ orderBy: { id: 'asc' } }))) as WorkspaceRow[];
  }

  /** Oldest first; the cursor is `encodeCursor([workspace.id])`. */
  async page(page: PageRequest): Promise<Page<WorkspaceRow>> {
    const cursor = page.after === null ? undefined : idCursor(page.after);
    const where = cursor === undefined ? {} : { id: { gt: cursor } };
    const rows = await asSystem(() => this.#table.findMany({ where, orderBy: { id: 'asc' }, take: page.first + 1 }));
    return toPage(rows as WorkspaceRow[], page.first);
  }

  get #table() {
    return this.database.prisma.workspace;
  }
}
