/**
 * The share of right answers among many, from what each predicts of itself and a few that people judged: prediction-powered inference
 * (Angelopoulos, Bates, Fannjiang, Jordan & Zrnic 2023), which corrects the mean of all predictions by their mean error on the judged ones.
 * lambda says how far predictions are believed: it is estimated (Angelopoulos, Duchi & Zrnic 2023, "PPI++"), so useless
 * predictions cost nothing. Judged answers have Horvitz-Thompson weights. The interval is a confidence sequence: it may be read after
 * each judgement.
 */
import type { Moments } from './moments.js';
import { confidenceSequence } from './sequential/mean-sequence.js';
import type { ConfidenceInterval } from './sequential/rate-sequence.js';

/** Judged answers at which the interval is tightest. */
const TIGHTEST_AT = 100;

interface JudgedPrediction {
  /** Probability that it is right, as it predicts, 0 to 1. */
  predicted: number;
  /** Whether it is: 1 or 0, or between where its judges differ. */
  right: number;
  /** 1 over the probability with which it came to be judged. */
  weight: number;
}

interface PredictedShare extends ConfidenceInterval {
  value: number;
}

/**
 * One right and one wrong answer are added before the interval is made (as Agresti & Caffo 2000 do). So it has a width even where all
 * judged answers are right. A sequence without them is too narrow at few judgements.
 * @param predictions of all answers, the judged ones included
 */
export function predictedShare(
  predictions: Moments,
  judgements: readonly JudgedPrediction[],
  alpha = 0.05,
): PredictedShare {
  const weights = judgements.reduce((sum, { weight }) => sum + weight, 0);
  const squares = judgements.reduce((sum, { weight }) => sum + weight ** 2, 0);
  if (!(squares > 0)) return { value: predictions.mean, low: 0, high: 1 };
  // As many judgements as they are worth: fewer where weights differ (Kish 1965).
  const worth = weights ** 2 / squares;
  const mean = (value: (judgement: JudgedPrediction) => number): number =>
    judgements.reduce((sum, judgement) => sum + judgement.weight * value(judgement), 0) / weights;
  const [right, predicted] = [mean((judgement) => judgement.right), mean((judgement) => judgement.predicted)];
  const spread = mean((judgement) => (judgement.predicted - predicted) ** 2);
  const covariance = mean((judgement) => (judgement.right - right) * (judgement.predicted - predicted));
  const lambda = spread > 0 ? Math.min(1, Math.max(0, covariance / spread)) : 0;
  const corrected = (judgement: JudgedPrediction): number =>
    judgement.right - lambda * (judgement.predicted - predictions.mean);
  const value = mean(corrected);
  const n = worth + 2;
  const centre = (worth * value + 1) / n;
  const scale = weights / squares;
  const errors = judgements.reduce(
    (sum, judgement) => sum + (judgement.weight * scale * (corrected(judgement) - centre)) ** 2,
    0,
  );
  const variance =
    (errors + centre ** 2 + (1 - centre) ** 2) / (n * (n - 2)) + (lambda ** 2 * predictions.variance) / predictions.n;
  const { low, high } = confidenceSequence(centre, variance, n, alpha, TIGHTEST_AT);
  const clipped = (share: number): number => Math.min(1, Math.max(0, share));
  const ends = { low: clipped(low), high: clipped(high) };
  return { value: Math.min(ends.high, Math.max(ends.low, value)), ...ends };
}
