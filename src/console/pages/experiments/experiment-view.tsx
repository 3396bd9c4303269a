import { Alert, Anchor, Group, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconScale } from '@tabler/icons-react';
import { useCallback } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import {
  ExperimentFollowedDocument,
  ExperimentOpenedDocument,
  type ExperimentDecisionFieldsFragment,
  type ExperimentFollowedSubscription,
  type ExperimentShownFragment,
} from '../../generated/operations';
import { Figure } from '../../parts/figure';
import { count, dateTime, words } from '../../parts/format';
import { GatewayError } from '../../parts/gateway-error';
import { ErrorState, Loading, PageHeader } from '../../parts/states';
import { useLook, useLookAtEvents } from '../../parts/use-look';
import { Arms } from './arms';
import { StatusBadge, VerdictBadge } from './badges';
import { Intervals } from './intervals';
import { METRIC_NAMES, shown, unitOf } from './names';
import { ExperimentOrders } from './experiment-orders';

/** Figures move between decisions, which the stream alone tells. */
const LOOK_MS = 3_000;

const VERDICT_COLOURS = { WINNER: 'green', NO_DIFFERENCE: 'blue', INCONCLUSIVE: 'gray' } as const;

function daysShown(days: number | null): string {
  if (days === null) return 'unknown';
  return days < 1 ? `${Math.ceil(days * 24)} h` : `${days.toFixed(1)} days`;
}

function Progress({ experiment }: { experiment: ExperimentShownFragment }) {
  const { progress, plannedSize, plannedDays, status } = experiment;
  const { counted, daysLeft, conditionalPower, plan } = progress;
  const end =
    plannedSize !== null ? ` of ${count(plannedSize)}` : plannedDays !== null ? `, for ${plannedDays} days` : '';
  return (
    <>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }}>
        <Figure label={`Outcomes: ${METRIC_NAMES[plan.metric]}`} value={`${count(counted)}${end}`} />
        <Figure
          label="Until its planned end"
          value={status === 'ENDED' || status === 'STOPPED' ? 'over' : daysShown(daysLeft)}
        />
        <Figure
          label="Least difference it is made to see"
          value={
            plan.leastEffect === null
              ? 'unknown'
              : `${shown(plan.metric, plan.leastEffect, true).replace('+', '')} ${unitOf(plan.metric)}`
          }
        />
        <Figure
          label="Chance to show the effect"
          value={conditionalPower === null ? 'unknown yet' : `${Math.round(100 * conditionalPower)} %`}
        />
      </SimpleGrid>
      <Text size="sm" c="dimmed">
        {plan.sentence}
      </Text>
    </>
  );
}

function Decision({ decision }: { decision: ExperimentDecisionFieldsFragment }) {
  const { action, reasons, answers, decidedBy, reason, decidedAt } = decision;
  return (
    <Stack gap={2} data-testid="experiment-decision">
      <Group gap="xs">
        <Text fw={600} size="sm">
          {words(action)}
        </Text>
        <Text size="xs" c="dimmed">
          after {count(answers)} answers · {dateTime(decidedAt)} · {decidedBy ?? 'by itself'}
        </Text>
      </Group>
      {reasons.map((each) => (
        <Text key={each} size="sm">
          {each}
        </Text>
      ))}
      {reason && (
        <Text size="sm" c="dimmed">
          “{reason}”
        </Text>
      )}
    </Stack>
  );
}

/** An experiment: what it says, whether that can be trusted, and what a person can want of it. */
export function ExperimentView({ id }: { id: string }) {
  const shown = useQuery({ query: ExperimentOpenedDocument, variables: { id } });
  const [{ data, error }, again] = shown;
  const experiment = data?.experiment ?? null;
  const live = experiment !== null && experiment.finishedAt === null;
  const look = useLook(shown, live ? LOOK_MS : null);
  const after = useCallback(
    (last?: ExperimentFollowedSubscription) => ({ experimentId: id, after: last?.experimentEvents.id }),
    [id],
  );
  useLookAtEvents(ExperimentFollowedDocument, live ? after : null, look);
  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (!data) return <Loading label="Loading the experiment" />;
  if (experiment === null) return <ErrorState error={new GatewayError('NOT_FOUND', 'There is no such experiment.')} />;
  const { name, adapterName, conclusion, health, before, createdBy, reason, createdAt, coverage, alpha } = experiment;
  return (
    <>
      <Anchor component={Link} href="/experiments" size="sm">
        ← All experiments
      </Anchor>
      <PageHeader title={name} actions={<ExperimentOrders experiment={experiment} />}>
        <StatusBadge status={experiment.status} /> <VerdictBadge experiment={experiment} /> {Math.round(100 * coverage)}{' '}
        % of {adapterName ? `the questions to ${adapterName}` : 'the questions that leave everything to Graft'} · made{' '}
        {dateTime(createdAt)} by {createdBy}: “{reason}”
      </PageHeader>
      <Stack>
        {health
          .filter(({ healthy }) => !healthy)
          .map((each) => (
            <Alert key={each.name} color="red" icon={<IconAlertTriangle />} title={`Not to be trusted: ${each.name}`}>
              {each.message}
            </Alert>
          ))}
        {before ? (
          <Alert color="blue" title="Every arm still answers as production">
            How units are is being learned first; then the arms differ.
          </Alert>
        ) : (
          <Alert
            color={VERDICT_COLOURS[conclusion.verdict]}
            icon={<IconScale />}
            title={conclusion.final ? 'At the planned end' : experiment.finishedAt ? 'When it was ended' : 'So far'}
            data-testid="experiment-verdict"
          >
            <Text size="sm">{conclusion.sentence}</Text>
            {conclusion.suggestion && (
              <Text size="sm" mt={4}>
                {conclusion.suggestion}{' '}
                {conclusion.verdict === 'WINNER' && experiment.arms.some(({ adapter }) => adapter !== null) && (
                  <Anchor component={Link} href="/delivery" size="sm">
                    To Delivery
                  </Anchor>
                )}
              </Text>
            )}
          </Alert>
        )}
        <Progress experiment={experiment} />
        <Arms experiment={experiment} />
        <Intervals experiment={experiment} />
        <Paper>
          <Title order={2} size="h3" mb="xs">
            What happened
          </Title>
          <Stack gap="sm">
            {experiment.decisions.edges
              .map(({ node }) => node)
              .reverse()
              .map((decision) => (
                <Decision key={decision.id} decision={decision} />
              ))}
          </Stack>
        </Paper>
        <Text size="xs" c="dimmed">
          Intervals hold at all times, so looking often is no error: a difference is found where there is none with a
          probability of at most {100 * alpha} % however often it is looked at, the planned end included.
        </Text>
      </Stack>
    </>
  );
}
