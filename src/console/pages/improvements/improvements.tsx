import { Alert, Badge, Group, Paper, Select, Stack, Text, Title } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { IconRefresh } from '@tabler/icons-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { useLocation } from 'wouter';
import {
  ImprovementOpenedDocument,
  ImprovementsShownDocument,
  StartImprovementDocument,
  type ImprovementShownFragment,
  type PolicyShownFragment,
} from '../../generated/operations';
import { useChoices } from '../../parts/choices';
import { LineForm, useOneKey, useSend, Why } from '../../parts/form';
import { dateTime, plural } from '../../parts/format';
import { Listed, Opened } from '../../parts/loaded';
import { EmptyState, Entry, Note, PageHeader, Strong } from '../../parts/page';
import { pageOf } from '../../parts/page-of';
import { improvementPath } from '../../parts/paths';
import { useLook } from '../../parts/use-look';
import { usePages } from '../../parts/use-pages';
import { Chain, OutcomeBadge } from './chain';

const LOOK_MS = 3_000;
const titleOf = ({ adapter, createdAt }: ImprovementShownFragment): string =>
  `${adapter?.name ?? 'A deleted adapter'}, ${dateTime(createdAt)}`;

/** A policy in a sentence. */
function Policy({ policy }: { policy: PolicyShownFragment }) {
  const { adapter, newRows, everyDays, onAlert, rollout, autoApprove, pausedReason, proposes } = policy;
  const begins = [
    newRows === null ? null : `${plural(newRows, 'new row')}`,
    onAlert ? 'an alert' : null,
    everyDays === null ? null : `${plural(everyDays, 'day')}`,
  ].filter((condition) => condition !== null);
  return (
    <Paper p="sm">
      <Group gap="xs">
        <Strong>{adapter?.name}</Strong>
        {pausedReason !== null && <Badge color="yellow">paused</Badge>}
      </Group>
      <Text size="sm">
        After {begins.join(' or ') || 'nothing by itself'};{' '}
        {rollout === null ? 'proposed at once' : `rolled out (${rollout.toLowerCase()})`},{' '}
        {autoApprove ? 'approved by itself' : 'a person approves'}.
      </Text>
      {pausedReason !== null && <Note>{pausedReason}</Note>}
      {proposes !== null && <Text size="sm">Begin an improvement? {proposes}</Text>}
    </Paper>
  );
}

function Start() {
  const [, go] = useLocation();
  const { adapters } = useChoices();
  const [adapter, setAdapter] = useState<string | null>(null);
  const [reason, setReason] = useInputState('');
  const idempotencyKey = useOneKey();
  const start = useSend(StartImprovementDocument, ({ startImprovement }) =>
    go(improvementPath(startImprovement.improvement.id)),
  );
  return (
    <Paper mb="lg">
      <LineForm
        sending={start}
        onSubmit={() => adapter !== null && start.send({ adapter, reason, idempotencyKey })}
        action="Improve it from feedback"
        waits="Starting…"
      >
        <Select
          label="Adapter"
          data={adapters.map(({ name }) => name)}
          value={adapter}
          onChange={setAdapter}
          required
        />
        <Why label="Why now" value={reason} onChange={setReason} />
      </LineForm>
    </Paper>
  );
}

function Policies({ policies }: { policies: readonly PolicyShownFragment[] }) {
  if (policies.length === 0) return null;
  return (
    <>
      <Title order={2} mb="sm">
        Policies
      </Title>
      <Stack gap="xs" mb="lg">
        {policies.map((policy) => (
          <Policy key={policy.id} policy={policy} />
        ))}
      </Stack>
    </>
  );
}

function Overview() {
  const pages = usePages(ImprovementsShownDocument, {}, ({ improvements }) => improvements);
  return (
    <>
      <PageHeader title="Improvements">
        What people say of answers becomes the next dataset version, a new version of the adapter, a rollout and a
        proposal.
      </PageHeader>
      <Start />
      <Policies policies={pages.data?.retrainingPolicies.edges.map(({ node }) => node) ?? []} />
      <Listed
        pages={pages}
        what="the improvements"
        more="Show older improvements"
        empty={
          <EmptyState icon={IconRefresh} title="Nothing was improved yet">
            Give feedback on an adapter’s answers, then begin above; or set a policy, which begins by itself.
          </EmptyState>
        }
      >
        {(improvement) => (
          <Entry
            href={improvementPath(improvement.id)}
            title={titleOf(improvement)}
            badge={<OutcomeBadge improvement={improvement} />}
          >
            {improvement.message || improvement.waitingFor || improvement.reason}
          </Entry>
        )}
      </Listed>
    </>
  );
}

function ImprovementView({ id }: { id: string }) {
  const result = useQuery({ query: ImprovementOpenedDocument, variables: { id } });
  const open = result[0].data?.improvement?.outcome === null;
  useLook(result, open ? LOOK_MS : null);
  return (
    <Opened shown={result} what="improvement" thing={({ improvement }) => improvement}>
      {(improvement) => (
        <>
          <PageHeader title={titleOf(improvement)} back={['/improvements', 'All improvements']}>
            <OutcomeBadge improvement={improvement} /> begun by {improvement.startedBy}
          </PageHeader>
          <Stack>
            {(improvement.message || improvement.waitingFor) && (
              <Alert color={improvement.outcome === null ? 'blue' : 'gray'}>
                {improvement.waitingFor ?? improvement.message}
              </Alert>
            )}
            <Paper>
              <Chain improvement={improvement} />
            </Paper>
          </Stack>
        </>
      )}
    </Opened>
  );
}

export default pageOf(Overview, { '/improvements/:id': ImprovementView });
