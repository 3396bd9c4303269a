import { Badge, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { EvaluationOpenedDocument, type EvaluationOpenedQuery } from '../../generated/operations';
import { Chart } from '../../parts/charts/chart';
import { count, dateTime, percent, plural, rowsOf, words } from '../../parts/format';
import { Opened, ShowMore } from '../../parts/loaded';
import { Note, PageHeader, Section } from '../../parts/page';
import { adapterPath } from '../../parts/paths';
import { DataTable } from '../../parts/table';
import { usePages } from '../../parts/use-pages';
import { Confusion } from './confusion';
import { Metrics } from './evaluations';
import { Retention } from './retention';

type Evaluation = Extract<NonNullable<EvaluationOpenedQuery['node']>, { __typename: 'Evaluation' }>;

const CLASSES_SHOWN = 100;

/** What the comparison is to the answer of one row. */
function Turn({ score, against }: { score: number; against: number | null }) {
  if (against === null || score === against) return null;
  return score > against ? <Badge color="green">better now</Badge> : <Badge color="red">worse now</Badge>;
}

const clamped = (text: string | null, lines: number) => (
  <Text size="sm" lineClamp={lines}>
    {text}
  </Text>
);

function Rows({ edges }: { edges: readonly Evaluation['rows']['edges'][number][] }) {
  if (edges.length === 0) return <Text c="dimmed">The rows were deleted with their dataset version.</Text>;
  return (
    <DataTable
      framed
      label="Rows, what broke first"
      minWidth={720}
      stacks={2}
      rows={edges.map(({ node }) => node)}
      columns={[
        { head: 'Input', label: null, maw: 320, cell: ({ input }) => clamped(input, 4) },
        { head: 'Expected', maw: 200, cell: ({ expected }) => expected },
        {
          head: 'Answer',
          maw: 200,
          cell: ({ answer, probability }) => (
            <>
              {answer}
              {probability !== null && <Note size="xs">{percent(probability)}</Note>}
            </>
          ),
        },
        { head: 'Answer of the comparison', maw: 200, cell: ({ againstAnswer }) => clamped(againstAnswer, 3) },
        { head: 'Turn', cell: ({ score, againstScore }) => <Turn score={score} against={againstScore} /> },
      ]}
    />
  );
}

/** As the gate has it. */
const LEAST_CLASS_ROWS = 20;

function Classes({ classes }: { classes: Evaluation['classes'] }) {
  return (
    <DataTable
      dense
      label="Labels, the worst first"
      minWidth={420}
      mah={420}
      rows={classes.slice(0, CLASSES_SHOWN)}
      columns={[
        {
          head: 'Label',
          cell: ({ label, support }) => (
            <>
              {label}
              {support < LEAST_CLASS_ROWS && (
                <Note span size="xs">
                  {' '}
                  too few rows to judge
                </Note>
              )}
            </>
          ),
        },
        { head: 'Rows', right: true, cell: ({ support }) => count(support) },
        { head: 'Precision', right: true, cell: ({ precision }) => precision.toFixed(3) },
        { head: 'Recall', right: true, cell: ({ recall }) => recall.toFixed(3) },
        { head: 'F1', right: true, cell: ({ f1 }) => f1.toFixed(3) },
      ]}
    />
  );
}

function Calibration({ calibration }: Pick<Evaluation, 'calibration'>) {
  const bins = calibration.filter(({ rows }) => rows > 0);
  if (bins.length === 0) return null;
  return (
    <Chart
      title="How far probabilities can be believed"
      x={{ label: 'mean probability', values: bins.map(({ meanProbability }) => meanProbability) }}
      series={[
        { label: 'right', values: bins.map(({ accuracy }) => accuracy) },
        { label: 'perfect', values: bins.map(({ meanProbability }) => meanProbability) },
      ]}
      unit="share of rows"
      fromZero
      height={320}
    />
  );
}

/** What an evaluation found: figures, what is mistaken for what, whether its probabilities can be believed, and every row. */
export function EvaluationView({ adapter, id }: { adapter: string; id: string }) {
  const pages = usePages(EvaluationOpenedDocument, { id, first: 50 }, ({ node }) =>
    node?.__typename === 'Evaluation' ? node.rows : null,
  );
  return (
    <Opened shown={pages} what="evaluation" thing={({ node }) => (node?.__typename === 'Evaluation' ? node : null)}>
      {({ adapterVersion, against, datasetVersion, confusions, classes, ...evaluation }) => (
        <>
          <PageHeader
            title={`Evaluation of ${adapterVersion ? `${adapter}@${adapterVersion.version}` : 'the base model'}`}
            back={[adapterPath(adapter), adapter]}
          >
            {plural(evaluation.rowCount, `${words(evaluation.split).toLowerCase()} row`)}
            {datasetVersion && ` of ${rowsOf(datasetVersion)}`} · against{' '}
            {against ? `${against.adapter.name}@${against.version}` : 'the base model'} ·{' '}
            {dateTime(evaluation.createdAt)}
          </PageHeader>
          <Stack>
            <Paper>
              <Metrics metrics={evaluation.metrics} />
            </Paper>
            {evaluation.retention && <Retention retention={evaluation.retention} />}
            {classes.length > 0 && (
              <SimpleGrid cols={{ base: 1, lg: 2 }}>
                <Section title="Labels, the worst first">
                  <Classes classes={classes} />
                </Section>
                <Paper>
                  <Calibration calibration={evaluation.calibration} />
                </Paper>
              </SimpleGrid>
            )}
            {confusions.length > 0 && (
              <Section title="What is mistaken for what">
                <Confusion cells={confusions} />
              </Section>
            )}
            <Title order={2}>Row by row, what broke first</Title>
            <Rows edges={pages.edges} />
            <ShowMore pages={pages} label="Show more rows" />
          </Stack>
        </>
      )}
    </Opened>
  );
}
