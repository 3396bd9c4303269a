import { newId, type Uuid, type WorkspaceId } from '../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../kernel/pagination.js';
import { mapNameTaken, type Database } from '../../platform/database/index.js';

export interface WorkspaceRow {
  id: WorkspaceId;
  name: string;
  createdAt: Date;
}

/** All queries of the table `workspace`. */
export class WorkspaceStore {
  constructor(private readonly database: Database) {}

  /** @throws ALREADY_EXISTS */
  async create(name: string): Promise<WorkspaceRow> {
    try {
      const id: Uuid = newId();
      return (await this.database.prisma.workspace.create({ data: { id, name } })) as WorkspaceRow;
    } catch (error) {
      throw mapNameTaken(error, 'A workspace', name);
    }
  }

  async remove(id: WorkspaceId): Promise<void> {
    await this.database.prisma.workspace.delete({ where: { id } });
  }

  async byIds(ids: readonly string[]): Promise<WorkspaceRow[]> {
    return (await this.database.prisma.workspace.findMany({ where: { id: { in: [...ids] } } })) as WorkspaceRow[];
  }

  async byName(name: string): Promise<WorkspaceRow | null> {
    return (await this.database.prisma.workspace.findUnique({ where: { name } })) as WorkspaceRow | null;
  }

  async all(): Promise<WorkspaceRow[]> {
    return (await this.database.prisma.workspace.findMany({ orderBy: { id: 'asc' } })) as WorkspaceRow[];
  }

  /** Oldest first; the cursor is `encodeCursor([workspace.id])`. */
  async page(page: PageRequest): Promise<Page<WorkspaceRow>> {
    const after = page.after === null ? undefined : idCursor(page.after);
    const rows = await this.database.prisma.workspace.findMany({
      ...(after === undefined ? {} : { where: { id: { gt: after } } }),
      orderBy: { id: 'asc' },
      take: page.first + 1,
    });
    return toPage(rows as WorkspaceRow[], page.first);
  }
}
