import type { ImprovementOutcome, ProposalStatus } from '../../generated/operations.js';

/** What became of what an improvement proposed; null where it proposed nothing, or nobody has decided yet. */
export const decided = (improvement: {
  outcome: ImprovementOutcome | null;
  proposal: { status: ProposalStatus } | null;
}): ProposalStatus | null => {
  const { outcome, proposal } = improvement;
  return outcome === 'PROPOSED' && proposal && proposal.status !== 'OPEN' ? proposal.status : null;
};
