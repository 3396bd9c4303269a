import { Badge, Paper, Table, Text, Title } from '@mantine/core';
import type { GuardFieldsFragment, RolloutMetric, RolloutShownFragment } from '../../generated/operations';
import { count, duration } from '../../parts/format';
import { ScrollRegion } from '../../parts/scroll-region';

const NAMES: Record<RolloutMetric, string> = {
  FAILURE: 'Answers without an error',
  ABSTENTION: 'Questions that are answered',
  LATENCY: 'Answers that are quick enough',
  CONFIDENCE: 'Answers that are sure enough',
  FEEDBACK: 'Answers that people found right',
};

const share = (value: number | null): string => (value === null ? '–' : `${(100 * value).toFixed(1)} %`);

/** Points of a hundred, with their sign. */
const points = (value: number): string => `${value > 0 ? '+' : ''}${(100 * value).toFixed(1)}`;

/** How near the evidence against the candidate is to where it decides. */
const near = ({ evidenceWorse, decidesAt }: GuardFieldsFragment): string =>
  `${Math.max(0, Math.round((100 * evidenceWorse) / decidesAt))} %`;

/** With which probability a loss of ten points would have been found by now, and by the end. */
const foundWith = ({ couldSee }: GuardFieldsFragment): string => {
  const seen = couldSee.find(({ loss }) => loss === 0.1);
  return seen ? `${(100 * seen.byNow).toFixed(0)} % by now, ${(100 * seen.byTheEnd).toFixed(0)} % by the end` : '–';
};

const boundOf = ({ metric, bound }: GuardFieldsFragment): string | null =>
  bound === null ? null : metric === 'LATENCY' ? `under ${duration(bound)}` : `at least ${bound.toFixed(2)}`;

function Guards({ title, says, guards }: { title: string; says: string; guards: readonly GuardFieldsFragment[] }) {
  if (guards.length === 0) return null;
  return (
    <Paper>
      <Title order={2} size="h3">
        {title}
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        {says}
      </Text>
      <ScrollRegion minWidth={760} stacks={2}>
        <Table verticalSpacing={4} aria-label={title}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>What</Table.Th>
              <Table.Th ta="right">Candidate</Table.Th>
              <Table.Th ta="right">Control</Table.Th>
              <Table.Th ta="right">Difference</Table.Th>
              <Table.Th ta="right">May be worse by</Table.Th>
              <Table.Th ta="right">Evidence that it is</Table.Th>
              <Table.Th ta="right">10 points worse: found with</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {guards.map((guard) => (
              <Table.Tr key={guard.metric}>
                <Table.Td data-label="What">
                  {NAMES[guard.metric]}
                  {boundOf(guard) && (
                    <Text span size="xs" c="dimmed">
                      {' '}
                      ({boundOf(guard)})
                    </Text>
                  )}
                </Table.Td>
                <Table.Td ta="right" fw={600} data-label="Candidate">
                  {share(guard.candidate.value)}
                  <Text span size="xs" c="dimmed">
                    {' '}
                    of {count(guard.candidate.answers)}
                  </Text>
                </Table.Td>
                <Table.Td ta="right" data-label="Control">
                  {share(guard.control.value)}
                  <Text span size="xs" c="dimmed">
                    {' '}
                    of {count(guard.control.answers)}
                  </Text>
                </Table.Td>
                <Table.Td ta="right" data-label="Difference">
                  {guard.difference === null ? '–' : points(guard.difference.estimate)}
                  {guard.difference && (
                    <Text span size="xs" c="dimmed">
                      {' '}
                      ({points(guard.difference.low)} to {points(guard.difference.high)})
                    </Text>
                  )}
                </Table.Td>
                <Table.Td ta="right" data-label="May be worse by">
                  {(100 * guard.margin).toFixed(0)} points
                </Table.Td>
                <Table.Td ta="right" data-label="Evidence that it is">
                  {guard.crossed ? <Badge color="red">crossed</Badge> : near(guard)}
                </Table.Td>
                <Table.Td ta="right" data-label="10 points worse: found with">
                  {foundWith(guard)}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollRegion>
    </Paper>
  );
}

/** What a rollout watches: each figure of the candidate beside that of its controls, and how near it is to deciding. */
export function WatchedFigures({ rollout }: { rollout: RolloutShownFragment }) {
  return (
    <>
      <Guards
        title="Guardrails"
        says="One that is crossed rolls the candidate back at once. The difference is in points, with an interval that holds however often one looks. Evidence of 100 % is a rollback. The last column says what could have been seen: a figure that didn’t cross is no worse only as far as that."
        guards={rollout.guardrails}
      />
      <Guards
        title="Signals"
        says="One that is crossed holds the rollout until a person looks."
        guards={rollout.signals}
      />
    </>
  );
}
