import { Alert, Badge, Paper, Stack, Text } from '@mantine/core';
import { IconCircleCheck, IconHelpCircle } from '@tabler/icons-react';
import { useEffect } from 'react';
import { useQuery } from 'urql';
import {
  ComparisonOpenedDocument,
  StrategyComparisonProgressDocument,
  type ComparisonShownFragment,
} from '../../generated/operations';
import { IntervalBars } from '../../parts/charts/interval-bars';
import { capitalised, count, dateTime, duration, plural, rowsOf, signed } from '../../parts/format';
import { GatewayError } from '../../parts/gateway-error';
import { Opened } from '../../parts/loaded';
import { ErrorState, Loading, Note, PageHeader, Section } from '../../parts/page';
import { RunProgress, useRun } from '../../parts/runs';
import { DataTable } from '../../parts/table';
import { STRATEGY_NAMES } from '../ask/names';

type Report = NonNullable<ComparisonShownFragment['report']>;

const figure = (value: number): string => value.toFixed(3);
const chance = (p: number): string => (p < 0.001 ? '< 0.001' : p.toFixed(3));

function Strategies({ report }: { report: Report }) {
  return (
    <DataTable
      dense
      label="What each strategy costs"
      minWidth={420}
      stacks={2}
      rows={report.strategies}
      columns={[
        {
          head: 'Strategy',
          label: null,
          cell: ({ strategy }) => (
            <>
              {STRATEGY_NAMES[strategy]} {strategy === report.recommended && <Badge color="teal">use this</Badge>}
            </>
          ),
        },
        { head: capitalised(report.metric), right: true, fw: 600, cell: ({ value }) => figure(value) },
        { head: '95 % interval', cell: ({ low, high }) => `${figure(low)} to ${figure(high)}` },
        { head: 'Time of an answer', right: true, cell: ({ medianMs }) => duration(medianMs) },
        { head: 'Not answered', right: true, cell: ({ abstained }) => plural(abstained, 'row') },
      ]}
    />
  );
}

function Pairs({ pairs }: { pairs: Report['pairs'] }) {
  return (
    <DataTable
      dense
      label="Each two strategies on the same rows"
      minWidth={560}
      stacks={2}
      rows={pairs}
      columns={[
        { head: 'First', cell: ({ first }) => STRATEGY_NAMES[first] },
        { head: 'Second', cell: ({ second }) => STRATEGY_NAMES[second] },
        { head: 'Second less first', right: true, fw: 600, cell: ({ value }) => signed(value, figure) },
        {
          head: '95 % interval',
          cell: ({ low, high }) => (
            <>
              {signed(low, figure)} to {signed(high, figure)}{' '}
              {low <= 0 && high >= 0 && <Badge color="gray">none shown</Badge>}
            </>
          ),
        },
        { head: 'p', right: true, cell: ({ p, adjustedP }) => chance(adjustedP ?? p) },
        {
          head: 'Right alone',
          cell: ({ mcnemar }) =>
            mcnemar && `${count(mcnemar.onlyFirst)} and ${count(mcnemar.onlySecond)} rows (p ${chance(mcnemar.p)})`,
        },
      ]}
    />
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
          bars={strategies.map(({ strategy, ...interval }) => ({ label: STRATEGY_NAMES[strategy], ...interval }))}
          unit={capitalised(metric)}
        />
        <Note mt="xs">Lines are 95 % intervals.</Note>
      </Paper>
      <Section title="What each is worth and costs">
        <Strategies report={report} />
      </Section>
      <Section title="Each two on the same rows">
        <Pairs pairs={pairs} />
      </Section>
    </Stack>
  );
}

/** A comparison: how far it is, then which strategy to use and what that rests on. */
export function ComparisonView({ id }: { id: string }) {
  const result = useQuery({ query: ComparisonOpenedDocument, variables: { id } });
  const [{ data }, refetch] = result;
  const { watch, ...followed } = useRun(StrategyComparisonProgressDocument);
  const run = data?.node?.__typename === 'StrategyComparisonRun' ? data.node : null;
  const open = run !== null && run.report === null && run.error === null && run.status !== 'CANCELLED';
  useEffect(() => {
    if (open) void watch(id).then(() => refetch({ requestPolicy: 'network-only' }));
  }, [open, id, watch, refetch]);
  return (
    <Opened shown={result} what="comparison" thing={() => run}>
      {({ comparedVersion, report, createdAt, status, error: failure }) => (
        <>
          <PageHeader title="Comparison of strategies" back={['/compare', 'All comparisons']}>
            {report ? `${count(report.rows)} rows` : 'Rows'}
            {comparedVersion && ` of ${rowsOf(comparedVersion)}`} · {dateTime(createdAt)}
          </PageHeader>
          {failure && <ErrorState error={new GatewayError(failure.code, failure.message)} />}
          {status === 'CANCELLED' && <Text c="dimmed">It was cancelled.</Text>}
          {open && (
            <Paper>
              <RunProgress run={followed} />
              {!followed.event && !followed.error && <Loading label="Waiting for the first row" />}
            </Paper>
          )}
          {report && <ReportView report={report} />}
        </>
      )}
    </Opened>
  );
}
