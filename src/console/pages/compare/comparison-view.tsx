import { Alert, Anchor, Badge, Paper, Stack, Table, Text, Title } from '@mantine/core';
import { IconCircleCheck, IconHelpCircle } from '@tabler/icons-react';
import { useEffect } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import {
  ComparisonOpenedDocument,
  ComparisonProgressShownDocument,
  type ComparisonProgressShownSubscription,
  type ComparisonShownFragment,
} from '../../generated/operations';
import { IntervalBars } from '../../parts/charts/interval-bars';
import { capitalised, count, dateTime, duration, plural, signed } from '../../parts/format';
import { GatewayError } from '../../parts/gateway-error';
import { RunProgress } from '../../parts/run-progress';
import { ScrollRegion } from '../../parts/scroll-region';
import { ErrorState, Loading, PageHeader } from '../../parts/states';
import { useRun } from '../../parts/use-run';
import { STRATEGY_NAMES } from '../ask/names';

type Report = NonNullable<ComparisonShownFragment['report']>;

const eventOf = ({ strategyComparisonProgress }: ComparisonProgressShownSubscription) => strategyComparisonProgress;
const figure = (value: number): string => value.toFixed(3);
const chance = (p: number): string => (p < 0.001 ? '< 0.001' : p.toFixed(3));

function Strategies({ report }: { report: Report }) {
  return (
    <ScrollRegion minWidth={420} stacks={2}>
      <Table verticalSpacing={4} aria-label="What each strategy costs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Strategy</Table.Th>
            <Table.Th ta="right">{capitalised(report.metric)}</Table.Th>
            <Table.Th>95 % interval</Table.Th>
            <Table.Th ta="right">Time of an answer</Table.Th>
            <Table.Th ta="right">Not answered</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {report.strategies.map(({ strategy, value, low, high, medianMs, abstained }) => (
            <Table.Tr key={strategy}>
              <Table.Td>
                {STRATEGY_NAMES[strategy]} {strategy === report.recommended && <Badge color="teal">use this</Badge>}
              </Table.Td>
              <Table.Td ta="right" fw={600} data-label={capitalised(report.metric)}>
                {figure(value)}
              </Table.Td>
              <Table.Td data-label="95 % interval">
                {figure(low)} to {figure(high)}
              </Table.Td>
              <Table.Td ta="right" data-label="Time of an answer">
                {duration(medianMs)}
              </Table.Td>
              <Table.Td ta="right" data-label="Not answered">
                {plural(abstained, 'row')}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollRegion>
  );
}

function Pairs({ pairs }: { pairs: Report['pairs'] }) {
  return (
    <ScrollRegion minWidth={560} stacks={2}>
      <Table verticalSpacing={4} aria-label="Each two strategies on the same rows">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>First</Table.Th>
            <Table.Th>Second</Table.Th>
            <Table.Th ta="right">Second less first</Table.Th>
            <Table.Th>95 % interval</Table.Th>
            <Table.Th ta="right">p</Table.Th>
            <Table.Th>Right alone</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {pairs.map(({ first, second, value, low, high, p, adjustedP, mcnemar }) => (
            <Table.Tr key={`${first} ${second}`}>
              <Table.Td data-label="First">{STRATEGY_NAMES[first]}</Table.Td>
              <Table.Td data-label="Second">{STRATEGY_NAMES[second]}</Table.Td>
              <Table.Td ta="right" fw={600} data-label="Second less first">
                {signed(value, figure)}
              </Table.Td>
              <Table.Td data-label="95 % interval">
                {signed(low, figure)} to {signed(high, figure)}{' '}
                {low <= 0 && high >= 0 && <Badge color="gray">none shown</Badge>}
              </Table.Td>
              <Table.Td ta="right" data-label="p">
                {chance(adjustedP ?? p)}
              </Table.Td>
              <Table.Td data-label="Right alone">
                {mcnemar &&
                  `${count(mcnemar.onlyFirst)} and ${count(mcnemar.onlySecond)} rows (p ${chance(mcnemar.p)})`}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollRegion>
  );
}

function ReportView({ report }: { report: Report }) {
  const { decided, sentence, recommended, strategies, metric, pairs } = report;
  return (
    <Stack>
      <Alert
        color={decided ? 'teal' : 'yellow'}
        icon={decided ? <IconCircleCheck /> : <IconHelpCircle />}
        title={`${STRATEGY_NAMES[recommended]}${decided ? '' : ', until more rows tell'}`}
        data-testid="comparison-sentence"
      >
        {sentence}
      </Alert>
      <Paper>
        <IntervalBars
          title={`${capitalised(metric)} of each strategy`}
          bars={strategies.map(({ strategy, value, low, high }) => ({
            label: STRATEGY_NAMES[strategy],
            value,
            low,
            high,
          }))}
          unit={capitalised(metric)}
        />
        <Text size="sm" c="dimmed" mt="xs">
          Lines are 95 % intervals.
        </Text>
      </Paper>
      <Paper>
        <Title order={2} size="h3" mb="xs">
          What each is worth and costs
        </Title>
        <Strategies report={report} />
      </Paper>
      <Paper>
        <Title order={2} size="h3" mb="xs">
          Each two on the same rows
        </Title>
        <Pairs pairs={pairs} />
      </Paper>
    </Stack>
  );
}

/** A comparison: how far it is, then which strategy to use and what that rests on. */
export function ComparisonView({ id }: { id: string }) {
  const [{ data, error }, again] = useQuery({ query: ComparisonOpenedDocument, variables: { id } });
  const { event, error: lost, watch } = useRun(ComparisonProgressShownDocument, eventOf);
  const run = data?.node?.__typename === 'StrategyComparisonRun' ? data.node : null;
  const open = run !== null && run.report === null && run.error === null && run.status !== 'CANCELLED';
  useEffect(() => {
    if (open) void watch(id).then(() => again({ requestPolicy: 'network-only' }));
  }, [open, id, watch, again]);
  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (!data) return <Loading label="Loading the comparison" />;
  if (run === null) return <ErrorState error={new GatewayError('NOT_FOUND', 'There is no such comparison.')} />;
  const { comparedVersion, report, createdAt, error: failure } = run;
  return (
    <>
      <Anchor component={Link} href="/compare" size="sm">
        ← All comparisons
      </Anchor>
      <PageHeader title="Comparison of strategies">
        {report ? `${count(report.rows)} rows` : 'Rows'}
        {comparedVersion && ` of ${comparedVersion.dataset.name}, version ${comparedVersion.version}`} ·{' '}
        {dateTime(createdAt)}
      </PageHeader>
      {failure && <ErrorState error={new GatewayError(failure.code, failure.message)} />}
      {run.status === 'CANCELLED' && <Text c="dimmed">It was cancelled.</Text>}
      {open && (
        <Paper>
          <RunProgress event={event} error={lost} />
          {event === null && lost === null && <Loading label="Waiting for the first row" />}
        </Paper>
      )}
      {report && <ReportView report={report} />}
    </>
  );
}
