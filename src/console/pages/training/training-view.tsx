import { Anchor, Group, Paper, Progress, Select, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconPlayerPause, IconPlayerPlay, IconX } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useMutation, useQuery } from 'urql';
import { Link } from 'wouter';
import {
  CancelTrainingInConsoleDocument,
  PauseTrainingInConsoleDocument,
  ResumeTrainingInConsoleDocument,
  TrainingRunListDocument,
  TrainingRunOpenedDocument,
  type TrainingRunShownFragment,
} from '../../generated/operations';
import { Chart } from '../../parts/charts/chart';
import { Figure } from '../../parts/figure';
import { bytes, count, dateTime, duration, runLine } from '../../parts/format';
import { RunBadge } from '../../parts/run-progress';
import { GatewayError } from '../../parts/gateway-error';
import { ErrorState, Loading, PageHeader } from '../../parts/states';
import { WaitingButton } from '../../parts/waiting-button';
import { adapterPath } from '../adapters/paths';
import { overlay, type Curve, type Line } from './curve';
import { Recipe } from './recipe';
import { useCurve } from './use-curve';

const RUNS_TO_COMPARE = 50;

function Figures({ curve, running }: { curve: Curve; running: boolean }) {
  const [step, look] = [curve.steps.at(-1), curve.looks.at(-1)];
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }} spacing="sm">
      <Figure label="Step" value={step ? `${count(step.step)} of ${count(step.steps)}` : 'not yet'} />
      <Figure label="Loss, smoothed" value={step ? `${step.smoothedLoss.toFixed(3)} nats` : 'not yet'} />
      <Figure
        label="Validation rows right"
        value={typeof look?.accuracy === 'number' ? `${(100 * look.accuracy).toFixed(1)} %` : 'none'}
      />
      <Figure label="Speed" value={step ? `${count(Math.round(step.tokensPerSecond))} tokens/s` : 'not yet'} />
      <Figure label="Memory" value={step ? bytes(step.memoryBytes) : 'not yet'} />
      <Figure label="Time left" value={running && step ? duration(step.etaSeconds * 1000) : 'none'} />
    </SimpleGrid>
  );
}

const hasValue = ({ points }: Line): boolean => points.some(({ value }) => value !== null);

/** The curves of a run, and beside each those of another. */
function Curves({ curve, other }: { curve: Curve; other: { name: string; curve: Curve } | null }) {
  const both = (label: string, points: (of: Curve) => Line['points']): Line[] => [
    { label, points: points(curve) },
    ...(other ? [{ label: `${label}, ${other.name}`, points: points(other.curve) }] : []),
  ];
  const ofSteps = (value: (step: Curve['steps'][number]) => number | null) => (of: Curve) =>
    of.steps.map((step) => ({ step: step.step, value: value(step) }));
  const ofLooks = (value: (look: Curve['looks'][number]) => number | null) => (of: Curve) =>
    of.looks.map((look) => ({ step: look.step, value: value(look) }));
  const charts = [
    {
      title: 'Loss',
      unit: 'nats a token',
      lines: [
        ...both(
          'smoothed',
          ofSteps(({ smoothedLoss }) => smoothedLoss),
        ),
        ...(other ? [] : [{ label: 'of the step', points: ofSteps(({ loss }) => loss)(curve) }]),
        ...both(
          'validation',
          ofLooks(({ validationLoss }) => validationLoss),
        ),
      ],
    },
    {
      title: 'Distance from the base model',
      unit: 'nats a token',
      lines: [
        ...both(
          'on general text',
          ofSteps(({ replayKl }) => replayKl),
        ),
        ...both(
          'on validation rows',
          ofLooks(({ klToBase }) => klToBase),
        ),
      ],
    },
    {
      title: 'Validation rows right',
      unit: 'share of the rows',
      lines: both(
        'share',
        ofLooks(({ accuracy }) => accuracy),
      ),
    },
    {
      title: 'Gradient norm',
      unit: 'before clipping',
      lines: both(
        'norm',
        ofSteps(({ gradientNorm }) => gradientNorm),
      ),
    },
    {
      title: 'Learning rate',
      unit: 'of each step',
      lines: both(
        'rate',
        ofSteps(({ learningRate }) => learningRate),
      ),
    },
    {
      title: 'Speed',
      unit: 'tokens/s',
      lines: both(
        'speed',
        ofSteps(({ tokensPerSecond }) => tokensPerSecond),
      ),
    },
  ];
  const told = charts
    .map(({ lines, ...chart }) => ({ ...chart, lines: lines.filter(hasValue) }))
    .filter(({ lines }) => lines.length > 0);
  return (
    <SimpleGrid cols={{ base: 1, lg: 2 }}>
      {told.map(({ title, unit, lines }) => {
        const { x, series } = overlay(lines);
        return (
          <Paper key={title}>
            <Chart title={title} x={{ label: 'step', values: x }} series={series} unit={unit} spanGaps />
          </Paper>
        );
      })}
    </SimpleGrid>
  );
}

