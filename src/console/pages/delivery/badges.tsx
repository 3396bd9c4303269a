import { Badge } from '@mantine/core';
import type { ProposalStatus, RolloutStatus } from '../../generated/operations';
import { words } from '../../parts/format';

const ROLLOUT_COLOURS: Record<RolloutStatus, string> = {
  RUNNING: 'blue',
  PAUSED: 'yellow',
  ROLLED_BACK: 'red',
  COMPLETED: 'green',
  ABORTED: 'gray',
};
const PROPOSAL_COLOURS: Record<ProposalStatus, string> = {
  OPEN: 'yellow',
  APPROVED: 'green',
  REJECTED: 'red',
  WITHDRAWN: 'gray',
};

export const RolloutBadge = ({ status, awaits }: { status: RolloutStatus; awaits: boolean }) => (
  <Badge color={awaits ? 'yellow' : ROLLOUT_COLOURS[status]}>{awaits ? 'Waits for approval' : words(status)}</Badge>
);

export const ProposalBadge = ({ status }: { status: ProposalStatus }) => (
  <Badge color={PROPOSAL_COLOURS[status]}>{status === 'OPEN' ? 'Waits for a decision' : words(status)}</Badge>
);
