import { Alert, Anchor, SimpleGrid, Stack, Stepper, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useCallback } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import {
  RolloutFollowedDocument,
  RolloutOpenedDocument,
  type RolloutFollowedSubscription,
  type RolloutShownFragment,
} from '../../generated/operations';
import { Figure } from '../../parts/figure';
import { count, dateTime } from '../../parts/format';
import { GatewayError } from '../../parts/gateway-error';
import { ErrorState, Loading, PageHeader } from '../../parts/states';
import { useLook, useLookAtEvents } from '../../parts/use-look';
import { adapterPath } from '../adapters/paths';
import { RolloutBadge } from './badges';
import { WatchedFigures } from './guards';
import { RolloutOrders } from './rollout-orders';
import { proposalPath, shadowPath } from './paths';
import { Ramp } from './ramp';

/** Figures move between decisions, which the stream alone tells. */
const LOOK_MS = 2_000;

function Steps({ rollout }: { rollout: RolloutShownFragment }) {
  const done = rollout.status === 'COMPLETED' ? rollout.steps.length : rollout.current;
  return (
    <Stepper active={done} size="sm" iconSize={28} allowNextStepsSelect={false}>
      {rollout.steps.map(({ share, leastAnswers, approval }) => (
        <Stepper.Step
          key={share}
          label={`${Math.round(share * 1000) / 10} %`}
          description={approval ? 'then approval' : `${count(leastAnswers)} answers`}
        />
      ))}
    </Stepper>
  );
}

/** All that there is to see of a rollout; `proposal` pages show it, too. */
export function RolloutEvidence({ rollout }: { rollout: RolloutShownFragment }) {
  return (
    <Stack>
      <Steps rollout={rollout} />
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <Figure label="Answers of the candidate in this step" value={count(rollout.candidateAnswers)} />
        <Figure label="Answers of controls beside it" value={count(rollout.controlAnswers)} />
        <Figure label="Chance to roll back an equal candidate" value={`${100 * rollout.alpha} %`} />
      </SimpleGrid>
      {rollout.health
        .filter(({ healthy }) => !healthy)
        .map(({ name, message }) => (
          <Alert key={name} color="yellow" icon={<IconAlertTriangle />} title={name}>
            {message}
          </Alert>
        ))}
      <WatchedFigures rollout={rollout} />
      <Ramp rollout={rollout} />
    </Stack>
  );
}

/** A rollout: where it is, what it rests on, and what a person can want of it. */
export function RolloutView({ id }: { id: string }) {
  const shown = useQuery({ query: RolloutOpenedDocument, variables: { id } });
  const [{ data, error }, again] = shown;
  const rollout = data?.rollout ?? null;
  const live = rollout !== null && rollout.finishedAt === null;
  const look = useLook(shown, live ? LOOK_MS : null);
  const after = useCallback(
    (last?: RolloutFollowedSubscription) => ({ rolloutId: id, after: last?.rolloutEvents.id }),
    [id],
  );
  useLookAtEvents(RolloutFollowedDocument, live ? after : null, look);
  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (!data) return <Loading label="Loading the rollout" />;
  if (rollout === null) return <ErrorState error={new GatewayError('NOT_FOUND', 'There is no such rollout.')} />;
  const { adapterName, candidateVersion, againstVersion, proposal } = rollout;
  return (
    <>
      <Anchor component={Link} href="/delivery" size="sm">
        ← All deliveries
      </Anchor>
      <PageHeader
        title={`${adapterName}: version ${candidateVersion} beside ${againstVersion}`}
        actions={<RolloutOrders rollout={rollout} />}
      >
        <RolloutBadge status={rollout.status} awaits={rollout.awaitsApproval} />{' '}
        <Anchor component={Link} href={adapterPath(adapterName)} size="sm" underline="always">
          {adapterName}
        </Anchor>{' '}
        · began {dateTime(rollout.createdAt)} by {rollout.startedBy}: “{rollout.reason}”
        {rollout.shadow && (
          <>
            {' · '}
            <Anchor component={Link} href={shadowPath(rollout.shadow.id)} size="sm" underline="always">
              what it would have said, unseen
            </Anchor>
          </>
        )}
      </PageHeader>
      <Stack>
        {proposal && (
          <Alert color={proposal.status === 'OPEN' ? 'yellow' : 'gray'} title="Its proposal">
            <Anchor component={Link} href={proposalPath(proposal.id)} c="inherit" underline="always">
              {proposal.status === 'OPEN' ? 'Look at the evidence and decide' : 'See what was decided'}
            </Anchor>
          </Alert>
        )}
        <RolloutEvidence rollout={rollout} />
        <Text size="xs" c="dimmed">
          Evidence may be read after every answer: looking often is no error.
        </Text>
      </Stack>
    </>
  );
}
