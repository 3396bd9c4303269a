import { Badge, Group, Paper, Progress, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core';
import { useEffect, useState, type ReactNode } from 'react';
import { useClient, useQuery } from 'urql';
import { EnginesDocument, SystemDocument, type EnginesQuery, type SystemQuery } from '../../generated/operations';
import { Chart } from '../../parts/charts/chart';
import { bytes, count, duration, words } from '../../parts/format';
import { ErrorState, Loading, Note, PageHeader, Section } from '../../parts/page';
import { DataTable } from '../../parts/table';
import { useLook } from '../../parts/use-look';

type Engine = EnginesQuery['engines'][number];

const FLEET_EVERY_MS = 5_000;

const COLOURS: Record<string, string> = {
  READY: 'green',
  PROVEN: 'green',
  REFUSED: 'red',
  UNPROVEN: 'red',
  AWAY: 'red',
};

function Adapters({ engine }: { engine: Engine }) {
  if (engine.adapters.length === 0) return <Note>No adapter is loaded.</Note>;
  return (
    <DataTable
      dense
      label={`Adapters on ${engine.url}`}
      minWidth={560}
      stacks={2}
      rows={engine.adapters}
      columns={[
        { head: 'Adapter', label: null, cell: ({ name }) => name },
        {
          head: 'State',
          cell: ({ state, reason }) => (
            <>
              <Badge color={COLOURS[state] ?? 'gray'}>{words(state)}</Badge>
              {reason && <Note size="xs">{reason}</Note>}
            </>
          ),
        },
        { head: 'Attested (cosine)', right: true, cell: ({ cosine }) => cosine?.toFixed(3) ?? 'not yet' },
        { head: 'Answered', right: true, cell: ({ answered }) => count(answered) },
      ]}
    />
  );
}

/** The engines beside the worker; nothing where there are none. */
function Fleet() {
  const result = useQuery({ query: EnginesDocument });
  const [{ data }] = result;
  const engines = data?.engines ?? [];
  const hasEngines = engines.length > 0;
  useLook(result, hasEngines ? FLEET_EVERY_MS : null);
  if (!hasEngines) return null;
  return (
    <Stack mt="md">
      <Title order={2} size="h3">
        Fleet
      </Title>
      {engines.map((engine) => (
        <Paper key={engine.url}>
          <Group justify="space-between" mb="xs">
            <Text fw={600}>{engine.url}</Text>
            <Badge color={engine.paused ? 'yellow' : (COLOURS[engine.state] ?? 'gray')}>
              {engine.paused ? 'left alone' : words(engine.state)}
            </Badge>
          </Group>
          <Note mb="xs">
            {engine.reason ??
              `${words(engine.dialect ?? '')} ${engine.version ?? ''} · ${engine.base ?? ''} · ${count(engine.contextTokens ?? 0)} tokens of context`}
            {` · ${count(engine.inFlight)} under way, ${count(engine.answered)} answered, ${count(engine.failed)} failed`}
          </Note>
          <Adapters engine={engine} />
        </Paper>
      ))}
    </Stack>
  );
}

type System = SystemQuery['system'];

interface Sample {
  at: number;
  system: System;
}

const EVERY_MS = 2_000;
/** Twenty minutes of samples. */
const KEPT = 600;
const MEGABYTE = 1e6;

/** `CPU`, `CUDA`; other names of providers are their own. */
const providerName = (name: string | null | undefined): string =>
  name ? (name.length <= 4 ? name.toUpperCase() : name) : 'unknown';

/** The system every two seconds, oldest first, and what went wrong at the last try. */
function useSamples() {
  const client = useClient();
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    let stopped = false;
    const look = async () => {
      if (document.visibilityState === 'hidden') return;
      const result = await client.query(SystemDocument, {}, { requestPolicy: 'network-only' });
      if (stopped) return;
      setError(result.error ?? null);
      const system = result.data?.system;
      if (system) setSamples((previousSamples) => [...previousSamples, { at: Date.now() / 1000, system }].slice(-KEPT));
    };
    void look();
    const timer = setInterval(() => void look(), EVERY_MS);
    return () => {
      stopped = true;
      clearInterval(timer);
    };
  }, [client]);
  return { samples, error };
}

type Fact = [name: string, value: ReactNode, key?: string];

