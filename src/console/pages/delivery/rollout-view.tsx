import { Alert, SimpleGrid, Stack, Stepper } from '@mantine/core';
import { useCallback } from 'react';
import {
  RolloutEventsDocument,
  RolloutOpenedDocument,
  type RolloutEventsSubscription,
  type RolloutOpenedQuery,
  type RolloutShownFragment,
} from '../../generated/operations';
import { count, dateTime } from '../../parts/format';
import { Unhealthy } from '../../parts/live-test';
import { Opened } from '../../parts/loaded';
import { Figure, Note, PageHeader, To } from '../../parts/page';
import { adapterPath, proposalPath, shadowPath } from '../../parts/paths';
import { useLook, useLookAtEvents } from '../../parts/use-look';
import { usePages } from '../../parts/use-pages';
import { RolloutBadge } from './badges';
import { WatchedFigures } from './guards';
import { Ramp } from './ramp';
import { RolloutOrders } from './rollout-orders';

/** Figures move between decisions, which the stream alone tells. */
const LOOK_MS = 2_000;

type Rollout = NonNullable<RolloutOpenedQuery['rollout']>;

function Steps({ rollout }: { rollout: RolloutShownFragment }) {
  const completedSteps = rollout.status === 'COMPLETED' ? rollout.steps.length : rollout.current;
  return (
    <Stepper active={completedSteps} size="sm" iconSize={28} allowNextStepsSelect={false}>
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
      <Unhealthy health={rollout.health} color="yellow" />
      <WatchedFigures rollout={rollout} />
      <Ramp rollout={rollout} />
    </Stack>
  );
}

function OpenedRollout({ rollout }: { rollout: Rollout }) {
  const { adapterName, candidateVersion, againstVersion, proposal } = rollout;
  return (
    <>
      <PageHeader
        title={`${adapterName}: version ${candidateVersion} beside ${againstVersion}`}
        back={['/delivery', 'All deliveries']}
        actions={<RolloutOrders rollout={rollout} />}
      >
        <RolloutBadge status={rollout.status} awaits={rollout.awaitsApproval} />{' '}
        <To href={adapterPath(adapterName)} underline="always">
          {adapterName}
        </To>{' '}
        · began {dateTime(rollout.createdAt)} by {rollout.startedBy}: “{rollout.reason}”
        {rollout.shadow && (
          <>
            {' · '}
            <To href={shadowPath(rollout.shadow.id)} underline="always">
              what it would have said, unseen
            </To>
          </>
        )}
      </PageHeader>
      <Stack>
        {proposal && (
          <Alert color={proposal.status === 'OPEN' ? 'yellow' : 'gray'} title="Its proposal">
            <To href={proposalPath(proposal.id)} c="inherit" underline="always">
              {proposal.status === 'OPEN' ? 'Look at the evidence and decide' : 'See what was decided'}
            </To>
          </Alert>
        )}
        <RolloutEvidence rollout={rollout} />
        <Note size="xs">Evidence may be read after every answer: looking often is no error.</Note>
      </Stack>
    </>
  );
}

/** A rollout: where it is, what it rests on, and what a person can want of it. */
export function RolloutView({ id }: { id: string }) {
  const pages = usePages(RolloutOpenedDocument, { id }, ({ rollout }) => rollout?.decisions ?? null, true);
  const live = pages.data?.rollout?.finishedAt === null;
  const look = useLook([pages, pages.again], live ? LOOK_MS : null);
  const eventVariables = useCallback(
    (last?: RolloutEventsSubscription) => ({ rolloutId: id, after: last?.rolloutEvents.id }),
    [id],
  );
  useLookAtEvents(RolloutEventsDocument, live ? eventVariables : null, look);
  return (
    <Opened shown={pages} what="rollout" thing={({ rollout }) => rollout}>
      {(rollout) => (
        <OpenedRollout rollout={{ ...rollout, decisions: { ...rollout.decisions, edges: [...pages.edges] } }} />
      )}
    </Opened>
  );
}
