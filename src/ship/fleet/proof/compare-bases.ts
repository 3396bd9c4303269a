import { EngineFault } from '../fault.js';

/**
 * How far an engine's log-probabilities of the base model may lie from the worker's. The worker quantises what flows between layers and the
 * engine may compute in fewer bits, so they differ by some tenths of a nat; another model, or another tuning of the same, differs by nats.
 */
export const SAME_BASE = { correlation: 0.97, meanDifference: 0.75 } as const;

interface BaseComparison {
  /** Pearson's, over all prompts and candidates. */
  correlation: number;
  /** Mean absolute difference in nats, less what all candidates of a prompt have in common. */
  meanDifference: number;
}

/**
 * @param engineScores and `workerScores`: for each prompt the log-probabilities of the same candidates
 * @throws EngineFault REFUSED when it is another model
 */
export function compareBases(engineScores: readonly number[][], workerScores: readonly number[][]): BaseComparison {
  const [a, b] = [engineScores.flatMap(centred), workerScores.flatMap(centred)];
  const product = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  const correlation = product(a, b) / Math.sqrt(product(a, a) * product(b, b));
  const meanDifference = a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
  if (correlation >= SAME_BASE.correlation && meanDifference <= SAME_BASE.meanDifference)
    return { correlation, meanDifference };
  throw new EngineFault(
    'REFUSED',
    `it serves another base model: its log-probabilities differ from the worker’s by ${meanDifference.toFixed(2)} nats ` +
      `(at most ${SAME_BASE.meanDifference}), correlation ${correlation.toFixed(3)} (at least ${SAME_BASE.correlation})`,
  );
}

/** Less their mean: what an engine renormalises over the candidates alone differs by a constant. */
export function centred(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}
