import { Alert, SimpleGrid, Stack, Text } from '@mantine/core';
import { IconScale } from '@tabler/icons-react';
import { useCallback } from 'react';
import {
  ExperimentEventsDocument,
  ExperimentOpenedDocument,
  type ExperimentEventsSubscription,
  type ExperimentShownFragment,
} from '../../generated/operations';
import { count, dateTime } from '../../parts/format';
import { Decision, Unhealthy } from '../../parts/live-test';
import { Opened } from '../../parts/loaded';
import { Figure, Note, PageHeader, Section, To } from '../../parts/page';
import { useLook, useLookAtEvents } from '../../parts/use-look';
import { usePages } from '../../parts/use-pages';
import { Arms } from './arms';
import { StatusBadge, VerdictBadge } from './badges';
import { ExperimentOrders } from './experiment-orders';
import { Intervals } from './intervals';
import { shown, titleOf, unitOf } from './names';

/** Figures move between decisions, which the stream alone tells. */
const LOOK_MS = 3_000;

const VERDICT_COLOURS = { WINNER: 'green', NO_DIFFERENCE: 'blue', INCONCLUSIVE: 'gray' } as const;

function daysShown(days: number | null): string {
  if (days === null) return 'unknown';
  return days < 1 ? `${Math.ceil(days * 24)} h` : `${days.toFixed(1)} days`;
}

function Progress({ experiment }: { experiment: ExperimentShownFragment }) {
  const { progress, plannedSize, plannedDays, status, metrics } = experiment;
  const decisive = metrics.find(({ primary }) => primary)!;
  const { counted, daysLeft, conditionalPower, plan } = progress;
  const end =
    plannedSize !== null ? ` of ${count(plannedSize)}` : plannedDays !== null ? `, for ${plannedDays} days` : '';
  return (
    <>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }}>
        <Figure label={`Outcomes: ${titleOf(decisive)}`} value={`${count(counted)}${end}`} />
        <Figure
          label="Until its planned end"
          value={status === 'ENDED' || status === 'STOPPED' ? 'over' : daysShown(daysLeft)}
        />
        <Figure
          label="Least difference it is made to see"
          value={
            plan.leastEffect === null
              ? 'unknown'
              : `${shown(decisive, plan.leastEffect, true).replace('+', '')} ${unitOf(decisive)}`
          }
        />
        <Figure
          label="Chance to show the effect"
          value={conditionalPower === null ? 'unknown yet' : `${Math.round(100 * conditionalPower)} %`}
        />
      </SimpleGrid>
      <Note>{plan.sentence}</Note>
    </>
  );
}

/** What it says, whether that can be trusted, and what to do of it. */
function Conclusion({ experiment }: { experiment: ExperimentShownFragment }) {
  const { arms, before, conclusion, finishedAt } = experiment;
  if (before)
    return (
      <Alert color="blue" title="Every arm still answers as production">
        How units are is being learned first; then the arms differ.
      </Alert>
    );
  return (
    <Alert
      color={VERDICT_COLOURS[conclusion.verdict]}
      icon={<IconScale />}
      title={conclusion.final ? 'At the planned end' : finishedAt ? 'When it was ended' : 'So far'}
      data-testid="experiment-verdict"
    >
      <Text size="sm">{conclusion.sentence}</Text>
      {conclusion.suggestion && (
        <Text size="sm" mt={4}>
          {conclusion.suggestion}{' '}
          {conclusion.verdict === 'WINNER' && arms.some(({ adapter }) => adapter !== null) && (
            <To href="/delivery">To Delivery</To>
          )}
        </Text>
      )}
    </Alert>
  );
}

function OpenedExperiment({ experiment }: { experiment: ExperimentShownFragment }) {
  const { name, adapterName, health, createdBy, reason, createdAt, coverage, alpha } = experiment;
  return (
    <>
      <PageHeader
        title={name}
        back={['/experiments', 'All experiments']}
        actions={<ExperimentOrders experiment={experiment} />}
      >
        <StatusBadge status={experiment.status} /> <VerdictBadge experiment={experiment} /> {Math.round(100 * coverage)}{' '}
        % of {adapterName ? `the questions to ${adapterName}` : 'the questions that leave everything to Graft'} · made{' '}
        {dateTime(createdAt)} by {createdBy}: “{reason}”
      </PageHeader>
      <Stack>
        <Unhealthy health={health} color="red" says="Not to be trusted: " />
        <Conclusion experiment={experiment} />
        <Progress experiment={experiment} />
        <Arms experiment={experiment} />
        <Intervals experiment={experiment} />
        <Section title="What happened">
          <Stack gap="sm">
            {experiment.decisions.edges
              .map(({ node }) => node)
              .reverse()
              .map((decision) => (
                <Decision
                  key={decision.id}
                  testId="experiment-decision"
                  decision={decision}
                  when={`after ${count(decision.answers)} answers`}
                />
              ))}
          </Stack>
        </Section>
        <Note size="xs">
          Intervals hold at all times, so looking often is no error: a difference is found where there is none with a
          probability of at most {100 * alpha} % however often it is looked at, the planned end included.
        </Note>
      </Stack>
    </>
  );
}

/** An experiment: what it says, whether that can be trusted, and what a person can want of it. */
export function ExperimentView({ id }: { id: string }) {
  const pages = usePages(ExperimentOpenedDocument, { id }, ({ experiment }) => experiment?.decisions ?? null, true);
  const live = pages.data?.experiment?.finishedAt === null;
  const look = useLook([pages, pages.again], live ? LOOK_MS : null);
  const eventVariables = useCallback(
    (last?: ExperimentEventsSubscription) => ({ experimentId: id, after: last?.experimentEvents.id }),
    [id],
  );
  useLookAtEvents(ExperimentEventsDocument, live ? eventVariables : null, look);
  return (
    <Opened shown={pages} what="experiment" thing={({ experiment }) => experiment}>
      {(experiment) => (
        <OpenedExperiment
          experiment={{ ...experiment, decisions: { ...experiment.decisions, edges: [...pages.edges] } }}
        />
      )}
    </Opened>
  );
}
