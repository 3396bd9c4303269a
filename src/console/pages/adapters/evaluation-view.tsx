import { Anchor, Badge, Paper, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core';
import { Link } from 'wouter';
import { EvaluationOpenedDocument, type EvaluationOpenedQuery } from '../../generated/operations';
import { Chart } from '../../parts/charts/chart';
import { count, dateTime, plural, words } from '../../parts/format';
import { GatewayError } from '../../parts/gateway-error';
import { ScrollRegion } from '../../parts/scroll-region';
import { usePages } from '../../parts/use-pages';
import { ShowMore } from '../../parts/show-more';
import { ErrorState, Loading, PageHeader } from '../../parts/states';
import { Confusion } from './confusion';
import { Metrics } from './metrics';
import { adapterPath } from './paths';
import { Retention } from './retention';

type Evaluation = Extract<NonNullable<EvaluationOpenedQuery['node']>, { __typename: 'Evaluation' }>;

const PAGE = 50;
const connectionOf = ({ node }: EvaluationOpenedQuery) => (node?.__typename === 'Evaluation' ? node.rows : null);
const CLASSES_SHOWN = 100;

/** What the comparison is to the answer of one row. */
function Turn({ score, against }: { score: number; against: number | null }) {
  if (against === null || score === against) return null;
  return score > against ? <Badge color="green">better now</Badge> : <Badge color="red">worse now</Badge>;
}

function Rows({ edges }: { edges: readonly Evaluation['rows']['edges'][number][] }) {
  if (edges.length === 0) return <Text c="dimmed">The rows were deleted with their dataset version.</Text>;
  return (
    <>
      <Paper p={0}>
        <ScrollRegion minWidth={720} stacks={2}>
          <Table verticalSpacing="xs" aria-label="Rows, what broke first">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Input</Table.Th>
                <Table.Th>Expected</Table.Th>
                <Table.Th>Answer</Table.Th>
                <Table.Th>Answer of the comparison</Table.Th>
                <Table.Th>Turn</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {edges.map(({ node }) => (
                <Table.Tr key={node.ordinal}>
                  <Table.Td maw={320}>
                    <Text size="sm" lineClamp={4}>
                      {node.input}
                    </Text>
                  </Table.Td>
                  <Table.Td maw={200} data-label="Expected">
                    {node.expected}
                  </Table.Td>
                  <Table.Td maw={200} data-label="Answer">
                    {node.answer}
                    {node.probability !== null && (
                      <Text size="xs" c="dimmed">
                        {(100 * node.probability).toFixed(0)} %
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td maw={200} data-label="Answer of the comparison">
                    <Text size="sm" lineClamp={3}>
                      {node.againstAnswer}
                    </Text>
                  </Table.Td>
                  <Table.Td data-label="Turn">
                    <Turn score={node.score} against={node.againstScore} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </ScrollRegion>
      </Paper>
    </>
  );
}

/** As the gate has it. */
const LEAST_CLASS_ROWS = 20;

function Classes({ classes }: { classes: Evaluation['classes'] }) {
  return (
    <ScrollRegion minWidth={420} mah={420}>
      <Table stickyHeader verticalSpacing={4} aria-label="Labels, the worst first">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Label</Table.Th>
            <Table.Th ta="right">Rows</Table.Th>
            <Table.Th ta="right">Precision</Table.Th>
            <Table.Th ta="right">Recall</Table.Th>
            <Table.Th ta="right">F1</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {classes.slice(0, CLASSES_SHOWN).map(({ label, support, precision, recall, f1 }) => (
            <Table.Tr key={label}>
              <Table.Td>
                {label}
                {support < LEAST_CLASS_ROWS && (
                  <Text span size="xs" c="dimmed">
                    {' '}
                    too few rows to judge
                  </Text>
                )}
              </Table.Td>
              <Table.Td ta="right">{count(support)}</Table.Td>
              {[precision, recall, f1].map((value, i) => (
                <Table.Td key={i} ta="right">
                  {value.toFixed(3)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollRegion>
  );
}

/** What an evaluation found: figures, what is mistaken for what, whether its probabilities can be believed, and every row. */
export function EvaluationView({ adapter, id }: { adapter: string; id: string }) {
  const pages = usePages({
    query: EvaluationOpenedDocument,
    variables: { id, first: PAGE },
    connectionOf,
  });
  const { data, edges, error, again } = pages;
  if (error && !data) return <ErrorState error={error} onRetry={again} />;
  if (!data) return <Loading label="Loading the evaluation" />;
  const evaluation = data.node;
  if (evaluation?.__typename !== 'Evaluation')
    return <ErrorState error={new GatewayError('NOT_FOUND', 'There is no such evaluation.')} />;
  const { adapterVersion, against, datasetVersion, calibration, confusions, classes } = evaluation;
  const bins = calibration.filter(({ rows }) => rows > 0);
  return (
    <>
      <Anchor component={Link} href={adapterPath(adapter)} size="sm">
        ← {adapter}
      </Anchor>
      <PageHeader title={`Evaluation of ${adapterVersion ? `${adapter}@${adapterVersion.version}` : 'the base model'}`}>
        {plural(evaluation.rowCount, `${words(evaluation.split).toLowerCase()} row`)}
        {datasetVersion && ` of ${datasetVersion.dataset.name}, version ${datasetVersion.version}`} · against{' '}
        {against ? `${against.adapter.name}@${against.version}` : 'the base model'} · {dateTime(evaluation.createdAt)}
      </PageHeader>
      <Stack>
        <Paper>
          <Metrics metrics={evaluation.metrics} />
        </Paper>
        {evaluation.retention && (
          <Paper>
            <Retention retention={evaluation.retention} />
          </Paper>
        )}
        {classes.length > 0 && (
          <SimpleGrid cols={{ base: 1, lg: 2 }}>
            <Paper>
              <Title order={2} size="h3" mb="xs">
                Labels, the worst first
              </Title>
              <Classes classes={classes} />
            </Paper>
            <Paper>
              {bins.length > 0 && (
                <Chart
                  title="How far probabilities can be believed"
                  x={{ label: 'mean probability', values: bins.map(({ meanProbability }) => meanProbability) }}
                  series={[
                    { label: 'right', values: bins.map(({ accuracy }) => accuracy) },
                    { label: 'perfect', values: bins.map(({ meanProbability }) => meanProbability) },
                  ]}
                  unit="share of rows"
                  height={320}
                />
              )}
            </Paper>
          </SimpleGrid>
        )}
        {confusions.length > 0 && (
          <Paper>
            <Title order={2} size="h3" mb="xs">
              What is mistaken for what
            </Title>
            <Confusion cells={confusions} />
          </Paper>
        )}
        <Title order={2}>Row by row, what broke first</Title>
        <Rows edges={edges} />
        <ShowMore pages={pages} label="Show more rows" />
      </Stack>
    </>
  );
}
