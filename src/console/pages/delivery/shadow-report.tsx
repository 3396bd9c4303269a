import { Paper, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core';
import type {
  ShadowFigureFieldsFragment,
  ShadowReportFieldsFragment,
  ShadowSkipReason,
} from '../../generated/operations';
import { Figure } from '../../parts/figure';
import { count, duration } from '../../parts/format';
import { ScrollRegion } from '../../parts/scroll-region';

type Report = ShadowReportFieldsFragment;

const SKIPPED: Record<ShadowSkipReason, string> = {
  BUSY: 'users came first, or the candidate is slow',
  HOURLY_BOUND: 'as many as allowed had been asked within the hour',
  UNAVAILABLE: 'what answering takes was away',
  ENDED: 'it still waited at the end',
};

const share = (value: number): string => `${(100 * value).toFixed(1)} %`;

/** Each figure of what was served, beside the candidate’s. */
function Figures({ report }: { report: Report }) {
  const milliseconds = (value: number) => duration(value);
  const rows: [string, ShadowFigureFieldsFragment, (value: number) => string][] = [
    ['Work on an answer, median', report.computeMs, milliseconds],
    ['From question to answer, median', report.latencyMs, milliseconds],
    ['Confidence, mean', report.confidence, (value) => value.toFixed(2)],
    ['Questions without an answer', report.abstentions, count],
  ];
  return (
    <Paper>
      <Title order={2} size="h3">
        Beside each other
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        The candidate waits behind users, so its time to an answer holds that wait; the work is what compares.
      </Text>
      <ScrollRegion minWidth={420} stacks={2}>
        <Table verticalSpacing={4} aria-label="Beside each other">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>What</Table.Th>
              <Table.Th ta="right">Served</Table.Th>
              <Table.Th ta="right">Candidate</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map(([label, { served, candidate }, say]) => (
              <Table.Tr key={label}>
                <Table.Td>{label}</Table.Td>
                <Table.Td ta="right" data-label="Served">
                  {served === null ? '–' : say(served)}
                </Table.Td>
                <Table.Td ta="right" fw={600} data-label="Candidate">
                  {candidate === null ? '–' : say(candidate)}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollRegion>
    </Paper>
  );
}

/** Which labels became which. */
function Changes({ changes, compared }: Pick<Report, 'changes' | 'compared'>) {
  if (changes.length === 0) return null;
  return (
    <Paper>
      <Title order={2} size="h3" mb="xs">
        Labels that changed
      </Title>
      <ScrollRegion minWidth={420} mah={360} stacks={2}>
        <Table verticalSpacing={4} aria-label="Labels that changed">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Served</Table.Th>
              <Table.Th>Candidate</Table.Th>
              <Table.Th ta="right">Questions</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {changes.map(({ from, to, count: times }) => (
              <Table.Tr key={`${from} → ${to}`}>
                <Table.Td data-label="Served">{from ?? 'no answer'}</Table.Td>
                <Table.Td data-label="Candidate">{to ?? 'no answer'}</Table.Td>
                <Table.Td ta="right" data-label="Questions">
                  {count(times)}{' '}
                  <Text span size="xs" c="dimmed">
                    {share(times / compared)}
                  </Text>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollRegion>
    </Paper>
  );
}

/** What a shadow found; proposals show it, too. */
export function ShadowReport({ report }: { report: Report }) {
  const { agreement, compared, answered, truth, skipped } = report;
  return (
    <Stack>
      <Text>{report.sentence}</Text>
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <Figure
          label={agreement ? `Said the same; ${share(agreement.low)} to ${share(agreement.high)}` : 'Said the same'}
          value={agreement ? share(agreement.value) : '–'}
        />
        <Figure label="Questions put to the candidate" value={count(answered)} />
        <Figure
          label={
            truth.known > 0
              ? `Right of ${count(truth.known)} that are known, beside what was served`
              : 'Right answers known'
          }
          value={truth.known > 0 ? `${count(truth.candidateRight)} beside ${count(truth.servedRight)}` : 'none yet'}
        />
      </SimpleGrid>
      {compared > 0 && <Figures report={report} />}
      <Changes changes={report.changes} compared={compared} />
      {skipped.length > 0 && (
        <Text size="sm" c="dimmed">
          Not put to it: {skipped.map(({ reason, count: times }) => `${count(times)} (${SKIPPED[reason]})`).join(', ')}.
        </Text>
      )}
    </Stack>
  );
}
