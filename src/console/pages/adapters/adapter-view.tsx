import { Anchor, Badge, Button, Group, Modal, Paper, Stack, Table, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { AdapterOpenedDocument, type AdapterOpenedQuery } from '../../generated/operations';
import { bytes, dateTime, words } from '../../parts/format';
import { ScrollRegion } from '../../parts/scroll-region';
import { EmptyState, ErrorState, Loading, PageHeader } from '../../parts/states';
import { IconPuzzleOff } from '@tabler/icons-react';
import { AttestVersion } from './attest-version';
import { DeleteAdapter } from './delete-adapter';
import { EvaluateVersion } from './evaluate-version';
import { Gate } from './gate';
import { EvaluationList } from './evaluation-list';
import { LearningPlot } from './learning-plot';
import { PromoteVersion } from './promote-version';
import { RollBack } from './roll-back';
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
          <Text size="sm" c="dimmed">
            {words(version.origin)} {dateTime(version.createdAt)}
            {trainedOn && ` on ${trainedOn.dataset.name}, version ${trainedOn.version}`} · rank {version.rank}, alpha{' '}
            {version.alpha}, scale {version.scale} · {bytes(version.sizeBytes)} · {version.model.quantization}
          </Text>
          <Text size="xs" c="dimmed" ff="monospace">
            {version.digest.slice(0, 16)}
          </Text>
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
        <Group gap="xs">
          <Button size="compact-sm" variant="default" onClick={() => onDo({ what: 'attest', version })}>
            Attest
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => onDo({ what: 'evaluate', version })}>
            Evaluate
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => onDo({ what: 'take', version })}>
            Export
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => onDo({ what: 'delete', version })}>
            Delete
          </Button>
          <Button
            size="compact-sm"
            disabled={attestation === null}
            title={attestation === null ? 'Attest it first' : undefined}
            onClick={() => onDo({ what: 'promote', version })}
          >
            Promote
          </Button>
        </Group>
      </Group>
      <Gate gate={version.gate} />
      <EvaluationList key={round} version={version.id} />
    </Paper>
  );
}

function History({ changes }: { changes: Adapter['history']['edges'] }) {
  if (changes.length === 0) return <Text c="dimmed">No alias was moved yet.</Text>;
  return (
    <Paper p={0}>
      <ScrollRegion minWidth={640} stacks={2}>
        <Table verticalSpacing="xs" aria-label="Moves of the aliases">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>When</Table.Th>
              <Table.Th>Alias</Table.Th>
              <Table.Th>From version</Table.Th>
              <Table.Th>To version</Table.Th>
              <Table.Th>By</Table.Th>
              <Table.Th>Why</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {changes.map(({ node }) => (
              <Table.Tr key={node.id}>
                <Table.Td>{dateTime(node.createdAt)}</Table.Td>
                <Table.Td data-label="Alias">
                  {words(node.alias)} {node.isRollback && <Badge color="yellow">rollback</Badge>}
                  {node.gate?.forced && <Badge color="red">forced</Badge>}
                </Table.Td>
                <Table.Td data-label="From version">{node.from?.version ?? 'none'}</Table.Td>
                <Table.Td data-label="To version">{node.to?.version ?? 'none'}</Table.Td>
                <Table.Td data-label="By">{node.changedBy}</Table.Td>
                <Table.Td maw={360}>{node.reason}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollRegion>
    </Paper>
  );
}

/** One adapter: its versions with their proofs and figures, and who moved which alias when. */
export function AdapterView({ name }: { name: string }) {
  const [{ data, error }, again] = useQuery({ query: AdapterOpenedDocument, variables: { name } });
  const [doing, setDoing] = useState<Doing | null>(null);
  // What a dialog did may show in every part of the page: each closing makes them look anew.
  const [round, setRound] = useState(0);
  const close = () => {
    setDoing(null);
    setRound((before) => before + 1);
    again({ requestPolicy: 'network-only' });
  };
  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (!data) return <Loading label="Loading the adapter" />;
  const { adapter } = data;
  if (!adapter)
    return (
      <EmptyState icon={IconPuzzleOff} title="There is no such adapter">
        It may have been deleted. Go back to all adapters.
      </EmptyState>
    );
  const inProduction = adapter.versions.some(({ aliases }) => aliases.includes('PRODUCTION'));
  return (
    <>
      <Anchor component={Link} href="/adapters" size="sm">
        ← All adapters
      </Anchor>
      <PageHeader
        title={adapter.name}
        actions={
          <Group gap="xs">
            {inProduction && (
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
        {doing?.what === 'attest' && (
          <AttestVersion adapter={adapter.name} version={doing.version.version} onClose={close} />
        )}
        {doing?.what === 'evaluate' && (
          <EvaluateVersion adapter={adapter.name} task={adapter.task} version={doing.version} onClose={close} />
        )}
        {doing?.what === 'promote' && (
          <PromoteVersion
            adapter={adapter.name}
            version={doing.version.version}
            wantsConfirmation={doing.version.gate.wantsConfirmation}
            onClose={close}
          />
        )}
        {doing?.what === 'take' && (
          <TakeVersion adapter={adapter.name} version={doing.version.version} onClose={close} />
        )}
        {doing?.what === 'delete' && (
          <DeleteAdapter
            adapter={adapter.name}
            version={doing.version?.version ?? null}
            aliases={(doing.version ? [doing.version] : adapter.versions).flatMap(({ aliases }) => aliases)}
            onClose={close}
          />
        )}
        {doing?.what === 'rollback' && <RollBack adapter={adapter.name} onClose={close} />}
      </Modal>
    </>
  );
}
