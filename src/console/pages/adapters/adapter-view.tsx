import { Badge, Button, Group, Modal, Stack, Text, Title } from '@mantine/core';
import { IconPuzzleOff } from '@tabler/icons-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { AdapterOpenedDocument } from '../../generated/operations';
import { productionOf } from '../../parts/choices';
import { dateTime, words } from '../../parts/format';
import { Opened } from '../../parts/loaded';
import { EmptyState, PageHeader } from '../../parts/page';
import { DataTable } from '../../parts/table';
import { PromoteVersion, RollBack } from './alias-move';
import { DeleteAdapter } from './delete-adapter';
import { LearningPlot } from './learning-plot';
import { AttestVersion, EvaluateVersion } from './prove-version';
import { TakeVersion } from './take-version';
import { VersionCard, type Adapter, type Doing } from './version-card';

const TITLES: Record<Doing['what'], string> = {
  attest: 'Show that it acts',
  evaluate: 'Measure how well it answers',
  promote: 'Put it into place',
  take: 'Take it with you',
  rollback: 'Go back to the version before',
  delete: 'Delete it',
};

function History({ changes }: { changes: Adapter['history']['edges'] }) {
  if (changes.length === 0) return <Text c="dimmed">No alias was moved yet.</Text>;
  return (
    <DataTable
      framed
      label="Moves of the aliases"
      minWidth={640}
      stacks={2}
      rows={changes.map(({ node }) => node)}
      columns={[
        { head: 'When', label: null, cell: ({ createdAt }) => dateTime(createdAt) },
        {
          head: 'Alias',
          cell: ({ alias, isRollback, gate }) => (
            <>
              {words(alias)} {isRollback && <Badge color="yellow">rollback</Badge>}
              {gate?.forced && <Badge color="red">forced</Badge>}
            </>
          ),
        },
        { head: 'From version', cell: ({ from }) => from?.version ?? 'none' },
        { head: 'To version', cell: ({ to }) => to?.version ?? 'none' },
        { head: 'By', cell: ({ changedBy }) => changedBy },
        { head: 'Why', label: null, maw: 360, cell: ({ reason }) => reason },
      ]}
    />
  );
}

function Dialog({ adapter, doing, onClose }: { adapter: Adapter; doing: Doing; onClose: () => void }) {
  const dialogProps = { adapter: adapter.name, onClose };
  switch (doing.what) {
    case 'attest':
      return <AttestVersion {...dialogProps} version={doing.version.version} />;
    case 'evaluate':
      return <EvaluateVersion {...dialogProps} task={adapter.task} version={doing.version} />;
    case 'promote':
      return <PromoteVersion {...dialogProps} version={doing.version} />;
    case 'take':
      return <TakeVersion {...dialogProps} version={doing.version.version} />;
    case 'rollback':
      return <RollBack {...dialogProps} />;
    case 'delete': {
      const aliases = (doing.version ? [doing.version] : adapter.versions).flatMap((version) => version.aliases);
      return <DeleteAdapter {...dialogProps} version={doing.version?.version ?? null} aliases={aliases} />;
    }
  }
}

function OpenedAdapter({ adapter, onChanged }: { adapter: Adapter; onChanged: () => void }) {
  const [doing, setDoing] = useState<Doing | null>(null);
  // What a dialog did may show in every part of the page: each closing makes them look anew.
  const [round, setRound] = useState(0);
  const close = () => {
    setDoing(null);
    setRound((previousRound) => previousRound + 1);
    onChanged();
  };
  return (
    <>
      <PageHeader
        title={adapter.name}
        back={['/adapters', 'All adapters']}
        actions={
          <Group gap="xs">
            {productionOf(adapter.versions) && (
              <Button variant="default" onClick={() => setDoing({ what: 'rollback', version: null })}>
                Roll back
              </Button>
            )}
            <Button variant="default" onClick={() => setDoing({ what: 'delete', version: null })}>
              Delete adapter
            </Button>
          </Group>
        }
      >
        {adapter.description && `${adapter.description} · `}
        {words(adapter.task)} · {adapter.model.name}
      </PageHeader>
      <Stack>
        <LearningPlot key={round} adapter={adapter.name} />
        {adapter.versions.map((version) => (
          <VersionCard key={version.id} version={version} round={round} onDo={setDoing} />
        ))}
        <Title order={2}>History</Title>
        <History changes={adapter.history.edges} />
      </Stack>
      <Modal opened={doing !== null} onClose={close} title={<Text fw={600}>{doing && TITLES[doing.what]}</Text>}>
        {doing && <Dialog adapter={adapter} doing={doing} onClose={close} />}
      </Modal>
    </>
  );
}

/** One adapter: its versions with their proofs and figures, and who moved which alias when. */
export function AdapterView({ name }: { name: string }) {
  const result = useQuery({ query: AdapterOpenedDocument, variables: { name } });
  return (
    <Opened
      shown={result}
      what="adapter"
      thing={({ adapter }) => adapter}
      missing={
        <EmptyState icon={IconPuzzleOff} title="There is no such adapter">
          It may have been deleted. Go back to all adapters.
        </EmptyState>
      }
    >
      {(adapter) => <OpenedAdapter adapter={adapter} onChanged={() => result[1]({ requestPolicy: 'network-only' })} />}
    </Opened>
  );
}
