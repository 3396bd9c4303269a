import { Alert, Badge, Button, Code, CopyButton, Group, Paper, Stack, Text } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { useState } from 'react';
import {
  RevokeApiKeyDocument,
  RotateApiKeyDocument,
  type ApiKeyFieldsFragment,
  type RotateApiKeyMutation,
} from '../../generated/operations';
import { OneOf, useSend, WaitingButton } from '../../parts/form';
import { dateTime, words } from '../../parts/format';
import { ErrorState, Note, Strong, To } from '../../parts/page';
import { goOnWith } from '../../parts/sign-in/session';
import { beforeRefetch } from '../../refetch';

type Key = ApiKeyFieldsFragment;
type KeyState = 'active' | 'expired' | 'revoked';

export function stateOf({ revokedAt, expiresAt }: Key, now = Date.now()): KeyState {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && Date.parse(expiresAt) <= now ? 'expired' : 'active';
}

/** When it was made, used and ends, in one line. */
const timesOf = ({ createdBy, createdAt, lastUsedAt, expiresAt, revokedAt }: Key): string =>
  [
    `made ${dateTime(createdAt)} by ${createdBy}`,
    lastUsedAt === null ? 'never used' : `last used ${dateTime(lastUsedAt)}`,
    ...(revokedAt === null ? [] : [`revoked ${dateTime(revokedAt)}`]),
    ...(expiresAt === null || revokedAt !== null
      ? []
      : [`${Date.parse(expiresAt) <= Date.now() ? 'expired' : 'expires'} ${dateTime(expiresAt)}`]),
  ].join(' · ');

/** A key as it was made: nobody sees it again. */
export interface Made {
  name: string;
  token: string;
  /** Whether it took the place of the one that this tab is signed in by. */
  own: boolean;
}

export function ShownOnce({ made: { name, token, own }, onDone }: { made: Made; onDone: () => void }) {
  return (
    <Alert icon={<IconKey />} color="yellow" mb="md" role="status" title={`The key of ${name} is shown once`}>
      <Stack gap="xs" align="flex-start">
        <Text size="sm">
          Keep it now; Graft has only its digest. Send it as <code>Authorization: Bearer …</code>, or set{' '}
          <code>GRAFT_API_KEY</code> for the command line.{own && ' This tab is signed in by it from now on.'}
        </Text>
        <Code block style={{ maxWidth: '100%', overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }} data-testid="token">
          {token}
        </Code>
        <Group gap="xs">
          <CopyButton value={token}>
            {({ copied, copy }) => (
              <Button size="compact-sm" onClick={copy}>
                {copied ? 'Copied' : 'Copy it'}
              </Button>
            )}
          </CopyButton>
          <Button size="compact-sm" variant="default" onClick={onDone}>
            I have kept it
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}

const COLOURS = { active: 'green', expired: 'gray', revoked: 'red' } as const;
/** How long the old key still works, in seconds. */
const OVERLAPS = [
  { value: '0', label: 'at once' },
  { value: '3600', label: 'after an hour' },
  { value: '86400', label: 'after a day' },
  { value: '604800', label: 'after a week' },
];

/** The old one may have ended already: asked with it, the page would be gone, and with it the token that nobody sees again. */
const takeAsOwn = beforeRefetch<RotateApiKeyMutation>(({ rotateApiKey }) => goOnWith(rotateApiKey.token));

/** What can be done with a key that still works. Revoking asks once more, since nothing brings it back. */
function Orders({ apiKey, own, onMade }: { apiKey: Key; own: boolean; onMade: (made: Made) => void }) {
  const [overlap, setOverlap] = useState('86400');
  const [sure, setSure] = useState(false);
  const rotate = useSend(RotateApiKeyDocument, ({ rotateApiKey: { key, token } }) =>
    onMade({ name: key.name, token, own }),
  );
  const revoke = useSend(RevokeApiKeyDocument);
  const replace = () => rotate.send({ id: apiKey.id, overlapSeconds: Number(overlap) }, own ? takeAsOwn : undefined);
  return (
    <>
      <Group gap="xs" mt="xs" align="flex-end">
        <OneOf size="xs" w={150} label="Once replaced, it ends" data={OVERLAPS} value={overlap} onChange={setOverlap} />
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
        <Strong>{apiKey.name}</Strong>
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
