import { Badge, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useQuery } from 'urql';
import { EnginesShownDocument, type EnginesShownQuery } from '../../generated/operations';
import { DataTable } from '../../parts/data-table';
import { count, words } from '../../parts/format';
import { useLook } from '../../parts/use-look';
import { Note } from '../../parts/words';

type Engine = EnginesShownQuery['engines'][number];

const EVERY_MS = 5_000;

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
      keyOf={({ name }) => name}
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
export function Fleet() {
  const shown = useQuery({ query: EnginesShownDocument });
  const [{ data }] = shown;
  const engines = data?.engines ?? [];
  const some = engines.length > 0;
  useLook(shown, some ? EVERY_MS : null);
  if (!some) return null;
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
