import { choice } from '../../../kernel/record.js';
import { newId, type WorkspaceId } from '../../../kernel/ids.js';
import { asColumn, type Database, type Prisma, type Transaction } from '../../../platform/database/index.js';
import { SubjectStore } from '../subject-store.js';

export type ProposalRow = Prisma.ProposalGetPayload<object>;

/** How far a proposal is. */
export const ProposalStatus = choice('ProposalStatus', 'How far a proposal is.', {
  OPEN: 'Waits for a person.',
  APPROVED: 'Production was moved to the candidate.',
  REJECTED: 'A person decided against it.',
  WITHDRAWN: 'What it rested on is gone: its rollout went back or was ended.',
});
export type ProposalStatus = keyof typeof ProposalStatus;

type NewProposal = Pick<
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
interface ProposalEnd {
  status: Exclude<ProposalStatus, 'OPEN'>;
  by: string;
  reason: string;
  aliasChangeId?: string | null;
}

/** All SQL of `proposal`. */
export class ProposalStore extends SubjectStore<'proposal'> {
  constructor(database: Database) {
    super(database, 'proposal');
  }

  async open({ gate, ...proposal }: NewProposal, tx: Transaction): Promise<ProposalRow> {
    return tx.proposal.create({ data: { ...proposal, id: newId(), status: 'OPEN', gate: asColumn(gate) } });
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
}
