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
  const treatmentArms = arms.filter(({ isControl }) => !isControl);
  const primary = metrics.find((candidate) => candidate.primary) ?? metrics[0]!;
  const measure = metrics.find((candidate) => candidate.metric === params.get('metric')) ?? primary;
  const { metric, margin } = measure;
  const arm = treatmentArms.find(({ name }) => name === params.get('arm')) ?? treatmentArms[0]!;
  const scale = measure.isRate ? 100 : 1;
  const points = history
    .filter((point) => point.phase === phase)
    .flatMap(({ answers, comparisons }) => {
      const comparison = comparisons.find((candidate) => candidate.arm === arm.name && candidate.metric === metric);
      return comparison ? [{ answers, ...comparison }] : [];
    });
  const line = (label: string, figureOf: (point: (typeof points)[number]) => number | null) => ({
    label,
    values: points.map((point) => {
      const value = figureOf(point);
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
            data={metrics.map((option) => ({ value: option.metric, label: titleOf(option) }))}
            value={metric}
            w={290}
            onChange={(metric) => change({ metric })}
          />
          {treatmentArms.length > 1 && (
            <OneOf
              aria-label="Arm"
              data={treatmentArms.map(({ name }) => name)}
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
