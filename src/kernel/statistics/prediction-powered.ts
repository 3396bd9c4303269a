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

export interface JudgedPrediction {
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
 * @param predictions of all answers, those among them that were judged
 */
export function predictedShare(
  predictions: Moments,
  judged: readonly JudgedPrediction[],
  alpha = 0.05,
): PredictedShare {
  const weights = judged.reduce((sum, { weight }) => sum + weight, 0);
  const squares = judged.reduce((sum, { weight }) => sum + weight ** 2, 0);
  if (!(squares > 0)) return { value: predictions.mean, low: 0, high: 1 };
  // As many judgements as they are worth: fewer where weights differ (Kish 1965).
  const worth = weights ** 2 / squares;
  const mean = (of: (one: JudgedPrediction) => number): number =>
    judged.reduce((sum, one) => sum + one.weight * of(one), 0) / weights;
  const [right, predicted] = [mean((one) => one.right), mean((one) => one.predicted)];
  const spread = mean((one) => (one.predicted - predicted) ** 2);
  const together = mean((one) => (one.right - right) * (one.predicted - predicted));
  const lambda = spread > 0 ? Math.min(1, Math.max(0, together / spread)) : 0;
  const corrected = (one: JudgedPrediction): number => one.right - lambda * (one.predicted - predictions.mean);
  const value = mean(corrected);
  const n = worth + 2;
  const centre = (worth * value + 1) / n;
  const scale = weights / squares;
  const errors = judged.reduce((sum, one) => sum + (one.weight * scale * (corrected(one) - centre)) ** 2, 0);
  const variance =
    (errors + centre ** 2 + (1 - centre) ** 2) / (n * (n - 2)) + (lambda ** 2 * predictions.variance) / predictions.n;
  const { low, high } = confidenceSequence(centre, variance, n, alpha, TIGHTEST_AT);
  const within = (share: number): number => Math.min(1, Math.max(0, share));
  const [least, most] = [within(low), within(high)];
  return { value: Math.min(most, Math.max(least, value)), low: least, high: most };
}
