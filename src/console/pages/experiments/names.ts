import { metricsFor } from '../../../answer/ask/answer-metrics';
import type { ExperimentFinding, ExperimentMetric, ExperimentShownFragment } from '../../generated/operations';

const METRICS = Object.values(metricsFor('experiment'));

export const METRIC_NAMES = Object.fromEntries(METRICS.map(({ name, title }) => [name, title])) as Record<
  ExperimentMetric,
  string
>;
export const RATES = new Set<ExperimentMetric>(METRICS.flatMap(({ name, kind }) => (kind === 'RATE' ? [name] : [])));

type Measure = Pick<ExperimentShownFragment['metrics'][number], 'metric' | 'beyond' | 'isRate'>;

/** Of a mean; empty where it has none. */
export const ownUnitOf = (metric: ExperimentMetric): string => METRICS.find(({ name }) => name === metric)?.unit ?? '';

export const titleOf = ({ metric, beyond }: Measure): string =>
  beyond === null ? METRIC_NAMES[metric] : `${METRIC_NAMES[metric]}, above ${beyond} ${ownUnitOf(metric)}`.trimEnd();

/** Of a difference. */
export const unitOf = ({ metric, isRate }: Measure): string => (isRate ? 'points' : ownUnitOf(metric));

/** A figure in its unit: rates in percent. */
export function shown({ isRate }: Measure, value: number | null, signed = false): string {
  if (value === null) return '–';
  const sign = signed && value > 0 ? '+' : '';
  if (isRate) return `${sign}${(100 * value).toFixed(1)}${signed ? '' : ' %'}`;
  return `${sign}${Number(value.toPrecision(3))}`;
}

export const FINDINGS: Record<ExperimentFinding, { label: string; colour: string }> = {
  BETTER: { label: 'better', colour: 'green' },
  WORSE: { label: 'worse', colour: 'red' },
  WITHIN_MARGIN: { label: 'no difference that matters', colour: 'blue' },
  OPEN: { label: 'not shown', colour: 'gray' },
};
