import { Anchor, Group, NumberInput, Paper, Select, Stack, Text, TextInput, Title } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { Link, useLocation } from 'wouter';
import { ShadowsShownDocument, StartShadowInConsoleDocument, type ShadowsShownQuery } from '../../generated/operations';
import { count, dateTime } from '../../parts/format';
import { ShowMore } from '../../parts/show-more';
import { ErrorState } from '../../parts/states';
import { usePages } from '../../parts/use-pages';
import { WaitingButton } from '../../parts/waiting-button';
import { shadowPath } from './paths';
import { ShadowBadge } from './shadow-view';

type Adapters = ShadowsShownQuery['adapters'];

/** Versions that were shown to act and aren’t production, where there is a production to compare with; newest first. */
const readyOf = ({ edges }: Adapters): { value: string; label: string }[] =>
  edges.flatMap(({ node: { name, versions } }) => {
    const production = versions.find(({ aliases }) => aliases.includes('PRODUCTION'));
    if (!production) return [];
    return versions
      .filter(({ id, attestation }) => attestation && id !== production.id)
      .sort((a, b) => b.version - a.version)
      .map(({ version }) => ({
        value: `${name}@${version}`,
        label: `${name}: version ${version} beside ${production.version}`,
      }));
  });

function StartShadow({ adapters }: { adapters: Adapters }) {
  const [, go] = useLocation();
  const [version, setVersion] = useState<string | null>(null);
  const [percent, setPercent] = useState<number | string>(20);
  const [reason, setReason] = useState('');
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [{ error, fetching }, start] = useMutation(StartShadowInConsoleDocument);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const [adapter, candidate] = version?.split('@') ?? [];
    if (adapter === undefined) return;
    const share = Number(percent) / 100;
    const { data } = await start({ input: { adapter, candidate: Number(candidate), share, reason, idempotencyKey } });
    if (data) go(shadowPath(data.startShadow.shadow.id));
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Group align="flex-end">
        <Select label="Version" data={readyOf(adapters)} value={version} onChange={setVersion} required miw={280} />
        <NumberInput label="Share of questions, %" min={1} max={100} value={percent} onChange={setPercent} w={200} />
        <TextInput
          label="Why"
          required
          maxLength={1_000}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <WaitingButton type="submit" waits={fetching ? 'Starting…' : null}>
          Compare unseen
        </WaitingButton>
      </Group>
      {error && <ErrorState error={error} />}
    </form>
  );
}

const connectionOf = (data: ShadowsShownQuery) => data.shadows;

/** What versions would have said to users who never see it. */
export function ShadowSection() {
  const pages = usePages({ query: ShadowsShownDocument, variables: {}, connectionOf });
  const { data, edges, error, again } = pages;
  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (!data) return null;
  const ready = readyOf(data.adapters);
  if (edges.length + ready.length === 0) return null;
  return (
    <Paper mb="lg">
      <Title order={2} size="h3">
        Compare a version unseen
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        It answers a sample of live questions behind everybody’s, and is compared with what was served; nobody meets it.
      </Text>
      <Stack>
        {ready.length > 0 && <StartShadow adapters={data.adapters} />}
        {edges.map(({ node: { id, adapterName, candidateVersion, againstVersion, status, answered, createdAt } }) => (
          <Group key={id} gap="xs">
            <Anchor component={Link} href={shadowPath(id)} size="sm" fw={600}>
              {adapterName}: version {candidateVersion} unseen beside {againstVersion}
            </Anchor>
            <ShadowBadge status={status} />
            <Text size="xs" c="dimmed">
              {count(answered)} questions put to it · {dateTime(createdAt)}
            </Text>
          </Group>
        ))}
        <ShowMore pages={pages} label="Show older shadows" />
      </Stack>
    </Paper>
  );
}
