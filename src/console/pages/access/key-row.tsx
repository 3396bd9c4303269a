import { Badge, Group, Paper, Select, Text } from '@mantine/core';
import { useState } from 'react';
import {
  RevokeKeyInConsoleDocument,
  RotateKeyInConsoleDocument,
  type RotateKeyInConsoleMutation,
} from '../../generated/operations';
import { words } from '../../parts/format';
import { useSend } from '../../parts/send';
import { goOnWith } from '../../parts/sign-in/session';
import { ErrorState } from '../../parts/states';
import { WaitingButton } from '../../parts/waiting-button';
import { Note, To } from '../../parts/words';
import { beforeRefetch } from '../../refetch';
import { stateOf, timesOf, type Key } from './key-state';
import type { Made } from './shown-once';

const COLOURS = { active: 'green', expired: 'gray', revoked: 'red' } as const;
/** How long the old key still works, in seconds. */
const OVERLAPS = [
  { value: '0', label: 'at once' },
  { value: '3600', label: 'after an hour' },
  { value: '86400', label: 'after a day' },
  { value: '604800', label: 'after a week' },
];

/** The old one may have ended already: asked with it, the page would be gone, and with it the token that nobody sees again. */
const takeAsOwn = beforeRefetch<RotateKeyInConsoleMutation>(({ rotateApiKey }) => goOnWith(rotateApiKey.token));

/** What can be done with a key that still works. Revoking asks once more, since nothing brings it back. */
function Orders({ apiKey, own, onMade }: { apiKey: Key; own: boolean; onMade: (made: Made) => void }) {
  const [overlap, setOverlap] = useState('86400');
  const [sure, setSure] = useState(false);
  const rotate = useSend(RotateKeyInConsoleDocument, ({ rotateApiKey: { key, token } }) =>
    onMade({ name: key.name, token, own }),
  );
  const revoke = useSend(RevokeKeyInConsoleDocument);
  const replace = () => rotate.send({ id: apiKey.id, overlapSeconds: Number(overlap) }, own ? takeAsOwn : undefined);
  return (
    <>
      <Group gap="xs" mt="xs" align="flex-end">
        <Select
          size="xs"
          w={150}
          label="Once replaced, it ends"
          data={OVERLAPS}
          value={overlap}
          allowDeselect={false}
          onChange={(value) => setOverlap(value ?? '86400')}
        />
        <WaitingButton size="compact-sm" variant="default" waits={rotate.fetching && 'Replacing…'} onClick={replace}>
          Replace
        </WaitingButton>
        <WaitingButton
          size="compact-sm"
          variant={sure ? 'filled' : 'default'}
          {...(sure && { color: 'red' })}
          waits={revoke.fetching && 'Revoking…'}
          onClick={() => (sure ? revoke.send({ id: apiKey.id }) : setSure(true))}
        >
          {sure ? (own ? 'Revoke the key that you use now' : 'Revoke for good') : 'Revoke'}
        </WaitingButton>
      </Group>
      <ErrorState error={rotate.error ?? revoke.error} />
    </>
  );
}

export function KeyRow({ apiKey, own, onMade }: { apiKey: Key; own: boolean; onMade: (made: Made) => void }) {
  const state = stateOf(apiKey);
  return (
    <Paper p="sm" data-testid="key">
      <Group gap="xs">
        <Text fw={600} size="sm">
          {apiKey.name}
        </Text>
        <Text size="xs" ff="monospace">
          {apiKey.prefix}…
        </Text>
        <Badge color="blue">{words(apiKey.role)}</Badge>
        <Badge color={COLOURS[state]}>{words(state)}</Badge>
        {own && <Badge color="yellow">yours</Badge>}
        {apiKey.groups.map((group) => (
          <Badge key={group} color="gray" tt="none">
            {group}
          </Badge>
        ))}
      </Group>
      <Note size="xs" mt={4}>
        {timesOf(apiKey)} ·{' '}
        <To href={`/budgets?of=${encodeURIComponent(apiKey.id)}`} inherit underline="always">
          Budget
        </To>{' '}
        ·{' '}
        <To href={`/audit?who=${encodeURIComponent(apiKey.prefix)}`} inherit underline="always">
          What it changed
        </To>
      </Note>
      {state === 'active' && <Orders apiKey={apiKey} own={own} onMade={onMade} />}
    </Paper>
  );
}
