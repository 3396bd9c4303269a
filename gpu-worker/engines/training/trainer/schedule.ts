import type { Recipe } from './job.js';

/**
 * Linear warm-up, then half a cosine (Loshchilov and Hutter 2017) down to a share of the largest rate.
 * @param step from 1 to `steps`
 */
export function learningRateAt(
  step: number,
  steps: number,
  { learningRate, warmupSteps, finalLearningRate }: Pick<Recipe, 'learningRate' | 'warmupSteps' | 'finalLearningRate'>,
): number {
  if (step < warmupSteps) return (learningRate * step) / warmupSteps;
  const progress = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  return learningRate * Math.max(finalLearningRate, 0.5 * (1 + Math.cos(Math.PI * Math.min(1, progress))));
}
