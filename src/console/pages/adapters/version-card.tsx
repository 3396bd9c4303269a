import { Badge, Button, Group, Paper, Stack, Text } from '@mantine/core';
import type { AdapterOpenedQuery } from '../../generated/operations';
import { bytes, dateTime, duration, rowsOf, words } from '../../parts/format';
import { Note, Prose } from '../../parts/page';
import { EvaluationList } from './evaluations';

export type Adapter = NonNullable<AdapterOpenedQuery['adapter']>;
export type Version = Adapter['versions'][number];

/** What a dialog is open for. */
export type Doing =
  | { what: 'attest' | 'evaluate' | 'promote' | 'take'; version: Version }
  | { what: 'rollback'; version: null }
  | { what: 'delete'; version: Version | null };

type Verdict = Version['gate'];
type Check = Verdict['checks'][number];

const COLOURS = { passed: 'green', undecided: 'yellow', 'not measured': 'gray', failed: 'red' } as const;
const stateOf = ({ passed, measured, undecided }: Check): keyof typeof COLOURS =>
  passed ? 'passed' : !measured ? 'not measured' : undecided ? 'undecided' : 'failed';

/** What the gate says of a version now, check by check, and how it does beside simpler methods. */
function Gate({ gate }: { gate: Verdict }) {
  return (
    <Stack gap={4} mt="sm" role="list" aria-label="What the gate says">
      {gate.checks.map((check) => (
        <Group key={check.name} gap="xs" wrap="nowrap" align="flex-start" role="listitem">
          <Badge color={COLOURS[stateOf(check)]} miw={110} flex="none">
            {stateOf(check)}
          </Badge>
          <Text size="sm">
            {words(check.name)}: <Prose>{check.message}</Prose>
          </Text>
        </Group>
      ))}
      {gate.simpler.map(({ name, better, message }) => (
        <Group key={name} gap="xs" wrap="nowrap" align="flex-start" role="listitem">
          <Badge color={better ? 'green' : 'yellow'} miw={92}>
            {better ? 'better' : 'not better'}
          </Badge>
          <Text size="sm">
            {words(name)}: <Prose>{message}</Prose>
          </Text>
        </Group>
      ))}
    </Stack>
  );
}

/** What its training took, beside what was estimated before it. */
function TrainingCost({ metrics: { memory, time } }: Pick<Version, 'metrics'>) {
  const parts = [
    time &&
      `its steps took ${duration(1_000 * time.seconds)} at ${time.tokensPerSecond.toFixed(0)} tokens/s` +
        (time.estimatedSeconds === null ? '' : ` (estimated: ${duration(1_000 * time.estimatedSeconds)})`),
    memory &&
      `${bytes(memory.peakBytes)} of memory` +
        (memory.estimatedBytes === null ? '' : ` (estimated: ${bytes(memory.estimatedBytes)})`),
  ].filter((part) => part !== null);
  if (parts.length === 0) return null;
  return (
    <Text size="sm" mt={4} data-testid="training-cost">
      Trained here: {parts.join(', ')}.
    </Text>
  );
}

function VersionButtons({ version, onDo }: { version: Version; onDo: (doing: Doing) => void }) {
  const attested = version.attestation !== null;
  const button = (action: Exclude<Doing['what'], 'rollback'>, label: string) => (
    <Button size="compact-sm" variant="default" onClick={() => onDo({ what: action, version })}>
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

export function VersionCard(props: { version: Version; round: number; onDo: (doing: Doing) => void }) {
  const { version, round, onDo } = props;
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
