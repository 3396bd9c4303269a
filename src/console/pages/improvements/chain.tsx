import { Badge, Group, Text, Timeline } from '@mantine/core';
import { IconDatabase, IconFlask, IconGavel, IconMessages, IconRocket, IconSchool } from '@tabler/icons-react';
import type { ImprovementShownFragment, ImprovementStage } from '../../generated/operations';
import { duration, plural, rowsOf, words } from '../../parts/format';
import { Note, To } from '../../parts/page';
import { adapterPath, datasetPath, proposalPath, rolloutPath, trainingPath } from '../../parts/paths';
import { ProposalBadge, RolloutBadge } from '../delivery/badges';
import { decided } from './decided';

const ORDER: readonly ImprovementStage[] = [
  'CURATING',
  'TRAINING',
  'PROVING',
  'GATE',
  'ROLLING_OUT',
  'PROPOSING',
  'ENDED',
];

/** The way from what people said to what answers: each step that was made leads to what it made. */
export function Chain({ improvement }: { improvement: ImprovementShownFragment }) {
  const { stage, outcome, cost, reason, trigger, adapter, datasetVersion, trainingRuns } = improvement;
  const { adapterVersion, rollout, proposal } = improvement;
  const placeholder = <Note>{outcome === null ? 'not yet' : 'none'}</Note>;
  return (
    <Timeline active={ORDER.indexOf(stage)} bulletSize={28} data-testid="improvement-chain">
      <Timeline.Item title="What people said" bullet={<IconMessages size={16} />}>
        <Text size="sm">
          {words(trigger)}: {reason}
        </Text>
        {cost.newRows > 0 && <Text size="sm">{plural(cost.newRows, 'new row')}</Text>}
      </Timeline.Item>
      <Timeline.Item title="A dataset version" bullet={<IconDatabase size={16} />}>
        {datasetVersion ? (
          <To href={datasetPath(datasetVersion.dataset.name)}>{rowsOf(datasetVersion)}</To>
        ) : (
          placeholder
        )}
      </Timeline.Item>
      <Timeline.Item title="A training" bullet={<IconSchool size={16} />}>
        <Group gap="xs">
          {trainingRuns.map(({ id, status }, index) => (
            <To key={id} href={trainingPath(id)}>
              {trainingRuns.length > 1 ? `try ${index + 1}` : 'the run'}, {words(status).toLowerCase()}
            </To>
          ))}
          {cost.trainingSeconds > 0 && <Note>{duration(1_000 * cost.trainingSeconds)}</Note>}
        </Group>
        {trainingRuns.length === 0 && placeholder}
      </Timeline.Item>
      <Timeline.Item title="A version, proven" bullet={<IconFlask size={16} />}>
        {adapterVersion && adapter ? (
          <To href={adapterPath(adapter.name)}>
            {adapter.name}, version {adapterVersion.version}
          </To>
        ) : (
          placeholder
        )}
      </Timeline.Item>
      <Timeline.Item title="A rollout" bullet={<IconRocket size={16} />}>
        {rollout ? (
          <Group gap="xs">
            <To href={rolloutPath(rollout.id)}>the rollout</To>
            <RolloutBadge status={rollout.status} awaits={rollout.awaitsApproval} />
          </Group>
        ) : (
          placeholder
        )}
      </Timeline.Item>
      <Timeline.Item title="A proposal" bullet={<IconGavel size={16} />}>
        {proposal ? (
          <Group gap="xs">
            <To href={proposalPath(proposal.id)}>the proposal</To>
            <ProposalBadge status={proposal.status} />
          </Group>
        ) : (
          placeholder
        )}
      </Timeline.Item>
    </Timeline>
  );
}

const COLOURS: Record<string, string> = {
  PROMOTED: 'green',
  PROPOSED: 'yellow',
  REFUSED: 'red',
  ROLLED_BACK: 'red',
  FAILED: 'red',
};

/** How it ended, or where it is; of what was proposed, what a person decided. */
export function OutcomeBadge({ improvement }: { improvement: ImprovementShownFragment }) {
  const { outcome, stage } = improvement;
  const status = decided(improvement);
  if (status !== null) return <ProposalBadge status={status} />;
  return <Badge color={outcome === null ? 'blue' : (COLOURS[outcome] ?? 'gray')}>{words(outcome ?? stage)}</Badge>;
}
