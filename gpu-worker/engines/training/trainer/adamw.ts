const BETA_1 = 0.9;
const BETA_2 = 0.999;
const EPSILON = 1e-8;

/** The state of AdamW (Loshchilov and Hutter 2019) beside the weights: running means of gradients and of their squares. */
export interface AdamMoments {
  first: Float32Array;
  second: Float32Array;
}

export const freshMoments = (length: number): AdamMoments => ({
  first: new Float32Array(length),
  second: new Float32Array(length),
});

export const euclideanNorm = (values: Float32Array): number => {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index]! * values[index]!;
  return Math.sqrt(sum);
};

/**
 * One step, in place. Sums are in 64 bits and kept in 32, in the order of the array: the same numbers in give the same bits out.
 * @param step from 1, for the correction of the means’ bias
 * @param shrink factor of the gradient: clip / norm where the gradient is too long, else 1
 */
export function adamwStep(
  weights: Float32Array,
  gradient: Float32Array,
  { first, second }: AdamMoments,
  {
    step,
    learningRate,
    weightDecay,
    shrink,
  }: { step: number; learningRate: number; weightDecay: number; shrink: number },
): void {
  const correction1 = 1 - BETA_1 ** step;
  const correction2 = 1 - BETA_2 ** step;
  for (let index = 0; index < weights.length; index++) {
    const g = gradient[index]! * shrink;
    const m = (first[index] = BETA_1 * first[index]! + (1 - BETA_1) * g);
    const v = (second[index] = BETA_2 * second[index]! + (1 - BETA_2) * g * g);
    const update = m / correction1 / (Math.sqrt(v / correction2) + EPSILON) + weightDecay * weights[index]!;
    weights[index]! -= learningRate * update;
  }
}
