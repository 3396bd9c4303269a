import { Badge, Stack, Text } from '@mantine/core';
import { useQuery } from 'urql';
import { useParams } from 'wouter';
import { EvaluationsOfVersionDocument, type EvaluationOpenedQuery } from '../../generated/operations';
import { capitalised, dateTime, plural, rowsOf, signed, words } from '../../parts/format';
import { ErrorState, To } from '../../parts/page';
import { evaluationPath } from '../../parts/paths';
import { DataTable } from '../../parts/table';

type Evaluation = Extract<NonNullable<EvaluationOpenedQuery['node']>, { __typename: 'Evaluation' }>;
type Metric = Evaluation['metrics'][number];

const figure = (value: number): string => (Math.abs(value) >= 2 ? value.toFixed(1) : value.toFixed(3));

/** How a paired difference reads: only an interval that leaves out zero says anything. */
function Difference({ difference, higherIsBetter }: Metric) {
  if (difference === null) return null;
  const { value, low, high } = difference;
  const [color, verdict] =
    low <= 0 && high >= 0
      ? ['gray', 'no difference shown']
      : value > 0 === higherIsBetter
        ? ['green', 'better']
        : ['red', 'worse'];
  return (
    <>
      {signed(value, figure)} ({signed(low, figure)} to {signed(high, figure)}) <Badge color={color}>{verdict}</Badge>
    </>
  );
}

export const Metrics = ({ metrics }: { metrics: readonly Metric[] }) => (
  <DataTable
    dense
    label="Metrics"
    minWidth={520}
    stacks={2}
    rows={metrics}
    columns={[
      { head: 'Metric', label: null, cell: ({ name }) => capitalised(name) },
      { head: 'Value', right: true, fw: 600, cell: ({ value }) => figure(value) },
      { head: '95 % interval', cell: ({ low, high }) => `${figure(low)} to ${figure(high)}` },
      { head: 'Difference on the same rows', label: null, cell: (metric) => <Difference {...metric} /> },
    ]}
  />
);

/** The newest evaluations of a version: what they found, and where to read them row by row. */
export function EvaluationList({ version }: { version: string }) {
  const { name } = useParams<{ name: string }>();
  const [{ data, error }, refetch] = useQuery({ query: EvaluationsOfVersionDocument, variables: { id: version } });
  if (error && !data) return <ErrorState error={error} onRetry={refetch} />;
  if (data?.node?.__typename !== 'AdapterVersion') return null;
  return (
    <Stack gap="xs" mt="sm">
      {data.node.evaluations.edges.map(
        ({ node: { id, createdAt, rowCount, split, datasetVersion, against, metrics } }) => (
          <div key={id}>
            <Text size="sm">
              <To href={evaluationPath(decodeURIComponent(name ?? ''), id)} underline="always">
                {plural(rowCount, `${words(split).toLowerCase()} row`)}
                {datasetVersion && ` of ${rowsOf(datasetVersion)}`}
              </To>{' '}
              · against {against ? `version ${against.version}` : 'the base model'} · {dateTime(createdAt)}
            </Text>
            <Metrics metrics={metrics} />
          </div>
        ),
      )}
    </Stack>
  );
}
