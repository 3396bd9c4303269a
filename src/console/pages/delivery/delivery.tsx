import { Anchor, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { IconRocket } from '@tabler/icons-react';
import { Link, Route, Switch, useParams } from 'wouter';
import {
  ProposalsShownDocument,
  RolloutsShownDocument,
  type ProposalInListFragment,
  type ProposalsShownQuery,
  type RolloutInListFragment,
  type RolloutsShownQuery,
} from '../../generated/operations';
import { dateTime } from '../../parts/format';
import { ShowMore } from '../../parts/show-more';
import { EmptyState, ErrorState, Loading, PageHeader } from '../../parts/states';
import { usePages } from '../../parts/use-pages';
import { ProposalBadge, RolloutBadge } from './badges';
import { proposalPath, rolloutPath } from './paths';
import { ProposalView } from './proposal-view';
import { RolloutView } from './rollout-view';
import { ShadowSection } from './shadow-section';
import { ShadowView } from './shadow-view';
import { StartRollout } from './start-rollout';

function RolloutLine({ rollout }: { rollout: RolloutInListFragment }) {
  const { id, adapterName, candidateVersion, againstVersion, status, awaitsApproval, steps, current, createdAt } =
    rollout;
  const share = steps[Math.min(current, steps.length - 1)]?.share ?? 0;
  return (
    <Paper p="sm">
      <Group gap="xs">
        <Anchor component={Link} href={rolloutPath(id)} size="sm" fw={600}>
          {adapterName}: version {candidateVersion} beside {againstVersion}
        </Anchor>
        <RolloutBadge status={status} awaits={awaitsApproval} />
        <Text size="xs" c="dimmed">
          at {Math.round(share * 1000) / 10} % · {dateTime(createdAt)}
        </Text>
      </Group>
    </Paper>
  );
}

function ProposalLine({ proposal }: { proposal: ProposalInListFragment }) {
  const { id, adapterName, candidateVersion, status, createdAt, rationale } = proposal;
  return (
    <Paper p="sm">
      <Group gap="xs">
        <Anchor component={Link} href={proposalPath(id)} size="sm" fw={600}>
          {adapterName}: version {candidateVersion}
        </Anchor>
        <ProposalBadge status={status} />
        <Text size="xs" c="dimmed">
          {dateTime(createdAt)}
        </Text>
      </Group>
      <Text size="sm" c="dimmed">
        {rationale}
      </Text>
    </Paper>
  );
}

const rolloutsOf = (data: RolloutsShownQuery) => data.rollouts;
const proposalsOf = (data: ProposalsShownQuery) => data.proposals;

function Overview() {
  const rollouts = usePages({ query: RolloutsShownDocument, variables: {}, connectionOf: rolloutsOf });
  // Those that wait for somebody stand first, however many others are newer.
  const [waiting, proposals] = [
    usePages({ query: ProposalsShownDocument, variables: { status: 'OPEN' }, connectionOf: proposalsOf }),
    usePages({ query: ProposalsShownDocument, variables: {}, connectionOf: proposalsOf }),
  ];
  const lists = [rollouts, waiting, proposals];
  const failed = lists.find(({ data, error }) => error && !data);
  if (failed) return <ErrorState error={failed.error} onRetry={failed.again} />;
  if (lists.some(({ data }) => !data)) return <Loading label="Loading the deliveries" />;
  const settled = proposals.edges.filter(({ node }) => node.status !== 'OPEN');
  return (
    <>
      <PageHeader title="Delivery">
        A candidate answers ever more users beside a control. Shown worse, it goes back by itself. Else it is proposed
        with the loss that could have been seen, and a person decides.
      </PageHeader>
      <ShadowSection />
      <StartRollout />
      {rollouts.edges.length + proposals.edges.length === 0 && (
        <EmptyState icon={IconRocket} title="Nothing was delivered yet">
          A rollout begins with a candidate: a version that passed the gate.
        </EmptyState>
      )}
      {proposals.edges.length > 0 && (
        <>
          <Title order={2} mb="sm">
            Proposals
          </Title>
          <Stack gap="xs" mb="lg">
            {waiting.edges.map(({ node }) => (
              <ProposalLine key={node.id} proposal={node} />
            ))}
            <ShowMore pages={waiting} label="Show older proposals that wait" />
            {settled.map(({ node }) => (
              <ProposalLine key={node.id} proposal={node} />
            ))}
            <ShowMore pages={proposals} label="Show older proposals" />
          </Stack>
        </>
      )}
      {rollouts.edges.length > 0 && (
        <>
          <Title order={2} mb="sm">
            Rollouts
          </Title>
          <Stack gap="xs">
            {rollouts.edges.map(({ node }) => (
              <RolloutLine key={node.id} rollout={node} />
            ))}
            <ShowMore pages={rollouts} label="Show older rollouts" />
          </Stack>
        </>
      )}
    </>
  );
}

function OpenedRollout() {
  const { id } = useParams<{ id: string }>();
  return <RolloutView key={id} id={decodeURIComponent(id)} />;
}

function OpenedShadow() {
  const { id } = useParams<{ id: string }>();
  return <ShadowView key={id} id={decodeURIComponent(id)} />;
}

function OpenedProposal() {
  const { id } = useParams<{ id: string }>();
  return <ProposalView key={id} id={decodeURIComponent(id)} />;
}

export default function DeliveryPage() {
  return (
    <Switch>
      <Route path="/delivery/rollouts/:id" component={OpenedRollout} />
      <Route path="/delivery/proposals/:id" component={OpenedProposal} />
      <Route path="/delivery/shadows/:id" component={OpenedShadow} />
      <Route component={Overview} />
    </Switch>
  );
}
