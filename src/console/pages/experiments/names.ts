import type { ExperimentFinding, ExperimentMetric } from '../../generated/operations';

export const METRIC_NAMES: Record<ExperimentMetric, string> = {
  FEEDBACK: 'Answers found right by readers',
  AGREEMENT: 'Answers as they were shown to be right',
  FAILURE: 'Errors',
  ABSTENTION: 'Questions without an answer',
  LATENCY: 'Time to the answer',
  COST: 'Tokens computed',
  CONFIDENCE: 'Confidence',
};

const UNITS: Partial<Record<ExperimentMetric, string>> = { LATENCY: 'ms', COST: 'tokens' };
export const RATES = new Set<ExperimentMetric>(['FEEDBACK', 'AGREEMENT', 'FAILURE', 'ABSTENTION']);

export const unitOf = (metric: ExperimentMetric): string => (RATES.has(metric) ? 'points' : (UNITS[metric] ?? ''));

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
