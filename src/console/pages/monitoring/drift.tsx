import { Paper, Table, Text, Title } from '@mantine/core';
import { useQuery } from 'urql';
import { DriftShownDocument, type DriftShownQuery } from '../../generated/operations';
import { count, percent } from '../../parts/format';
import { ScrollRegion } from '../../parts/scroll-region';
import { ErrorState } from '../../parts/states';

type Stream = DriftShownQuery['drift'][number];

const PHASES = {
  LEARNING: 'learns what there is',
  GATHERING: 'gathers what to hold against',
  WATCHING: 'watches',
  OFF: 'too few training rows',
} as const;

/** Evidence in words: alarms come at `alarmAt`. */
const evidenceOf = ({ evidence, alarmAt }: Stream): string =>
  evidence === null ? '' : evidence < 0.1 ? 'none' : `${evidence.toPrecision(2)} of ${Number(alarmAt.toPrecision(2))}`;

/** The label that changed most, or unlike questions, where there is something of either. */
function mostChanged({ shares, kind }: Stream): string {
  const [most] = shares;
  if (!most || most.now === null) return '';
  const name = kind === 'LABELS' ? `“${most.name}”` : 'unlike those that are known';
  return `${name}: ${percent(most.reference)} → ${percent(most.now)}`;
}

/** What is watched for change, and what is seen of one. */
export function Drift() {
  const [{ data, error }, again] = useQuery({ query: DriftShownDocument });
  const streams = data?.drift ?? [];
  return (
    <Paper>
      <Title order={2} size="h3" mb="xs">
        Drift
      </Title>
      {error && <ErrorState error={error} onRetry={again} />}
      {!data ? null : streams.length === 0 ? (
        <Text size="sm" c="dimmed">
          Once there are answers, their questions are held against those before, and those that an adapter answers
          against the rows that it was trained on.
        </Text>
      ) : (
        <ScrollRegion minWidth={640} stacks={2}>
          <Table verticalSpacing="xs" aria-label="What is watched for change">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Watched</Table.Th>
                <Table.Th>Against</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th>Most changed</Table.Th>
                <Table.Th ta="right">Evidence</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {streams.map((stream) => (
                <Table.Tr key={stream.id} data-testid="drift">
                  <Table.Td>
                    {stream.kind === 'LABELS' ? 'labels' : 'questions'} of {stream.adapter ?? 'all answers'}
                  </Table.Td>
                  <Table.Td data-label="Against">
                    {stream.against === 'TRAINING' ? 'training rows' : 'what came before'}
                  </Table.Td>
                  <Table.Td data-label="State">
                    {PHASES[stream.phase]}, {count(stream.observations)}
                    {stream.needed === null ? '' : ` of ${count(stream.needed)}`}
                  </Table.Td>
                  <Table.Td data-label="Most changed">{mostChanged(stream)}</Table.Td>
                  <Table.Td ta="right" data-label="Evidence">
                    {evidenceOf(stream)}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </ScrollRegion>
      )}
    </Paper>
  );
}
