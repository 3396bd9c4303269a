import type { Look } from './checkpoint.js';

/**
 * The average of adapters, each with the weight exp(-loss) / sum: the better ones count more. Averaging the last weights of a run comes
 * nearer to the middle of the basin that it circles in (Izmailov et al. 2018; with weights by validation, Wortsman et al. 2022).
 */
export function averageOf(looks: readonly Look[]): Float32Array {
  const lowestLoss = Math.min(...looks.map(({ loss }) => loss));
  const weights = looks.map(({ loss }) => Math.exp(lowestLoss - loss));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Float32Array.from(
    { length: looks[0]!.adapter.length },
    (_, index) => looks.reduce((sum, { adapter }, lookIndex) => sum + weights[lookIndex]! * adapter[index]!, 0) / total,
  );
}
