import { Anchor, Group, Paper, SegmentedControl, Stack, Text } from '@mantine/core';
import { IconFlask } from '@tabler/icons-react';
import { Link, Route, Switch, useParams, useSearchParams } from 'wouter';
import {
  ExperimentsShownDocument,
  type ExperimentInListFragment,
  type ExperimentsShownQuery,
  type ExperimentStatus,
} from '../../generated/operations';
import { dateTime, plural } from '../../parts/format';
import { ShowMore } from '../../parts/show-more';
import { EmptyState, ErrorState, Loading, PageHeader } from '../../parts/states';
import { usePages } from '../../parts/use-pages';
import { StatusBadge, VerdictBadge } from './badges';
import { CreateExperiment } from './create-experiment';
import { ExperimentView } from './experiment-view';
import { experimentPath } from './paths';

const STATUSES: { value: ExperimentStatus | 'ALL'; label: string }[] = [
  { value: 'ALL', label: 'All' },
  { value: 'DRAFT', label: 'Planned' },
  { value: 'RUNNING', label: 'Running' },
  { value: 'PAUSED', label: 'Paused' },
  { value: 'ENDED', label: 'Ended' },
  { value: 'STOPPED', label: 'Given up' },
];

function ExperimentLine({ experiment }: { experiment: ExperimentInListFragment }) {
  const { id, name, arms, answersCounted, createdAt, adapterName } = experiment;
  return (
    <Paper p="sm">
      <Group gap="xs">
        <Anchor component={Link} href={experimentPath(id)} size="sm" fw={600}>
          {name}
        </Anchor>
        <StatusBadge status={experiment.status} />
        <VerdictBadge experiment={experiment} />
        <Text size="xs" c="dimmed">
          {arms.map((arm) => arm.name).join(' · ')} — {plural(answersCounted, 'answer')}
          {adapterName && ` of ${adapterName}`} — {dateTime(createdAt)}
        </Text>
      </Group>
    </Paper>
  );
}

const connectionOf = (data: ExperimentsShownQuery) => data.experiments;

function Overview() {
  const [params, setParams] = useSearchParams();
  const shown = STATUSES.find(({ value }) => value === params.get('status'))?.value ?? 'ALL';
  const status = shown === 'ALL' ? null : shown;
  const pages = usePages({ query: ExperimentsShownDocument, variables: { status }, connectionOf });
  const { data, edges, error, again } = pages;
  return (
    <>
      <PageHeader title="Experiments">
        Arms answer beside each other on the same traffic, until it is known which is better, or that none is. An
        experiment ships nothing by itself.
      </PageHeader>
      <CreateExperiment />
      <SegmentedControl
        aria-label="Status"
        mb="sm"
        style={{ maxWidth: '100%', overflowX: 'auto' }}
        data={STATUSES}
        value={shown}
        onChange={(value) =>
          setParams(
            (before) => {
              const next = new URLSearchParams(before);
              if (value === 'ALL') next.delete('status');
              else next.set('status', value);
              return next;
            },
            { replace: true },
          )
        }
      />
      {error && !data && <ErrorState error={error} onRetry={again} />}
      {!data && !error && <Loading label="Loading the experiments" />}
      {data && edges.length === 0 && (
        <EmptyState icon={IconFlask} title="No experiment here">
          “Is the new one really better, on our traffic?” is answered by a test of both beside each other.
        </EmptyState>
      )}
      <Stack gap="xs">
        {edges.map(({ node }) => (
          <ExperimentLine key={node.id} experiment={node} />
        ))}
        <ShowMore pages={pages} label="Show older experiments" />
      </Stack>
    </>
  );
}

function Opened() {
  const { id } = useParams<{ id: string }>();
  return <ExperimentView key={id} id={decodeURIComponent(id)} />;
}

export default function ExperimentsPage() {
  return (
    <Switch>
      <Route path="/experiments/:id" component={Opened} />
      <Route component={Overview} />
    </Switch>
  );
}