function Controls({ run, onChanged }: { run: TrainingRunShownFragment; onChanged: () => void }) {
  const [pausing, pause] = useMutation(PauseTrainingInConsoleDocument);
  const [resuming, resume] = useMutation(ResumeTrainingInConsoleDocument);
  const [cancelling, cancel] = useMutation(CancelTrainingInConsoleDocument);
  const error = pausing.error ?? resuming.error ?? cancelling.error;
  const input = { input: { id: run.id } };
  const open = run.status === 'QUEUED' || run.status === 'RUNNING' || run.status === 'PAUSED';
  if (!open) return null;
  return (
    <Stack gap="xs" align="flex-end">
      <Group gap="xs">
        {run.status === 'PAUSED' ? (
          <WaitingButton
            leftSection={<IconPlayerPlay size={16} />}
            waits={resuming.fetching ? 'Resuming…' : null}
            onClick={() => void resume(input).then(onChanged)}
          >
            Resume
          </WaitingButton>
        ) : (
          <WaitingButton
            variant="default"
            leftSection={<IconPlayerPause size={16} />}
            waits={pausing.fetching ? 'Pausing…' : null}
            onClick={() => void pause(input).then(onChanged)}
          >
            Pause
          </WaitingButton>
        )}
        <WaitingButton
          variant="default"
          color="red"
          leftSection={<IconX size={16} />}
          waits={cancelling.fetching ? 'Cancelling…' : null}
          onClick={() => void cancel(input).then(onChanged)}
        >
          Cancel
        </WaitingButton>
      </Group>
      {error && <ErrorState error={error} />}
    </Stack>
  );
}

/** One training run: how far it is, its curves as they grow, and those of another laid over them. */
export function TrainingView({ id }: { id: string }) {
  const [{ data, error }, again] = useQuery({ query: TrainingRunOpenedDocument, variables: { id } });
  const [{ data: others }] = useQuery({ query: TrainingRunListDocument, variables: { first: RUNS_TO_COMPARE } });
  const [against, setAgainst] = useState<string | null>(null);
  const { curve, last, error: lost } = useCurve(id);
  const compared = useCurve(against);
  const refresh = () => again({ requestPolicy: 'network-only' });
  const status = last?.status;
  useEffect(() => {
    if (status !== undefined) again({ requestPolicy: 'network-only' });
  }, [status, again]);

  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (!data) return <Loading label="Loading the training run" />;
  const run = data.node;
  if (run?.__typename !== 'TrainingRun')
    return <ErrorState error={new GatewayError('NOT_FOUND', 'There is no such training run.')} />;
  const names = (others?.runs.edges ?? []).flatMap(({ node }) =>
    node.__typename === 'TrainingRun' && node.id !== id
      ? [{ value: node.id, label: `${node.adapterName}, ${dateTime(node.createdAt)}` }]
      : [],
  );
  const other = names.find(({ value }) => value === against);
  return (
    <>
      <Anchor component={Link} href="/training" size="sm">
        ← All training runs
      </Anchor>
      <PageHeader
        title={`${run.adapterName}${run.result ? `@${run.result.version}` : ''}`}
        actions={<Controls run={run} onChanged={refresh} />}
      >
        {run.datasetVersion && `${run.datasetVersion.dataset.name}, version ${run.datasetVersion.version}`}
        {run.model && ` · ${run.model.model.name} ${run.model.quantization}`}
      </PageHeader>
      <Stack>
        {lost !== null && <ErrorState error={lost} />}
        {run.error && <ErrorState error={new GatewayError(run.error.code, run.error.message)} />}
        <Paper aria-live="polite">
          <Group justify="space-between" mb={4}>
            <Text size="sm">{last?.message || runLine(run)}</Text>
            <RunBadge status={run.status} />
          </Group>
          <Progress value={(last?.progress ?? run.progress) * 100} aria-label="Progress" />
          {curve.audit && (
            <Text size="sm" c="dimmed" mt="xs">
              {count(curve.audit.trained)} of {count(curve.audit.examples)} rows teach something,{' '}
              {count(curve.audit.validated)} validate.
            </Text>
          )}
          {run.result && (
            <Text size="sm" mt="xs">
              It is{' '}
              <Anchor component={Link} href={adapterPath(run.adapterName)} underline="always">
                {run.adapterName}@{run.result.version}
              </Anchor>
              ; attest and evaluate it before it answers.
            </Text>
          )}
        </Paper>
        <Figures curve={curve} running={run.status === 'RUNNING'} />
        <Group justify="space-between" align="flex-end">
          <Title order={2}>Curves</Title>
          <Select
            aria-label="Lay another run over it"
            placeholder="Lay another run over it"
            clearable
            w={280}
            data={names}
            value={against}
            onChange={setAgainst}
          />
        </Group>
        {compared.error !== null && <ErrorState error={compared.error} />}
        <Curves curve={curve} other={other ? { name: other.label, curve: compared.curve } : null} />
        <Title order={2}>Recipe</Title>
        <Paper>
          <Recipe recipe={run.recipe} />
        </Paper>
      </Stack>
    </>
  );
}
