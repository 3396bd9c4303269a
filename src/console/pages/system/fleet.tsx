import { Badge, Group, Paper, Stack, Table, Text, Title } from '@mantine/core';
import { useQuery } from 'urql';
import { EnginesShownDocument, type EnginesShownQuery } from '../../generated/operations';
import { count, words } from '../../parts/format';
import { ScrollRegion } from '../../parts/scroll-region';
import { useLook } from '../../parts/use-look';

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
  if (engine.adapters.length === 0)
    return (
      <Text size="sm" c="dimmed">
        No adapter is loaded.
      </Text>
    );
  return (
    <ScrollRegion minWidth={560} stacks={2}>
      <Table verticalSpacing={4} aria-label={`Adapters on ${engine.url}`}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Adapter</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th ta="right">Attested (cosine)</Table.Th>
            <Table.Th ta="right">Answered</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {engine.adapters.map(({ name, state, reason, cosine, answered }) => (
            <Table.Tr key={name}>
              <Table.Td>{name}</Table.Td>
              <Table.Td data-label="State">
                <Badge color={COLOURS[state] ?? 'gray'}>{words(state)}</Badge>
                {reason && (
                  <Text size="xs" c="dimmed">
                    {reason}
                  </Text>
                )}
              </Table.Td>
              <Table.Td ta="right" data-label="Attested (cosine)">
                {cosine === null ? 'not yet' : cosine.toFixed(3)}
              </Table.Td>
              <Table.Td ta="right" data-label="Answered">
                {count(answered)}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollRegion>
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
          <Text size="sm" c="dimmed" mb="xs">
            {engine.reason ??
              `${words(engine.dialect ?? '')} ${engine.version ?? ''} · ${engine.base ?? ''} · ${count(engine.contextTokens ?? 0)} tokens of context`}
            {` · ${count(engine.inFlight)} under way, ${count(engine.answered)} answered, ${count(engine.failed)} failed`}
          </Text>
          <Adapters engine={engine} />
        </Paper>
      ))}
    </Stack>
  );
}
