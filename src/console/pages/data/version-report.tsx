import { Accordion, Alert, Badge, Group, SimpleGrid, Stack, Text } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import { useQuery } from 'urql';
import { VersionReportDocument, type VersionReportQuery } from '../../generated/operations';
import { ShareBar } from '../../parts/bars';
import { count, plural, words } from '../../parts/format';
import { EmptyState, ErrorState, Loading, Note, Section, Strong } from '../../parts/page';
import { DataTable } from '../../parts/table';

type Version = Extract<NonNullable<VersionReportQuery['node']>, { __typename: 'DatasetVersion' }>;
type Problem = Version['report']['problems'][number];

const COLOURS = { ERROR: 'red', WARNING: 'yellow', INFO: 'blue' } as const;
const LABELS_SHOWN = 20;

function Rows({ problem, files }: { problem: Problem; files: number }) {
  return (
    <DataTable
      dense
      label={`Rows of ${problem.rule}`}
      minWidth={files > 1 ? 420 : 240}
      mah={360}
      rows={problem.rows}
      columns={[
        files > 1 && { head: 'File', cell: ({ file }) => file },
        {
          head: 'Row',
          right: true,
          w: 72,
          cell: ({ row, line }) => <span title={line === null ? undefined : `line ${line}`}>{count(row)}</span>,
        },
        { head: 'What is wrong', cell: ({ note }) => note },
      ]}
    />
  );
}

function ProblemItem({ problem, files }: { problem: Problem; files: number }) {
  return (
    <Accordion.Item value={problem.rule}>
      <Accordion.Control>
        <Group gap="xs">
          <Badge color={COLOURS[problem.severity]}>{words(problem.severity)}</Badge>
          <Strong>{problem.rule}</Strong>
          <Note>
            {problem.count === 0 ? 'the version as a whole' : plural(problem.count, 'row')}
            {problem.quarantined > 0 && ` · ${count(problem.quarantined)} kept out`}
          </Note>
        </Group>
      </Accordion.Control>
      <Accordion.Panel>
        <Stack gap="xs">
          <Text size="sm">{problem.meaning}</Text>
          <Note>{problem.cure}</Note>
          {problem.findings.map(({ message }) => (
            <Text key={message} size="sm">
              • {message}
            </Text>
          ))}
          {problem.rows.length > 0 && <Rows problem={problem} files={files} />}
        </Stack>
      </Accordion.Panel>
    </Accordion.Item>
  );
}

function Labels({ labels }: { labels: Version['statistics']['labels'] }) {
  const maximum = Math.max(1, ...labels.map(({ train }) => train));
  return (
    <Section title="Labels">
      <Note mb="sm">Rows to train / to validate / to test.</Note>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
        {labels.slice(0, LABELS_SHOWN).map(({ label, train, validation, test }) => (
          <ShareBar
            key={label}
            label={label}
            value={train / maximum}
            text={`${count(train)} / ${count(validation)} / ${count(test)}`}
          />
        ))}
      </SimpleGrid>
      {labels.length > LABELS_SHOWN && <Note mt="sm">and {plural(labels.length - LABELS_SHOWN, 'label')} more</Note>}
    </Section>
  );
}

/** What was found wrong with a version, rule by rule, with the rows that each names. */
export function VersionReport({ id }: { id: string }) {
  const [{ data, error }, refetch] = useQuery({ query: VersionReportDocument, variables: { id } });
  if (error && !data) return <ErrorState error={error} onRetry={refetch} />;
  if (!data) return <Loading label="Loading the report" />;
  if (data.node?.__typename !== 'DatasetVersion') return <Text>The version was withdrawn.</Text>;
  const { report, usable, unusableReason, statistics, sources } = data.node;
  return (
    <Stack>
      {!usable && (
        <Alert color="red" title="Must not be trained on">
          {unusableReason}
        </Alert>
      )}
      <Text size="sm">
        {count(report.usableRows)} of {plural(report.rows, 'row')}
        {sources.length === 1 && ` of ${sources[0]!.name}`} can be learned from; {count(report.quarantinedRows)} are
        kept out.
      </Text>
      {report.problems.length === 0 ? (
        <EmptyState icon={IconCircleCheck} title="No rule found anything">
          Every row was read and checked.
        </EmptyState>
      ) : (
        <Accordion variant="contained" multiple>
          {report.problems.map((problem) => (
            <ProblemItem key={problem.rule} problem={problem} files={sources.length} />
          ))}
        </Accordion>
      )}
      {statistics.labels.length > 0 && <Labels labels={statistics.labels} />}
    </Stack>
  );
}
