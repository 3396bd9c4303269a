import { notFound } from '../../kernel/errors.js';
import { enumeration } from '../../kernel/enumeration.js';
import { isUuid, newId, type WorkspaceId } from '../../kernel/ids.js';
import { idCursor, toPage, type Page, type PageRequest } from '../../kernel/pagination.js';
import { asColumn, type Database, type Prisma, type Transaction } from '../../platform/database/index.js';

export type ProposalRow = Prisma.ProposalGetPayload<object>;

/** How far a proposal is. */
export const ProposalStatus = enumeration('OPEN', 'APPROVED', 'REJECTED', 'WITHDRAWN');
export type ProposalStatus = keyof typeof ProposalStatus;

export type NewProposal = Pick<
  ProposalRow,
  | 'workspaceId'
  | 'adapterId'
  | 'adapter'
  | 'candidateId'
  | 'candidateVersion'
  | 'replacesId'
  | 'replacesVersion'
  | 'rolloutId'
  | 'experimentId'
  | 'proposedBy'
  | 'rationale'
> & { gate: Parameters<typeof asColumn>[0] };

/** How a proposal ended. */
export interface ProposalEnd {
  status: Exclude<ProposalStatus, 'OPEN'>;
  by: string;
  reason: string;
  aliasChangeId?: string | null;
}

/** All SQL of `proposal`. */
export class ProposalStore {
  constructor(private readonly database: Database) {}

  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.prisma.$transaction(work);
  }

  async open({ gate, ...proposal }: NewProposal, tx: Transaction): Promise<ProposalRow> {
    return tx.proposal.create({ data: { ...proposal, id: newId(), status: 'OPEN', gate: asColumn(gate) } });
  }

  /** @throws NOT_FOUND */
  async lock(workspaceId: WorkspaceId, id: string, tx: Transaction): Promise<ProposalRow> {
    if (!isUuid(id)) throw notFound('The proposal', id, 'input.proposal');
    await tx.$executeRaw`SELECT 1 FROM proposal WHERE id = ${id}::uuid AND workspace_id = ${workspaceId}::uuid FOR UPDATE`;
    const row = await tx.proposal.findFirst({ where: { id, workspaceId } });
    if (!row) throw notFound('The proposal', id, 'input.proposal');
    return row;
  }

  async openOfRollout(rolloutId: string, tx?: Transaction): Promise<ProposalRow | null> {
    return (tx ?? this.database.prisma).proposal.findFirst({ where: { rolloutId, status: 'OPEN' } });
  }

  /** @returns the proposal as it ended, or null where it had ended before */
  async end(
    id: string,
    { status, by, reason, aliasChangeId }: ProposalEnd,
    tx: Transaction,
  ): Promise<ProposalRow | null> {
    const [row] = await tx.proposal.updateManyAndReturn({
      where: { id, status: 'OPEN' },
      data: { status, decidedBy: by, reason, decidedAt: new Date(), aliasChangeId: aliasChangeId ?? null },
    });
    return row ?? null;
  }

  async byIds(workspaceId: WorkspaceId, ids: readonly string[]): Promise<ProposalRow[]> {
    return this.database.prisma.proposal.findMany({ where: { workspaceId, id: { in: ids.filter(isUuid) } } });
  }

  /** The newest of each rollout. */
  async ofRollouts(workspaceId: WorkspaceId, rolloutIds: readonly string[]): Promise<ProposalRow[]> {
    return this.database.prisma.proposal.findMany({
      where: { workspaceId, rolloutId: { in: [...rolloutIds] } },
      orderBy: { id: 'desc' },
    });
  }

  /** Those of each version, the newest first. */
  async ofCandidates(workspaceId: WorkspaceId, versionIds: readonly string[]): Promise<ProposalRow[]> {
    return this.database.prisma.proposal.findMany({
      where: { workspaceId, candidateId: { in: [...versionIds] } },
      orderBy: { id: 'desc' },
    });
  }

  /** Newest first; the cursor is `encodeCursor([proposal.id])`. */
  async list(
    workspaceId: WorkspaceId,
    filter: { status: ProposalStatus | null; adapter: string | null },
    page: PageRequest,
  ): Promise<Page<ProposalRow>> {
    const before = page.after === null ? undefined : idCursor(page.after);
    const rows = await this.database.prisma.proposal.findMany({
      where: {
        workspaceId,
        ...(filter.status === null ? {} : { status: filter.status }),
        ...(filter.adapter === null ? {} : { adapter: filter.adapter }),
        ...(before === undefined ? {} : { id: { lt: before } }),
      },
      orderBy: { id: 'desc' },
      take: page.first + 1,
    });
    return toPage(rows, page.first);
  }
}
