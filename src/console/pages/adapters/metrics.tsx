import { Badge } from '@mantine/core';
import type { EvaluationOpenedQuery } from '../../generated/operations';
import { DataTable } from '../../parts/data-table';
import { capitalised, signed } from '../../parts/format';

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
    keyOf={({ name }) => name}
    columns={[
      { head: 'Metric', label: null, cell: ({ name }) => capitalised(name) },
      { head: 'Value', right: true, fw: 600, cell: ({ value }) => figure(value) },
      { head: '95 % interval', cell: ({ low, high }) => `${figure(low)} to ${figure(high)}` },
      { head: 'Difference on the same rows', label: null, cell: (metric) => <Difference {...metric} /> },
    ]}
  />
);
