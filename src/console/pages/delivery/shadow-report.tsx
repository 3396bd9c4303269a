import { SimpleGrid, Stack, Text } from '@mantine/core';
import type {
  ShadowFigureFieldsFragment,
  ShadowReportFieldsFragment,
  ShadowSkipReason,
} from '../../generated/operations';
import { count, duration } from '../../parts/format';
import { Figure, Note, Section } from '../../parts/page';
import { DataTable } from '../../parts/table';

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
    <Section
      title="Beside each other"
      says="The candidate waits behind users, so its time to an answer holds that wait; the work is what compares."
    >
      <DataTable
        dense
        label="Beside each other"
        minWidth={420}
        stacks={2}
        rows={rows}
        columns={[
          { head: 'What', label: null, cell: ([label]) => label },
          { head: 'Served', right: true, cell: ([, { served }, say]) => (served === null ? '–' : say(served)) },
          {
            head: 'Candidate',
            right: true,
            fw: 600,
            cell: ([, { candidate }, say]) => (candidate === null ? '–' : say(candidate)),
          },
        ]}
      />
    </Section>
  );
}

/** Which labels became which. */
function Changes({ changes, compared }: Pick<Report, 'changes' | 'compared'>) {
  if (changes.length === 0) return null;
  return (
    <Section title="Labels that changed">
      <DataTable
        dense
        label="Labels that changed"
        minWidth={420}
        mah={360}
        stacks={2}
        rows={changes}
        columns={[
          { head: 'Served', cell: ({ from }) => from ?? 'no answer' },
          { head: 'Candidate', cell: ({ to }) => to ?? 'no answer' },
          {
            head: 'Questions',
            right: true,
            cell: ({ count: times }) => (
              <>
                {count(times)}{' '}
                <Note span size="xs">
                  {share(times / compared)}
                </Note>
              </>
            ),
          },
        ]}
      />
    </Section>
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
        <Note>
          Not put to it: {skipped.map(({ reason, count: times }) => `${count(times)} (${SKIPPED[reason]})`).join(', ')}.
        </Note>
      )}
    </Stack>
  );
}
