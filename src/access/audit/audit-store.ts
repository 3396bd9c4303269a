import { newId, type Uuid, type WorkspaceId } from '../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../kernel/pagination.js';
import type { Json } from '../../kernel/stored-json.js';
import { asColumn, type Database } from '../../platform/database/index.js';
import type { AuditRow } from './audit.js';

export interface AuditFilter {
  who?: string | null;
  what?: readonly string[] | null;
  subject?: string | null;
  outcome?: string | null;
  from?: Date | null;
  to?: Date | null;
}

export type NewAuditEntry = Omit<AuditRow, 'id' | 'createdAt' | 'outcome' | 'subject' | 'before' | 'after'>;

/** All queries of the table `audit_entry`. Rows are added and completed, never changed otherwise and never removed. */
export class AuditStore {
  constructor(private readonly database: Database) {}

  async begin(entry: NewAuditEntry): Promise<Uuid> {
    const id = newId();
    await this.database.prisma.auditEntry.create({ data: { id, ...entry, input: asColumn(entry.input) } });
    return id;
  }

  async end(
    id: Uuid,
    { subject, before, after, outcome }: { subject: string | null; before: Json; after: Json; outcome: string },
  ): Promise<void> {
    await this.database.prisma.auditEntry.update({
      where: { id },
      data: { subject, before: asColumn(before), after: asColumn(after), outcome },
    });
  }

  async byId(workspaceId: WorkspaceId, id: string): Promise<AuditRow | null> {
    return (await this.database.prisma.auditEntry.findFirst({ where: { workspaceId, id } })) as AuditRow | null;
  }

  /** Newest first; the cursor is `encodeCursor([entry.id])`. */
  async page(workspaceId: WorkspaceId, filter: AuditFilter, page: PageRequest): Promise<Page<AuditRow>> {
    const before = page.after === null ? undefined : idCursor(page.after);
    const rows = await this.database.prisma.auditEntry.findMany({
      where: {
        workspaceId,
        ...(before === undefined ? {} : { id: { lt: before } }),
        ...(filter.who ? { who: { contains: filter.who } } : {}),
        ...(filter.what ? { what: { in: [...filter.what] } } : {}),
        ...(filter.subject ? { subject: filter.subject } : {}),
        ...(filter.outcome ? { outcome: filter.outcome } : {}),
        createdAt: { ...(filter.from ? { gte: filter.from } : {}), ...(filter.to ? { lt: filter.to } : {}) },
      },
      orderBy: { id: 'desc' },
      take: page.first + 1,
    });
    return toPage(rows as AuditRow[], page.first);
  }
}
