import { Group, Paper, Title } from '@mantine/core';
import type { ExperimentShownFragment } from '../../generated/operations';
import { Chart } from '../../parts/charts/chart';
import { OneOf } from '../../parts/form';
import { Note } from '../../parts/page';
import { useAddress } from '../../parts/use-address';
import { titleOf, unitOf } from './names';

/** How the interval of each arm's difference narrowed with the answers; metric and arm stand in the address. */
export function Intervals({ experiment }: { experiment: ExperimentShownFragment }) {
  const [params, change] = useAddress();
  const { arms, metrics, history, phase } = experiment;
  const others = arms.filter(({ isControl }) => !isControl);
  const primary = metrics.find((each) => each.primary) ?? metrics[0]!;
  const measure = metrics.find((each) => each.metric === params.get('metric')) ?? primary;
  const { metric, margin } = measure;
  const arm = others.find(({ name }) => name === params.get('arm')) ?? others[0]!;
  const scale = measure.isRate ? 100 : 1;
  const points = history
    .filter((point) => point.phase === phase)
    .flatMap(({ answers, comparisons }) => {
      const found = comparisons.find((each) => each.arm === arm.name && each.metric === metric);
      return found ? [{ answers, ...found }] : [];
    });
  const line = (label: string, of: (point: (typeof points)[number]) => number | null) => ({
    label,
    values: points.map((point) => {
      const value = of(point);
      return value === null ? null : value * scale;
    }),
  });
  return (
    <Paper data-testid="experiment-intervals">
      <Group justify="space-between" align="flex-end" mb="xs">
        <Title order={2} size="h3">
          The difference, answer by answer
        </Title>
        <Group gap="xs">
          <OneOf
            aria-label="Metric"
            data={metrics.map((each) => ({ value: each.metric, label: titleOf(each) }))}
            value={metric}
            w={290}
            onChange={(metric) => change({ metric })}
          />
          {others.length > 1 && (
            <OneOf
              aria-label="Arm"
              data={others.map(({ name }) => name)}
              value={arm.name}
              onChange={(arm) => change({ arm })}
            />
          )}
        </Group>
      </Group>
      <Note>
        {arm.name} less {arms[0]?.name}. While both ends are on one side of zero, the arms differ
        {margin > 0 && `; while both are within ${margin * scale} of it, by nothing that matters`}.
      </Note>
      <Chart
        title={`${titleOf(measure)}: ${arm.name} less ${arms[0]?.name ?? ''}`}
        unit={unitOf(measure)}
        x={{ label: 'answers', values: points.map(({ answers }) => answers) }}
        series={[
          line('difference', ({ value }) => value),
          line('at least', ({ low }) => low),
          line('at most', ({ high }) => high),
          line('none', () => 0),
        ]}
      />
    </Paper>
  );
}
