import { Stack, Title } from '@mantine/core';
import { IconRocket } from '@tabler/icons-react';
import {
  ProposalsShownDocument,
  RolloutsShownDocument,
  type ProposalInListFragment,
  type RolloutInListFragment,
} from '../../generated/operations';
import { dateTime } from '../../parts/format';
import { ShowMore } from '../../parts/loaded';
import { EmptyState, Entry, ErrorState, Loading, PageHeader } from '../../parts/page';
import { pageOf } from '../../parts/page-of';
import { proposalPath, rolloutPath } from '../../parts/paths';
import { usePages } from '../../parts/use-pages';
import { ProposalBadge, RolloutBadge } from './badges';
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
    <Entry
      href={rolloutPath(id)}
      title={`${adapterName}: version ${candidateVersion} beside ${againstVersion}`}
      badge={<RolloutBadge status={status} awaits={awaitsApproval} />}
      when={`at ${Math.round(share * 1000) / 10} % · ${dateTime(createdAt)}`}
    />
  );
}

function ProposalLine({ proposal }: { proposal: ProposalInListFragment }) {
  const { id, adapterName, candidateVersion, status, createdAt, rationale } = proposal;
  return (
    <Entry
      href={proposalPath(id)}
      title={`${adapterName}: version ${candidateVersion}`}
      badge={<ProposalBadge status={status} />}
      when={dateTime(createdAt)}
    >
      {rationale}
    </Entry>
  );
}

function Overview() {
  const rollouts = usePages(RolloutsShownDocument, {}, (data) => data.rollouts);
  // Those that wait for somebody stand first, however many others are newer.
  const [waiting, proposals] = [
    usePages(ProposalsShownDocument, { status: 'OPEN' }, (data) => data.proposals),
    usePages(ProposalsShownDocument, {}, (data) => data.proposals),
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

export default pageOf(Overview, {
  '/delivery/rollouts/:id': RolloutView,
  '/delivery/proposals/:id': ProposalView,
  '/delivery/shadows/:id': ShadowView,
});
