import { z } from 'zod';
import { minimize } from '../../../../kernel/minimize.js';

const FEATURES = ['top', 'mean', 'coverage'] as const;
type Feature = (typeof FEATURES)[number];

const perFeature = z.partialRecord(z.enum(FEATURES), z.number());
/** How well a question suits the passages of a collection: see `documents.ts`. All signals of a collection have the same features. */
export type PlaceSignal = Readonly<z.infer<typeof perFeature>>;

/** Turns a place's own similarities, which mean nothing elsewhere, into log-odds that a question belongs there. */
export const calibration = z.object({
  bias: z.number(),
  weights: perFeature,
  /** Least and greatest that it was calibrated on. */
  seen: z.partialRecord(z.enum(FEATURES), z.tuple([z.number(), z.number()])),
  own: z.number().int(),
  foreign: z.number().int(),
  /** Probability that a question of its own looks nearer than a foreign one, 0 to 1. */
  auc: z.number(),
});
type SimilarityCalibration = z.infer<typeof calibration>;

/** Pull of the weights towards 0, in rows' worth of evidence: similarities are collinear. */
const RIDGE = 0.5;

/**
 * Logistic regression that tells a place's own questions from foreign ones. Both kinds weigh the same, so that the log-odds are those of
 * the evidence alone, comparable between places (log-likelihood ratio).
 */
export function calibrate(ownSignals: readonly PlaceSignal[], foreign: readonly PlaceSignal[]): SimilarityCalibration {
  const features = featuresOf(ownSignals[0] ?? {});
  const samples = [...ownSignals.map((signal) => ({ signal, is: 1 })), ...foreign.map((signal) => ({ signal, is: 0 }))];
  const moments = new Map(features.map((name) => [name, momentsOf(samples.map(({ signal }) => signal[name]!))]));
  const scaled = (signal: PlaceSignal): number[] =>
    features.map((name) => {
      const { mean, deviation } = moments.get(name)!;
      return (signal[name]! - mean) / deviation;
    });
  const rows = samples.map(({ signal, is }) => ({
    x: scaled(signal),
    is,
    weight: 0.5 / (is ? ownSignals.length : foreign.length),
  }));
  const solution = minimize(
    (coefficients, gradient) => {
      gradient.fill(0);
      let loss = 0;
      for (const { x, is, weight } of rows) {
        const score = x.reduce((sum, value, i) => sum + value * coefficients[i + 1]!, coefficients[0]!);
        const probability = 1 / (1 + Math.exp(-score));
        loss += weight * (Math.log1p(Math.exp(-Math.abs(score))) + Math.max(score, 0) - is * score);
        gradient[0]! += weight * (probability - is);
        x.forEach((value, i) => (gradient[i + 1]! += weight * (probability - is) * value));
      }
      const pull = RIDGE / samples.length;
      for (let i = 1; i < coefficients.length; i++) {
        loss += 0.5 * pull * coefficients[i]! ** 2;
        gradient[i]! += pull * coefficients[i]!;
      }
      return loss;
    },
    new Float64Array(features.length + 1),
  );
  const weight = (name: Feature): number => solution[1 + features.indexOf(name)]! / moments.get(name)!.deviation;
  const bias = features.reduce((sum, name) => sum - weight(name) * moments.get(name)!.mean, solution[0]!);
  const weighing = {
    bias,
    weights: Object.fromEntries(features.map((name) => [name, weight(name)])),
    seen: Object.fromEntries(features.map((name) => [name, rangeOf(samples.map(({ signal }) => signal[name]!))])),
    own: ownSignals.length,
    foreign: foreign.length,
  };
  const odds = (signals: readonly PlaceSignal[]): number[] => signals.map((signal) => logOdds(weighing, signal));
  return { ...weighing, auc: areaUnder(odds(ownSignals), odds(foreign)) };
}

type Weighing = Pick<SimilarityCalibration, 'bias' | 'weights' | 'seen'>;

/** Natural logarithm of the odds that a question with this signal belongs to the place, where it is as likely as not. */
export const logOdds = ({ bias, weights, seen }: Weighing, signal: PlaceSignal): number =>
  featuresOf(weights).reduce((sum, name) => sum + weights[name]! * weighed(seen, name, signal), bias);

/**
 * What lies beyond all that was seen says no more than the last of it: a line through fifty questions with hardly a capital would be sure of
 * one that is all capitals.
 */
function weighed(ranges: Weighing['seen'], name: Feature, signal: PlaceSignal): number {
  const value = signal[name] ?? 0;
  const range = ranges?.[name];
  return range ? Math.max(range[0], Math.min(range[1], value)) : value;
}

const featuresOf = (values: PlaceSignal): Feature[] => FEATURES.filter((name) => values[name] !== undefined);

const rangeOf = (values: readonly number[]): [low: number, high: number] => [Math.min(...values), Math.max(...values)];

function momentsOf(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) || 1 };
}

/** Mann-Whitney's U as a share of all pairs. */
export function areaUnder(ownScores: readonly number[], foreign: readonly number[]): number {
  let wins = 0;
  for (const a of ownScores) for (const b of foreign) wins += a > b ? 1 : a === b ? 0.5 : 0;
  return wins / (ownScores.length * foreign.length);
}
