import { Alert, Code, Stack, Text } from '@mantine/core';
import { IconKey, IconLockOpen } from '@tabler/icons-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { AccessShownDocument, type AccessShownQuery } from '../../generated/operations';
import { Loaded, PageSteps } from '../../parts/loaded';
import { Choice, EmptyState, PageHeader } from '../../parts/page';
import { useAddress } from '../../parts/use-address';
import { CreateKey } from './create-key';
import { KeyRow, ShownOnce, stateOf, type Made } from './keys';

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

/** Why none is shown: there is none, or none of them stands on this page of the list. */
function NoKey({ goesOn, older }: { goesOn: boolean; older: boolean }) {
  return goesOn ? (
    <EmptyState icon={IconKey} title="None of these on this page">
      The list goes on: look at {older ? 'older' : 'newer'} keys, or at all of them.
    </EmptyState>
  ) : (
    <EmptyState icon={IconKey} title="No key here">
      A key belongs to one program or person; make one for each, so that one can be revoked without the others.
    </EmptyState>
  );
}

function Keys({ me, apiKeys, after }: AccessShownQuery & { after: string | null }) {
  const [address, change] = useAddress();
  // Each stays until somebody has said that it is kept.
  const [createdKeys, setMade] = useState<readonly Made[]>([]);
  const show = (createdKey: Made) => setMade((previousKeys) => [createdKey, ...previousKeys]);
  const stateFilter = SHOWN.find(({ value }) => value === address.get('show'))?.value ?? 'active';
  const keys = apiKeys.edges
    .map(({ node }) => node)
    .filter((key) => stateFilter === 'all' || (stateOf(key) === 'active') === (stateFilter === 'active'));
  const older = apiKeys.pageInfo.hasNextPage;
  return (
    <>
      {me.name === 'local' && <WithoutKeys />}
      {createdKeys.map((createdKey) => (
        <ShownOnce
          key={createdKey.token}
          made={createdKey}
          onDone={() => setMade((previousKeys) => previousKeys.filter((previousKey) => previousKey !== createdKey))}
        />
      ))}
      <CreateKey onMade={show} />
      <Choice
        label="Which keys"
        data={SHOWN}
        value={stateFilter}
        onChange={(value) => change({ show: value === 'active' ? null : value })}
      />
      {keys.length === 0 && <NoKey goesOn={after !== null || older} older={older} />}
      <Stack gap="xs">
        {keys.map((key) => (
          <KeyRow key={key.id} apiKey={key} own={key.id === me.key?.id} onMade={show} />
        ))}
      </Stack>
      <PageSteps what="keys" after={after} next={apiKeys.pageInfo} onStep={change} />
    </>
  );
}

export default function AccessPage() {
  const [address] = useAddress();
  const cursor = address.get('after');
  const result = useQuery({ query: AccessShownDocument, variables: { after: cursor } });
  const [{ data }] = result;
  return (
    <>
      <PageHeader title="Access">
        Who may use {data ? `the workspace ${data.me.workspace.name}` : 'this workspace'}: keys, what each may do, and
        which labelled documents it sees.
      </PageHeader>
      <Loaded shown={result} what="the keys">
        {(loadedData) => <Keys {...loadedData} after={cursor} />}
      </Loaded>
    </>
  );
}
