import { Group, NumberInput, Paper, Select, Stack, TagsInput, TextInput, Title } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { CreateKeyInConsoleDocument, type Role } from '../../generated/operations';
import { ErrorState } from '../../parts/states';
import { useAddress } from '../../parts/use-address';
import { WaitingButton } from '../../parts/waiting-button';
import type { Made } from './shown-once';

/** Each may do what those before it may. */
const ROLES: readonly { value: Role; label: string }[] = [
  { value: 'ASK', label: 'Ask: asks and reads' },
  { value: 'EDIT', label: 'Edit: changes data, gives feedback, trains' },
  { value: 'OPERATE', label: 'Operate: decides what answers' },
  { value: 'ADMIN', label: 'Admin: makes keys, budgets, workspaces' },
];
const DAY_MS = 86_400_000;

/** Makes a key. The form stands in the address, but for nothing that is secret: the key itself is never in it. */
export function CreateKey({ onMade }: { onMade: (made: Made) => void }) {
  const [address, change] = useAddress();
  const [{ error, fetching }, create] = useMutation(CreateKeyInConsoleDocument);
  const [name, setName] = useState('');
  const role = ROLES.find(({ value }) => value === address.get('role'))?.value ?? 'ASK';
  const groups = address.get('groups')?.split(',').filter(Boolean) ?? [];
  const days = address.get('days') ?? '';
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (fetching || name.trim() === '') return;
    const expiresAt = days === '' ? null : new Date(Date.now() + Number(days) * DAY_MS).toISOString();
    const { data } = await create({ input: { name: name.trim(), role, groups, expiresAt } });
    if (!data) return;
    setName('');
    onMade({ name: data.createApiKey.key.name, token: data.createApiKey.token, own: false });
  };
  return (
    <Paper mb="md">
      <Title order={2} size="h3" mb="xs">
        Make a key
      </Title>
      <form onSubmit={(event) => void submit(event)}>
        <Stack gap="sm">
          <Group align="flex-start" grow preventGrowOverflow={false}>
            <TextInput
              label="What it is for"
              description="It stands beside what is done with it."
              required
              maxLength={100}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              miw={220}
            />
            <Select
              label="Role"
              description="A role may do all that those before it may."
              data={[...ROLES]}
              value={role}
              allowDeselect={false}
              onChange={(value) => change({ role: value === 'ASK' ? null : value })}
              miw={220}
            />
            <NumberInput
              label="Days until it ends"
              description="Empty for never."
              min={1}
              max={3_650}
              allowDecimal={false}
              value={days === '' ? '' : Number(days)}
              onChange={(value) => change({ days: value === '' ? null : String(value) })}
              miw={160}
            />
          </Group>
          <TagsInput
            label="Groups"
            description="Documents that are labelled with one of them are seen, beside those that everybody sees. ADMIN sees all."
            maxTags={100}
            value={groups}
            onChange={(values) => change({ groups: values.join(',') || null })}
          />
          {error && <ErrorState error={error} />}
          <Group>
            <WaitingButton
              type="submit"
              leftSection={<IconPlus size={16} />}
              waits={fetching ? 'Making…' : null}
              disabled={name.trim() === ''}
            >
              Make the key
            </WaitingButton>
          </Group>
        </Stack>
      </form>
    </Paper>
  );
}
