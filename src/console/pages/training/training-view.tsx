import { Group, Paper, Progress, Select, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconPlayerPause, IconPlayerPlay, IconX } from '@tabler/icons-react';
import { useCallback, useEffect, useState } from 'react';
import { useQuery } from 'urql';
import {
  CancelRunDocument,
  PauseRunDocument,
  ResumeRunDocument,
  TrainingRunListDocument,
  TrainingRunOpenedDocument,
  type TrainingRunShownFragment,
} from '../../generated/operations';
import { Chart } from '../../parts/charts/chart';
import { useSend, WaitingButton } from '../../parts/form';
import { bytes, count, dateTime, duration, rowsOf, runLine } from '../../parts/format';
import { GatewayError } from '../../parts/gateway-error';
import { Opened } from '../../parts/loaded';
import { ErrorState, Figure, Note, PageHeader, To } from '../../parts/page';
import { adapterPath } from '../../parts/paths';
import { isOpen, RunBadge } from '../../parts/runs';
import { overlay, type Audit, type Curve, type Line, type Look, type Step, type TrainingEvent } from './curve';
import { useCurve } from './use-curve';

const textOf = (value: unknown): string =>
  Array.isArray(value) ? value.map(String).join(', ') : typeof value === 'string' ? value : JSON.stringify(value);

/** `{ retention: { weight: 3 } }` as `retention.weight`, which is also how the API’s input nests it. */
const settingsOf = (recipe: object, prefix = ''): [string, string][] =>
  Object.entries(recipe).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? settingsOf(value, `${prefix}${name}.`)
      : [[`${prefix}${name}`, textOf(value)]],
  );

/** Every setting that a training was made with, by its name in the API. */
function Recipe({ recipe }: { recipe: unknown }) {
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 4 }} spacing="sm">
      {settingsOf(recipe as object).map(([name, value]) => (
        <div key={name}>
          <Note size="xs" ff="monospace">
            {name}
          </Note>
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            {value}
          </Text>
        </div>
      ))}
    </SimpleGrid>
  );
}

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

type Points = (curve: Curve) => Line['points'];

const ofSteps =
  (value: (step: Step) => number | null): Points =>
  ({ steps }) =>
    steps.map((step) => ({ step: step.step, value: value(step) }));
const ofLooks =
  (value: (look: Look) => number | null): Points =>
  ({ looks }) =>
    looks.map((look) => ({ step: look.step, value: value(look) }));

/** What is drawn of a run; `alone`: only where no other run is laid over it. */
const CHARTS: readonly {
  title: string;
  unit: string;
  fromZero?: boolean;
  lines: readonly { label: string; points: Points; alone?: boolean }[];
}[] = [
  {
    title: 'Loss',
    unit: 'nats a token',
    lines: [
      { label: 'smoothed', points: ofSteps((step) => step.smoothedLoss) },
      { label: 'of the step', points: ofSteps((step) => step.loss), alone: true },
      { label: 'validation', points: ofLooks((look) => look.validationLoss) },
    ],
  },
  {
    title: 'Distance from the base model',
    unit: 'nats a token',
    lines: [
      { label: 'on general text', points: ofSteps((step) => step.replayKl) },
      { label: 'on validation rows', points: ofLooks((look) => look.klToBase) },
    ],
  },
  {
    title: 'Validation rows right',
    unit: 'share of the rows',
    fromZero: true,
    lines: [{ label: 'share', points: ofLooks((look) => look.accuracy) }],
  },
  {
    title: 'Gradient norm',
    unit: 'before clipping',
    lines: [{ label: 'norm', points: ofSteps((step) => step.gradientNorm) }],
  },
  {
    title: 'Learning rate',
    unit: 'of each step',
    lines: [{ label: 'rate', points: ofSteps((step) => step.learningRate) }],
  },
  {
    title: 'Speed',
    unit: 'tokens/s',
    lines: [{ label: 'speed', points: ofSteps((step) => step.tokensPerSecond) }],
  },
];

const hasValue = ({ points }: Line): boolean => points.some(({ value }) => value !== null);

/** The curves of a run, and beside each those of another. */
function Curves({ curve, other }: { curve: Curve; other: { name: string; curve: Curve } | null }) {
  const charts = CHARTS.map(({ lines, ...chart }) => ({
    ...chart,
    lines: lines
      .flatMap(({ label, points, alone }): Line[] => {
        const line = { label, points: points(curve) };
        if (other === null) return [line];
        return alone ? [] : [line, { label: `${label}, ${other.name}`, points: points(other.curve) }];
      })
      .filter(hasValue),
  })).filter(({ lines }) => lines.length > 0);
  return (
    <SimpleGrid cols={{ base: 1, lg: 2 }}>
      {charts.map(({ lines, ...chart }) => {
        const { x, series } = overlay(lines);
        return (
          <Paper key={chart.title}>
            <Chart {...chart} x={{ label: 'step', values: x }} series={series} spanGaps />
          </Paper>
        );
      })}
    </SimpleGrid>
  );
}

