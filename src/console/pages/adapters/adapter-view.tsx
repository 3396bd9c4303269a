import { Badge, Button, Group, Modal, Paper, Stack, Text, Title } from '@mantine/core';
import { IconPuzzleOff } from '@tabler/icons-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { AdapterOpenedDocument, type AdapterOpenedQuery } from '../../generated/operations';
import { productionOf } from '../../parts/choices';
import { DataTable } from '../../parts/data-table';
import { bytes, dateTime, rowsOf, words } from '../../parts/format';
import { Opened } from '../../parts/loaded';
import { EmptyState, PageHeader } from '../../parts/states';
import { Note } from '../../parts/words';
import { PromoteVersion, RollBack } from './alias-move';
import { AttestVersion } from './attest-version';
import { DeleteAdapter } from './delete-adapter';
import { EvaluateVersion } from './evaluate-version';
import { EvaluationList } from './evaluation-list';
import { Gate } from './gate';
import { LearningPlot } from './learning-plot';
import { TakeVersion } from './take-version';
import { TrainingCost } from './training-cost';

type Adapter = NonNullable<AdapterOpenedQuery['adapter']>;
export type Version = Adapter['versions'][number];

/** What a dialog is open for. */
type Doing =
  | { what: 'attest' | 'evaluate' | 'promote' | 'take'; version: Version }
  | { what: 'rollback'; version: null }
  | { what: 'delete'; version: Version | null };

const TITLES: Record<Doing['what'], string> = {
  attest: 'Show that it acts',
  evaluate: 'Measure how well it answers',
  promote: 'Put it into place',
  take: 'Take it with you',
  rollback: 'Go back to the version before',
  delete: 'Delete it',
};

function VersionButtons({ version, onDo }: { version: Version; onDo: (doing: Doing) => void }) {
  const attested = version.attestation !== null;
  const button = (what: Exclude<Doing['what'], 'rollback'>, label: string) => (
    <Button size="compact-sm" variant="default" onClick={() => onDo({ what, version })}>
      {label}
    </Button>
  );
  return (
    <Group gap="xs">
      {button('attest', 'Attest')}
      {button('evaluate', 'Evaluate')}
      {button('take', 'Export')}
      {button('delete', 'Delete')}
      <Button
        size="compact-sm"
        disabled={!attested}
        title={attested ? undefined : 'Attest it first'}
        onClick={() => onDo({ what: 'promote', version })}
      >
        Promote
      </Button>
    </Group>
  );
}

function VersionCard({ version, round, onDo }: { version: Version; round: number; onDo: (doing: Doing) => void }) {
  const { attestation, trainedOn } = version;
  return (
    <Paper data-testid="adapter-version">
      <Group justify="space-between" align="flex-start" gap="sm">
        <div>
          <Group gap="xs">
            <Text fw={600}>Version {version.version}</Text>
            {version.aliases.map((alias) => (
              <Badge key={alias} color={alias === 'PRODUCTION' ? 'green' : 'blue'}>
                {words(alias)}
              </Badge>
            ))}
            <Badge color={attestation ? 'teal' : 'yellow'}>{attestation ? 'shown to act' : 'not attested'}</Badge>
          </Group>
          <Note>
            {words(version.origin)} {dateTime(version.createdAt)}
            {trainedOn && ` on ${rowsOf(trainedOn)}`} · rank {version.rank}, alpha {version.alpha}, scale{' '}
            {version.scale} · {bytes(version.sizeBytes)} · {version.model.quantization}
          </Note>
          <Note size="xs" ff="monospace">
            {version.digest.slice(0, 16)}
          </Note>
          <TrainingCost metrics={version.metrics} />
          {attestation && (
            <Text size="sm" mt={4}>
              {attestation.modulesMatched} modules matched; its change where it is served and where it was trained:
              cosine {attestation.cosine.toFixed(3)}, size ratio {attestation.normRatio.toFixed(2)}, over{' '}
              {attestation.probes} prompts;{' '}
              {attestation.offIsBase ? 'off, the model is the base bit for bit' : 'off, something stays'}.
            </Text>
          )}
        </div>
        <VersionButtons version={version} onDo={onDo} />
      </Group>
      <Gate gate={version.gate} />
      <EvaluationList key={round} version={version.id} />
    </Paper>
  );
}

function History({ changes }: { changes: Adapter['history']['edges'] }) {
  if (changes.length === 0) return <Text c="dimmed">No alias was moved yet.</Text>;
  return (
    <DataTable
      framed
      label="Moves of the aliases"
      minWidth={640}
      stacks={2}
      rows={changes.map(({ node }) => node)}
      keyOf={({ id }) => id}
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
  const of = { adapter: adapter.name, onClose };
  switch (doing.what) {
    case 'attest':
      return <AttestVersion {...of} version={doing.version.version} />;
    case 'evaluate':
      return <EvaluateVersion {...of} task={adapter.task} version={doing.version} />;
    case 'promote':
      return <PromoteVersion {...of} version={doing.version} />;
    case 'take':
      return <TakeVersion {...of} version={doing.version.version} />;
    case 'rollback':
      return <RollBack {...of} />;
    case 'delete': {
      const aliases = (doing.version ? [doing.version] : adapter.versions).flatMap((version) => version.aliases);
      return <DeleteAdapter {...of} version={doing.version?.version ?? null} aliases={aliases} />;
    }
  }
}

function OpenedAdapter({ adapter, onChanged }: { adapter: Adapter; onChanged: () => void }) {
  const [doing, setDoing] = useState<Doing | null>(null);
  // What a dialog did may show in every part of the page: each closing makes them look anew.
  const [round, setRound] = useState(0);
  const close = () => {
    setDoing(null);
    setRound((before) => before + 1);
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
  const shown = useQuery({ query: AdapterOpenedDocument, variables: { name } });
  return (
    <Opened
      shown={shown}
      what="adapter"
      thing={({ adapter }) => adapter}
      missing={
        <EmptyState icon={IconPuzzleOff} title="There is no such adapter">
          It may have been deleted. Go back to all adapters.
        </EmptyState>
      }
    >
      {(adapter) => <OpenedAdapter adapter={adapter} onChanged={() => shown[1]({ requestPolicy: 'network-only' })} />}
    </Opened>
  );
}
