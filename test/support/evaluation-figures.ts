import type { EvaluationFigures, MetricFigure } from '../../src/prove/evaluations/figures.js';

const interval = (value: number, low = value, high = value) => ({ value, low, high });

/** What an evaluation found: these metrics, and nothing else but that little was forgotten. */
export const evaluationFigures = (
  metrics: MetricFigure[],
  more: Partial<EvaluationFigures> = {},
  ratio = interval(1.01, 1, 1.03),
): EvaluationFigures => ({
  metrics,
  classes: [],
  confusions: [],
  confusionsRest: [],
  calibration: [],
  asBefore: null,
  regression: null,
  nearestRows: null,
  foreign: null,
  retention: {
    perplexity: { base: 20, adapted: 20.2, ratio, tokens: 4_000 },
    texts: [],
    prompts: 32,
    others: [],
    topAgreement: interval(0.95, 0.9, 0.975),
    divergence: interval(0),
    misrouted: interval(1),
  },
  ...more,
});
