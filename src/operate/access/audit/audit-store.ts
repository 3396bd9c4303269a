import { newId, type Uuid, type WorkspaceId } from '../../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../../kernel/pagination.js';
import type { Json } from '../../../kernel/stored-json.js';
import { asColumn, type Database } from '../../../platform/database/index.js';
import { storedSummary, type AuditRow } from './audit.js';

export interface AuditFilter {
  who?: string | null;
  what?: readonly string[] | null;
  subject?: string | null;
  outcome?: string | null;
  from?: Date | null;
  to?: Date | null;
}

type NewAuditEntry = Omit<AuditRow, 'id' | 'createdAt' | 'outcome' | 'subject' | 'before' | 'after'>;

const DELETED_AT_ONCE = 10_000;

const stored = (value: Json | null) => asColumn(value === null ? null : storedSummary.encode(value));
const read = (value: Json | null): Json | null => (value === null ? null : storedSummary.decode(value));

const asRow = (row: AuditRow): AuditRow => ({
  ...row,
  input: storedSummary.decode(row.input),
  before: read(row.before),
  after: read(row.after),
});

/** All queries of the table `audit_entry`. Rows are added and completed, and removed by age alone. */
export class AuditStore {
  constructor(private readonly database: Database) {}

  async begin(entry: NewAuditEntry): Promise<Uuid> {
    const id = newId();
    await this.database.prisma.auditEntry.create({
      data: { id, ...entry, input: asColumn(storedSummary.encode(entry.input)) },
    });
    return id;
  }

  async end(
    id: Uuid,
    {
      subject,
      before,
      after,
      outcome,
    }: { subject: string | null; before: Json | null; after: Json | null; outcome: string },
  ): Promise<void> {
    await this.database.prisma.auditEntry.update({
      where: { id },
      data: { subject, before: stored(before), after: stored(after), outcome },
    });
  }

  async byId(workspaceId: WorkspaceId, id: string): Promise<AuditRow | null> {
    const row = (await this.database.prisma.auditEntry.findFirst({ where: { workspaceId, id } })) as AuditRow | null;
    return row && asRow(row);
  }

  /** Newest first; the cursor is `encodeCursor([entry.id])`. */
  async page(workspaceId: WorkspaceId, filter: AuditFilter, page: PageRequest): Promise<Page<AuditRow>> {
    const cursor = page.after === null ? undefined : idCursor(page.after);
    const rows = await this.database.prisma.auditEntry.findMany({
      where: {
        workspaceId,
        ...(cursor === undefined ? {} : { id: { lt: cursor } }),
        ...(filter.who ? { who: { contains: filter.who } } : {}),
        ...(filter.what ? { what: { in: [...filter.what] } } : {}),
        ...(filter.subject ? { subject: filter.subject } : {}),
        ...(filter.outcome ? { outcome: filter.outcome } : {}),
        createdAt: { ...(filter.from ? { gte: filter.from } : {}), ...(filter.to ? { lt: filter.to } : {}) },
      },
      orderBy: { id: 'desc' },
      take: page.first + 1,
    });
    return toPage((rows as AuditRow[]).map(asRow), page.first);
  }

  /** Removes what is older, by the database's clock, of every workspace. @param days 0: none is too old @returns how many entries went */
  async removeOlderThan(days: number): Promise<number> {
    if (days === 0) return 0;
    for (let removed = 0; ;) {
      const deletedRows = await this.database.prisma.$executeRaw`
        DELETE FROM audit_entry WHERE id IN (
          SELECT id FROM audit_entry WHERE created_at < now() - make_interval(days => ${days}) LIMIT ${DELETED_AT_ONCE})`;
      removed += deletedRows;
      if (deletedRows < DELETED_AT_ONCE) return removed;
    }
  }
}
