import { Alert, Button, Code, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { IconKey, IconLockOpen } from '@tabler/icons-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { AccessShownDocument } from '../../generated/operations';
import { EmptyState, ErrorState, Loading, PageHeader } from '../../parts/states';
import { useAddress } from '../../parts/use-address';
import { CreateKey } from './create-key';
import { KeyRow } from './key-row';
import { stateOf } from './key-state';
import { ShownOnce, type Made } from './shown-once';

const SHOWN = [
  { value: 'active', label: 'Active' },
  { value: 'ended', label: 'Expired and revoked' },
  { value: 'all', label: 'All' },
];

/** On loopback nobody needs a key: what that means, and how it changes. */
function WithoutKeys() {
  return (
    <Alert icon={<IconLockOpen />} color="blue" mb="md" title="Nobody needs a key here" data-testid="without-keys">
      <Stack gap="xs">
        <Text size="sm">
          This gateway listens on this machine only, and whoever uses it is its administrator. To let others in, make a
          key with the role ADMIN, in a shell or below, and have it listen elsewhere, behind a proxy with TLS:
        </Text>
        <Code block>{'npx graft keys create --role ADMIN\nGRAFT_HOST=0.0.0.0 npm start'}</Code>
      </Stack>
    </Alert>
  );
}

export default function AccessPage() {
  const [address, change] = useAddress();
  // Each stays until somebody has said that it is kept.
  const [made, setMade] = useState<readonly Made[]>([]);
  const after = address.get('after');
  const [{ data, error }, again] = useQuery({ query: AccessShownDocument, variables: { after } });
  const shown = SHOWN.find(({ value }) => value === address.get('show'))?.value ?? 'active';
  const keys = (data?.apiKeys.edges ?? [])
    .map(({ node }) => node)
    .filter((key) => shown === 'all' || (stateOf(key) === 'active') === (shown === 'active'));
  const show = (one: Made) => setMade((before) => [one, ...before]);
  const next = data?.apiKeys.pageInfo;
  return (
    <>
      <PageHeader title="Access">
        Who may use {data ? `the workspace ${data.me.workspace.name}` : 'this workspace'}: keys, what each may do, and
        which labelled documents it sees.
      </PageHeader>
      {error && !data && <ErrorState error={error} onRetry={again} />}
      {!error && !data && <Loading label="Loading the keys" />}
      {data && (
        <>
          {data.me.name === 'local' && <WithoutKeys />}
          {made.map((one) => (
            <ShownOnce
              key={one.token}
              made={one}
              onDone={() => setMade((before) => before.filter((each) => each !== one))}
            />
          ))}
          <CreateKey onMade={show} />
          <SegmentedControl
            aria-label="Which keys"
            mb="sm"
            style={{ maxWidth: '100%', overflowX: 'auto' }}
            data={SHOWN}
            value={shown}
            onChange={(value) => change({ show: value === 'active' ? null : value })}
          />
          {keys.length === 0 && (after || next?.hasNextPage) && (
            <EmptyState icon={IconKey} title="None of these on this page">
              The list goes on: look at {next?.hasNextPage ? 'older' : 'newer'} keys, or at all of them.
            </EmptyState>
          )}
          {keys.length === 0 && !after && !next?.hasNextPage && (
            <EmptyState icon={IconKey} title="No key here">
              A key belongs to one program or person; make one for each, so that one can be revoked without the others.
            </EmptyState>
          )}
          <Stack gap="xs">
            {keys.map((key) => (
              <KeyRow key={key.id} apiKey={key} own={key.id === data.me.key?.id} onMade={show} />
            ))}
          </Stack>
          <Group mt="sm">
            {after && (
              <Button variant="default" onClick={() => change({ after: null })}>
                Newest keys
              </Button>
            )}
            {next?.hasNextPage && (
              <Button variant="default" onClick={() => change({ after: next.endCursor })}>
                Older keys
              </Button>
            )}
          </Group>
        </>
      )}
    </>
  );
}
