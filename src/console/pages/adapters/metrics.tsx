import { Badge, Table, Text } from '@mantine/core';
import type { EvaluationOpenedQuery } from '../../generated/operations';
import { capitalised, signed } from '../../parts/format';
import { ScrollRegion } from '../../parts/scroll-region';

type Evaluation = Extract<NonNullable<EvaluationOpenedQuery['node']>, { __typename: 'Evaluation' }>;
export type Metric = Evaluation['metrics'][number];

const figure = (value: number): string => (Math.abs(value) >= 2 ? value.toFixed(1) : value.toFixed(3));

/** How a paired difference reads: only an interval that leaves out zero says anything. */
function verdict({ difference, higherIsBetter }: Metric): { color: string; text: string } | null {
  if (difference === null) return null;
  if (difference.low <= 0 && difference.high >= 0) return { color: 'gray', text: 'no difference shown' };
  return difference.value > 0 === higherIsBetter ? { color: 'green', text: 'better' } : { color: 'red', text: 'worse' };
}

export function Metrics({ metrics }: { metrics: readonly Metric[] }) {
  return (
    <ScrollRegion minWidth={520} stacks={2}>
      <Table verticalSpacing={4} aria-label="Metrics">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Metric</Table.Th>
            <Table.Th ta="right">Value</Table.Th>
            <Table.Th>95 % interval</Table.Th>
            <Table.Th>Difference on the same rows</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {metrics.map((metric) => {
            const said = verdict(metric);
            return (
              <Table.Tr key={metric.name}>
                <Table.Td>{capitalised(metric.name)}</Table.Td>
                <Table.Td ta="right" data-label="Value">
                  <Text fw={600} size="sm">
                    {figure(metric.value)}
                  </Text>
                </Table.Td>
                <Table.Td data-label="95 % interval">
                  {figure(metric.low)} to {figure(metric.high)}
                </Table.Td>
                <Table.Td>
                  {metric.difference && (
                    <>
                      {signed(metric.difference.value, figure)} ({signed(metric.difference.low, figure)} to{' '}
                      {signed(metric.difference.high, figure)}) <Badge color={said?.color}>{said?.text}</Badge>
                    </>
                  )}
                </Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </ScrollRegion>
  );
}
