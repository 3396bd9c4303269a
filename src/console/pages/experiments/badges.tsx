import { Badge } from '@mantine/core';
import type { ExperimentInListFragment, ExperimentStatus } from '../../generated/operations';
import { words } from '../../parts/format';

const COLOURS: Record<ExperimentStatus, string> = {
  DRAFT: 'gray',
  RUNNING: 'blue',
  PAUSED: 'yellow',
  ENDED: 'green',
  STOPPED: 'red',
};

export const StatusBadge = ({ status }: { status: ExperimentStatus }) => (
  <Badge color={COLOURS[status]}>{words(status)}</Badge>
);

/** What an experiment said at its last look. */
export function VerdictBadge({ experiment }: { experiment: ExperimentInListFragment }) {
  const { verdict, winner, status } = experiment;
  if (status === 'DRAFT') return null;
  if (verdict === 'WINNER') return <Badge color="green">{winner} is better</Badge>;
  return verdict === 'NO_DIFFERENCE' ? (
    <Badge color="blue">No difference that matters</Badge>
  ) : (
    <Badge color="gray">Inconclusive</Badge>
  );
}