function Facts({ title, rows }: { title: string; rows: readonly Fact[] }) {
  return (
    <Section title={title}>
      <Table withRowBorders={false} verticalSpacing={4} horizontalSpacing={0}>
        <Table.Tbody>
          {rows.map(([name, value, key = name]) => (
            <Table.Tr key={key}>
              <Table.Th scope="row" fw={400} c="dimmed" w="45%">
                {name}
              </Table.Th>
              <Table.Td>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Section>
  );
}

function Room({ title, free, total }: { title: string; free: number | string; total: number | string }) {
  const used = 1 - Number(free) / Number(total);
  return (
    <div>
      <Group justify="space-between" mb={4}>
        <Text size="sm">{title}</Text>
        <Note size="xs">
          {bytes(free)} of {bytes(total)} free
        </Note>
      </Group>
      <Progress value={used * 100} color={used > 0.9 ? 'red' : 'teal'} aria-label={`${title} in use`} />
    </div>
  );
}

const megabytes = (value: number | string | null): number | null => (value === null ? null : Number(value) / MEGABYTE);

/** What the worker and the gateway needed, sample by sample. */
function Courses({ samples }: { samples: readonly Sample[] }) {
  const x = { label: 'time', values: samples.map(({ at }) => at), time: true };
  const line = (label: string, value: (system: System) => number | null) => ({
    label,
    values: samples.map(({ system }) => value(system)),
  });
  const load = [line('under way', ({ worker }) => worker.active), line('waiting', ({ worker }) => worker.queued)];
  const memory = [
    line('worker', ({ worker }) => megabytes(worker.memoryBytes)),
    line('gateway', ({ memory: { gatewayBytes } }) => megabytes(gatewayBytes)),
  ];
  return (
    <>
      <Paper>
        <Chart title="Worker load" unit="requests" fromZero x={x} series={load} />
      </Paper>
      <Paper>
        <Chart title="Memory" unit="MB" fromZero x={x} series={memory} />
      </Paper>
    </>
  );
}

function WorkerFacts({ worker: { state, device, threads, restarts } }: Pick<System, 'worker'>) {
  return (
    <Facts
      title="Worker"
      rows={[
        ['State', words(state)],
        ['Processor', device ? `${device.processor}, ${device.cores} cores` : 'unknown'],
        ['GPU', device?.gpu ?? 'none'],
        ['Inference runs on', providerName(device?.inferenceProvider)],
        ['Embedding runs on', providerName(device?.embeddingProvider)],
        ['Threads', threads ? `${threads.prefill} to read, ${threads.decode} to write` : 'not measured'],
        ['Restarts', restarts],
      ]}
    />
  );
}

function SystemReport({ system, samples }: { system: System; samples: readonly Sample[] }) {
  const { worker, versions, memory, disk, queues, parts } = system;
  const waiting = queues.map(({ kind, status, count: runs }): Fact => [
    words(kind),
    `${runs} ${status.toLowerCase()}`,
    `${kind} ${status}`,
  ]);
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        {parts.map(({ name, ready, embedded, detail }) => (
          <Paper key={name}>
            <Group justify="space-between">
              <Text fw={600}>{words(name)}</Text>
              <Badge color={ready ? 'green' : 'red'}>{ready ? 'ready' : 'not ready'}</Badge>
            </Group>
            <Note>
              {embedded ? 'started by Graft' : 'external server'}
              {detail && detail !== 'ready' ? ` · ${detail}` : ''}
            </Note>
          </Paper>
        ))}
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Courses samples={samples} />
        <WorkerFacts worker={worker} />
        <Facts
          title="Versions"
          rows={[
            ['Graft', versions.graft],
            ['Node.js', versions.node],
            ['Inference engine', versions.inference ?? 'unknown'],
            ['Embedding engine', versions.embedding ? `ONNX Runtime ${versions.embedding}` : 'unknown'],
            ['Running for', duration(system.uptimeSeconds * 1000)],
          ]}
        />
        <Section title="Room">
          <Stack gap="sm">
            <Room title="Memory" free={memory.freeBytes} total={memory.totalBytes} />
            {disk && <Room title="Disk" free={disk.freeBytes} total={disk.totalBytes} />}
          </Stack>
        </Section>
        <Facts title="Queues" rows={waiting.length === 0 ? [['All', 'nothing waits or works']] : waiting} />
      </SimpleGrid>
    </Stack>
  );
}

export default function SystemPage() {
  const { samples, error } = useSamples();
  const latest = samples.at(-1);
  return (
    <>
      <PageHeader title="System">What runs, on which device, and how much room is left.</PageHeader>
      <ErrorState error={error} />
      {latest ? <SystemReport system={latest.system} samples={samples} /> : error === null && <Loading />}
      <Fleet />
    </>
  );
}
