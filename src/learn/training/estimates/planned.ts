import type { Recipe } from '../recipes/recipe.js';

export const plannedSteps = ({ batchExamples, epochs }: Recipe, examples: number): number =>
  Math.max(1, Math.ceil((epochs * examples) / batchExamples));

/** Tokens of all steps, without padding. */
export const plannedTokens = (
  recipe: Recipe,
  { examples, meanTokens, replay }: { examples: number; meanTokens: number; replay: number },
): number => Math.round(recipe.epochs * examples * meanTokens + plannedSteps(recipe, examples) * replay);
