import { Group, NumberInput, TagsInput, TextInput } from '@mantine/core';
import { useInputState } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { CreateApiKeyDocument, type Role } from '../../generated/operations';
import { Form, OneOf, useSend } from '../../parts/form';
import { Section } from '../../parts/page';
import { useAddress } from '../../parts/use-address';
import type { Made } from './keys';
import { DAY_MS } from '../../../kernel/duration';

/** Each may do what those before it may. */
const ROLES: { value: Role; label: string }[] = [
  { value: 'ASK', label: 'Ask: asks and reads' },
  { value: 'EDIT', label: 'Edit: changes data, gives feedback, trains' },
  { value: 'OPERATE', label: 'Operate: decides what answers' },
  { value: 'ADMIN', label: 'Admin: makes keys, budgets, workspaces' },
];

/** Makes a key. The form stands in the address, but for nothing that is secret: the key itself is never in it. */
export function CreateKey({ onMade }: { onMade: (made: Made) => void }) {
  const [address, change] = useAddress();
  const [name, setName] = useInputState('');
  const role = ROLES.find(({ value }) => value === address.get('role'))?.value ?? 'ASK';
  const groups = address.get('groups')?.split(',').filter(Boolean) ?? [];
  const days = address.get('days') ?? '';
  const create = useSend(CreateApiKeyDocument, ({ createApiKey: { key, token } }) => {
    setName('');
    onMade({ name: key.name, token, own: false });
  });
  const submit = () => {
    const expiresAt = days === '' ? null : new Date(Date.now() + Number(days) * DAY_MS).toISOString();
    return create.send({ name: name.trim(), role, groups, expiresAt });
  };
  return (
    <Section title="Make a key" mb="md">
      <Form
        sending={create}
        onSubmit={submit}
        action="Make the key"
        waits="Making…"
        disabled={name.trim() === ''}
        leftSection={<IconPlus size={16} />}
        justify="flex-start"
        gap="sm"
      >
        <Group align="flex-start" grow preventGrowOverflow={false}>
          <TextInput
            label="What it is for"
            description="It stands beside what is done with it."
            required
            maxLength={100}
            value={name}
            onChange={setName}
            miw={220}
          />
          <OneOf
            label="Role"
            description="A role may do all that those before it may."
            data={ROLES}
            value={role}
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
      </Form>
    </Section>
  );
}
