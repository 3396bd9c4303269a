import type { ValueOf } from '../../kernel/stored-json.js';
import { isUuid, newId, type WorkspaceId } from '../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../kernel/pagination.js';
import { asColumn, type Database, type Prisma, type Transaction } from '../../platform/database/index.js';
import { storedRouterEvidence, type RouterProposalStatus } from './router-learning.js';

export type RouterEvidence = ValueOf<typeof storedRouterEvidence>;

export type RouterProposalRecord = Omit<Prisma.RouterProposalGetPayload<object>, 'evidence' | 'status'> & {
  evidence: RouterEvidence;
  status: RouterProposalStatus;
};

const asRecord = (row: Prisma.RouterProposalGetPayload<object>): RouterProposalRecord => ({
  ...row,
  status: row.status as RouterProposalStatus,
  evidence: storedRouterEvidence.decode(row.evidence),
});

/** All SQL of `router_proposal`. */
export class RouterProposalStore {
  constructor(private readonly database: Database) {}

  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.prisma.$transaction(work);
  }

  /** Opens one in place of the one that is open, which it withdraws. @returns its id */
  async open(
    tx: Transaction,
    workspaceId: WorkspaceId,
    { routerVersion, evidence }: { routerVersion: number; evidence: RouterEvidence },
  ): Promise<string> {
    await tx.routerProposal.updateMany({
      where: { workspaceId, status: 'OPEN' },
      data: { status: 'WITHDRAWN', reason: 'A later one took its place.', decidedAt: new Date() },
    });
    const id = newId();
    const kept = asColumn(storedRouterEvidence.encode(evidence));
    await tx.routerProposal.create({ data: { id, workspaceId, routerVersion, status: 'OPEN', evidence: kept } });
    return id;
  }

  /** Until the transaction ends, nobody else decides it; null where there is none. */
  async lock(tx: Transaction, workspaceId: WorkspaceId, id: string): Promise<RouterProposalRecord | null> {
    if (!isUuid(id)) return null;
    await tx.$executeRaw`SELECT 1 FROM router_proposal WHERE id = ${id}::uuid AND workspace_id = ${workspaceId}::uuid FOR UPDATE`;
    const row = await tx.routerProposal.findFirst({ where: { id, workspaceId } });
    return row && asRecord(row);
  }

  async end(
    tx: Transaction,
    id: string,
    end: { status: Exclude<RouterProposalStatus, 'OPEN'>; decidedBy: string; reason: string },
  ): Promise<RouterProposalRecord> {
    return asRecord(await tx.routerProposal.update({ where: { id }, data: { ...end, decidedAt: new Date() } }));
  }

  async byIds(workspaceId: WorkspaceId, ids: readonly string[]): Promise<RouterProposalRecord[]> {
    const rows = await this.database.prisma.routerProposal.findMany({
      where: { workspaceId, id: { in: ids.filter(isUuid) } },
    });
    return rows.map(asRecord);
  }

  /** Newest first; the cursor is `encodeCursor([proposal.id])`. */
  async list(workspaceId: WorkspaceId, page: PageRequest): Promise<Page<RouterProposalRecord>> {
    const after = page.after === null ? {} : { id: { lt: idCursor(page.after) } };
    const rows = await this.database.prisma.routerProposal.findMany({
      where: { workspaceId, ...after },
      orderBy: { id: 'desc' },
      take: page.first + 1,
    });
    return toPage(rows.map(asRecord), page.first);
  }
}
