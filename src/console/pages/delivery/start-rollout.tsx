import { Checkbox, Group, Paper, Select, Text, TextInput, Title } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useMutation, useQuery } from 'urql';
import { useLocation } from 'wouter';
import { RolloutScopeDocument, StartRolloutInConsoleDocument, type RolloutTemplate } from '../../generated/operations';
import { ErrorState } from '../../parts/states';
import { WaitingButton } from '../../parts/waiting-button';
import { rolloutPath } from './paths';

const TEMPLATES: { value: RolloutTemplate; label: string }[] = [
  { value: 'STANDARD', label: 'Standard: 1, 5, 10, 25, 50 %' },
  { value: 'CAREFUL', label: 'Careful: longer, with an approval at 10 %' },
  { value: 'QUICK', label: 'Quick: 10, 50 %, for trying it out' },
];

/** Gives the candidate of an adapter to ever more users. */
export function StartRollout() {
  const [, go] = useLocation();
  const [{ data: scope }] = useQuery({ query: RolloutScopeDocument });
  const [adapter, setAdapter] = useState<string | null>(null);
  const [template, setTemplate] = useState<RolloutTemplate>('STANDARD');
  const [reason, setReason] = useState('');
  const [requireShadow, setRequireShadow] = useState(false);
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [{ error, fetching }, start] = useMutation(StartRolloutInConsoleDocument);
  const ready = (scope?.adapters.edges ?? []).flatMap(({ node: { name, versions } }) => {
    const named = (alias: 'CANDIDATE' | 'PRODUCTION') => versions.find(({ aliases }) => aliases.includes(alias));
    const [candidate, production] = [named('CANDIDATE'), named('PRODUCTION')];
    return candidate && production && candidate.id !== production.id
      ? [{ value: name, label: `${name}: version ${candidate.version} beside ${production.version}` }]
      : [];
  });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (adapter === null) return;
    const { data } = await start({ input: { adapter, template, requireShadow, reason, idempotencyKey } });
    if (data) go(rolloutPath(data.startRollout.rollout.id));
  };
  return (
    <Paper mb="lg">
      <Title order={2} size="h3" mb="xs">
        Give a candidate to users
      </Title>
      {scope && ready.length === 0 ? (
        <Text size="sm" c="dimmed">
          No adapter has a candidate beside its production version. Train a version, show that it acts, evaluate it, and
          promote it to candidate on the adapter’s page.
        </Text>
      ) : (
        <form onSubmit={(event) => void submit(event)}>
          <Group align="flex-end">
            <Select label="Adapter" data={ready} value={adapter} onChange={setAdapter} required miw={280} />
            <Select
              label="Plan"
              data={TEMPLATES}
              value={template}
              allowDeselect={false}
              onChange={(value) => value && setTemplate(value)}
              miw={280}
            />
            <TextInput
              label="Why"
              required
              maxLength={1_000}
              value={reason}
              onChange={(event) => setReason(event.currentTarget.value)}
            />
            <WaitingButton type="submit" waits={fetching ? 'Starting…' : null}>
              Start
            </WaitingButton>
          </Group>
          <Checkbox
            mt="sm"
            label="Only if it was compared unseen before"
            checked={requireShadow}
            onChange={(event) => setRequireShadow(event.currentTarget.checked)}
          />
          {error && <ErrorState error={error} />}
        </form>
      )}
    </Paper>
  );
}
