import { Alert, Anchor, Badge, Group, Paper, Select, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useMutation, useQuery } from 'urql';
import { Link, Route, Switch, useLocation, useParams } from 'wouter';
import {
  ImprovementOpenedDocument,
  ImprovementsShownDocument,
  StartImprovementInConsoleDocument,
  type ImprovementShownFragment,
  type ImprovementsShownQuery,
  type PolicyShownFragment,
} from '../../generated/operations';
import { dateTime, plural } from '../../parts/format';
import { GatewayError } from '../../parts/gateway-error';
import { ShowMore } from '../../parts/show-more';
import { EmptyState, ErrorState, Loading, PageHeader } from '../../parts/states';
import { useLook } from '../../parts/use-look';
import { usePages } from '../../parts/use-pages';
import { WaitingButton } from '../../parts/waiting-button';
import { Chain, OutcomeBadge } from './chain';

const LOOK_MS = 3_000;
const pathOf = (id: string): string => `/improvements/${encodeURIComponent(id)}`;
const titleOf = ({ adapter, createdAt }: ImprovementShownFragment): string =>
  `${adapter?.name ?? 'A deleted adapter'}, ${dateTime(createdAt)}`;

/** A policy in a sentence. */
function Policy({ policy }: { policy: PolicyShownFragment }) {
  const { adapter, newRows, everyDays, onAlert, rollout, autoApprove, pausedReason, proposes } = policy;
  const begins = [
    newRows === null ? null : `${plural(newRows, 'new row')}`,
    onAlert ? 'an alert' : null,
    everyDays === null ? null : `${plural(everyDays, 'day')}`,
  ].filter((each) => each !== null);
  return (
    <Paper p="sm">
      <Group gap="xs">
        <Text fw={600} size="sm">
          {adapter?.name}
        </Text>
        {pausedReason !== null && <Badge color="yellow">paused</Badge>}
      </Group>
      <Text size="sm">
        After {begins.join(' or ') || 'nothing by itself'};{' '}
        {rollout === null ? 'proposed at once' : `rolled out (${rollout.toLowerCase()})`},{' '}
        {autoApprove ? 'approved by itself' : 'a person approves'}.
      </Text>
      {pausedReason !== null && (
        <Text size="sm" c="dimmed">
          {pausedReason}
        </Text>
      )}
      {proposes !== null && <Text size="sm">Begin an improvement? {proposes}</Text>}
    </Paper>
  );
}

function Start({ adapters }: { adapters: string[] }) {
  const [, go] = useLocation();
  const [adapter, setAdapter] = useState<string | null>(null);
  const [reason, setReason] = useState('');
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [{ error, fetching }, start] = useMutation(StartImprovementInConsoleDocument);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (adapter === null) return;
    const { data } = await start({ input: { adapter, reason, idempotencyKey } });
    if (data) go(pathOf(data.startImprovement.improvement.id));
  };
  return (
    <Paper mb="lg">
      <form onSubmit={(event) => void submit(event)}>
        <Group align="flex-end">
          <Select label="Adapter" data={adapters} value={adapter} onChange={setAdapter} required />
          <TextInput
            label="Why now"
            required
            maxLength={1_000}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          <WaitingButton type="submit" waits={fetching ? 'Starting…' : null}>
            Improve it from feedback
          </WaitingButton>
        </Group>
        {error && <ErrorState error={error} />}
      </form>
    </Paper>
  );
}

const connectionOf = (data: ImprovementsShownQuery) => data.improvements;

function Overview() {
  const pages = usePages({ query: ImprovementsShownDocument, variables: {}, connectionOf });
  const { data, edges, error, again } = pages;
  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (!data) return <Loading label="Loading the improvements" />;
  const policies = data.retrainingPolicies.edges.map(({ node }) => node);
  return (
    <>
      <PageHeader title="Improvements">
        What people say of answers becomes the next dataset version, a new version of the adapter, a rollout and a
        proposal.
      </PageHeader>
      <Start adapters={data.adapters.edges.map(({ node }) => node.name)} />
      {policies.length > 0 && (
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
      )}
      {edges.length === 0 ? (
        <EmptyState icon={IconRefresh} title="Nothing was improved yet">
          Give feedback on an adapter’s answers, then begin above; or set a policy, which begins by itself.
        </EmptyState>
      ) : (
        <Stack gap="xs">
          {edges.map(({ node: improvement }) => (
            <Paper key={improvement.id} p="sm">
              <Group gap="xs">
                <Anchor component={Link} href={pathOf(improvement.id)} size="sm" fw={600}>
                  {titleOf(improvement)}
                </Anchor>
                <OutcomeBadge improvement={improvement} />
              </Group>
              <Text size="sm" c="dimmed">
                {improvement.message || improvement.waitingFor || improvement.reason}
              </Text>
            </Paper>
          ))}
          <ShowMore pages={pages} label="Show older improvements" />
        </Stack>
      )}
    </>
  );
}

function Opened() {
  const { id } = useParams<{ id: string }>();
  const shown = useQuery({ query: ImprovementOpenedDocument, variables: { id: decodeURIComponent(id) } });
  const [{ data, error }, again] = shown;
  const improvement = data?.improvement ?? null;
  const open = improvement !== null && improvement.outcome === null;
  useLook(shown, open ? LOOK_MS : null);
  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (!data) return <Loading label="Loading the improvement" />;
  if (improvement === null)
    return <ErrorState error={new GatewayError('NOT_FOUND', 'There is no such improvement.')} />;
  return (
    <>
      <Anchor component={Link} href="/improvements" size="sm">
        ← All improvements
      </Anchor>
      <PageHeader title={titleOf(improvement)}>
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
  );
}

export default function ImprovementsPage() {
  return (
    <Switch>
      <Route path="/improvements/:id" component={Opened} />
      <Route component={Overview} />
    </Switch>
  );
}
