import { metricsFor } from '../../../answer/ask/answer-metrics';
import type { ExperimentFinding, ExperimentMetric } from '../../generated/operations';

const METRICS = Object.values(metricsFor('experiment'));

export const METRIC_NAMES = Object.fromEntries(METRICS.map(({ name, title }) => [name, title])) as Record<
  ExperimentMetric,
  string
>;
export const RATES = new Set<ExperimentMetric>(METRICS.flatMap(({ name, kind }) => (kind === 'RATE' ? [name] : [])));

export const unitOf = (metric: ExperimentMetric): string =>
  RATES.has(metric) ? 'points' : (METRICS.find(({ name }) => name === metric)?.unit ?? '');

/** A figure in its unit: rates in percent. */
export function shown(metric: ExperimentMetric, value: number | null, signed = false): string {
  if (value === null) return '–';
  const sign = signed && value > 0 ? '+' : '';
  if (RATES.has(metric)) return `${sign}${(100 * value).toFixed(1)}${signed ? '' : ' %'}`;
  return `${sign}${Number(value.toPrecision(3))}`;
}

export const FINDINGS: Record<ExperimentFinding, { label: string; colour: string }> = {
  BETTER: { label: 'better', colour: 'green' },
  WORSE: { label: 'worse', colour: 'red' },
  WITHIN_MARGIN: { label: 'no difference that matters', colour: 'blue' },
  OPEN: { label: 'not shown', colour: 'gray' },
};