function Controls({ run, onChanged }: { run: TrainingRunShownFragment; onChanged: () => void }) {
  const pause = useSend(PauseRunDocument);
  const resume = useSend(ResumeRunDocument);
  const cancel = useSend(CancelRunDocument);
  if (!isOpen(run.status)) return null;
  const order = (sending: typeof pause | typeof resume | typeof cancel) => () =>
    sending.send({ id: run.id }).then(onChanged);
  return (
    <Stack gap="xs" align="flex-end">
      <Group gap="xs">
        {run.status === 'PAUSED' ? (
          <WaitingButton
            leftSection={<IconPlayerPlay size={16} />}
            waits={resume.fetching && 'Resuming…'}
            onClick={order(resume)}
          >
            Resume
          </WaitingButton>
        ) : (
          <WaitingButton
            variant="default"
            leftSection={<IconPlayerPause size={16} />}
            waits={pause.fetching && 'Pausing…'}
            onClick={order(pause)}
          >
            Pause
          </WaitingButton>
        )}
        <WaitingButton
          variant="default"
          color="red"
          leftSection={<IconX size={16} />}
          waits={cancel.fetching && 'Cancelling…'}
          onClick={order(cancel)}
        >
          Cancel
        </WaitingButton>
      </Group>
      <ErrorState error={pause.error ?? resume.error ?? cancel.error} />
    </Stack>
  );
}

/** How far a run is, what its rows teach, and what came of it. */
function Course(props: { run: TrainingRunShownFragment; last: TrainingEvent | null; audit: Audit | null }) {
  const { run, last, audit } = props;
  return (
    <Paper aria-live="polite">
      <Group justify="space-between" mb={4}>
        <Text size="sm">{last?.message || runLine(run)}</Text>
        <RunBadge status={run.status} />
      </Group>
      <Progress value={(last?.progress ?? run.progress) * 100} aria-label="Progress" />
      {audit && (
        <Note mt="xs">
          {count(audit.trained)} of {count(audit.examples)} answers teach something, {count(audit.validated)} validate.
        </Note>
      )}
      {run.result && (
        <Text size="sm" mt="xs">
          It is{' '}
          <To href={adapterPath(run.adapterName)} underline="always">
            {run.adapterName}@{run.result.version}
          </To>
          ; attest and evaluate it before it answers.
        </Text>
      )}
    </Paper>
  );
}

function OpenedTraining({ run, onChanged }: { run: TrainingRunShownFragment; onChanged: () => void }) {
  const [{ data: runList }] = useQuery({ query: TrainingRunListDocument, variables: { first: RUNS_TO_COMPARE } });
  const [comparedRunId, setAgainst] = useState<string | null>(null);
  const { curve, last, error: curveError } = useCurve(run.id);
  const compared = useCurve(comparedRunId);
  const status = last?.status;
  useEffect(() => {
    if (status !== undefined) onChanged();
  }, [status, onChanged]);
  const names = (runList?.runs.edges ?? []).flatMap(({ node }) =>
    node.__typename === 'TrainingRun' && node.id !== run.id
      ? [{ value: node.id, label: `${node.adapterName}, ${dateTime(node.createdAt)}` }]
      : [],
  );
  const comparedRun = names.find(({ value }) => value === comparedRunId);
  return (
    <>
      <PageHeader
        title={`${run.adapterName}${run.result ? `@${run.result.version}` : ''}`}
        back={['/training', 'All training runs']}
        actions={<Controls run={run} onChanged={onChanged} />}
      >
        {run.datasetVersion && rowsOf(run.datasetVersion)}
        {run.model && ` · ${run.model.model.name} ${run.model.quantization}`}
      </PageHeader>
      <Stack>
        <ErrorState error={curveError} />
        <ErrorState error={run.error && new GatewayError(run.error.code, run.error.message)} />
        <Course run={run} last={last} audit={curve.audit} />
        <Figures curve={curve} running={run.status === 'RUNNING'} />
        <Group justify="space-between" align="flex-end">
          <Title order={2}>Curves</Title>
          <Select
            aria-label="Lay another run over it"
            placeholder="Lay another run over it"
            clearable
            w={280}
            data={names}
            value={comparedRunId}
            onChange={setAgainst}
          />
        </Group>
        <ErrorState error={compared.error} />
        <Curves curve={curve} other={comparedRun ? { name: comparedRun.label, curve: compared.curve } : null} />
        <Title order={2}>Recipe</Title>
        <Paper>
          <Recipe recipe={run.recipe} />
        </Paper>
      </Stack>
    </>
  );
}

/** One training run: how far it is, its curves as they grow, and those of another laid over them. */
export function TrainingView({ id }: { id: string }) {
  const result = useQuery({ query: TrainingRunOpenedDocument, variables: { id } });
  const refetch = result[1];
  const look = useCallback(() => refetch({ requestPolicy: 'network-only' }), [refetch]);
  return (
    <Opened shown={result} what="training run" thing={({ node }) => (node?.__typename === 'TrainingRun' ? node : null)}>
      {(run) => <OpenedTraining run={run} onChanged={look} />}
    </Opened>
  );
}
