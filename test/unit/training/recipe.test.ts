import { TASK_KINDS } from '../../../src/sources/data/index.js';
import { presetOf, recipe, recipeFor } from '../../../src/learn/training/recipes/recipe.js';

describe('recipes', () => {
  it('has a preset for each kind of task that its own checks accept', () => {
    for (const preset of TASK_KINDS.map(presetOf)) expect(recipe.parse(preset)).toEqual(preset);
  });

  it('takes what the caller wants otherwise and leaves the rest', () => {
    const changed = recipeFor('CLASSIFICATION', { epochs: 2, retention: { weight: 0 } });
    expect(changed).toEqual({ ...presetOf('CLASSIFICATION'), epochs: 2, retention: { weight: 0, tokens: 64 } });
  });

  it.each([
    [{ rank: 0 }, 'input.recipe.rank'],
    [{ learningRate: -1 }, 'input.recipe.learningRate'],
    [{ targets: [] }, 'input.recipe.targets'],
    [{ retention: { tokens: 1 } }, 'input.recipe.retention.tokens'],
    [{ maxTokens: 4 }, 'input.recipe.maxTokens'],
  ])('refuses %j and names the field', (overrides, field) => {
    expect(() => recipeFor('CLASSIFICATION', overrides)).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT', field }),
    );
  });

  it('learns nothing but labels as label tokens', () => {
    expect(() => recipeFor('TRANSLATION', { answer: 'LABEL_TOKEN' })).toThrow(
      expect.objectContaining({ field: 'input.recipe.answer' }),
    );
  });
});
