import { badInput } from '../../../../src/kernel/errors.js';
import type { TrainingJob } from './job.js';

/** @throws BAD_USER_INPUT naming the field, for a job that would fail or teach nothing later on */
export function requireTrainable(
  { examples, validation, replay, recipe, labelTokens }: TrainingJob,
  longest: number,
): void {
  if (examples.length === 0) throw badInput('examples', 'There is no example to learn from.');
  if (recipe.lora.targets.length === 0) throw badInput('recipe.lora.targets', 'An adapter must change some layer.');
  if (recipe.replayWeight > 0 && replay.length === 0)
    throw badInput(
      'replay',
      'Staying near the base model needs windows of general text.',
      'Set replayWeight to 0, or give some.',
    );
  for (const [field, list] of Object.entries({ examples, validation }))
    list.forEach(({ ids, answerFrom }, row) => {
      if (answerFrom < 1 || answerFrom >= ids.length)
        throw badInput(`${field}.${row}`, 'The example has no token to learn: its answer is empty or cut off.');
      if (ids.length - 1 > longest)
        throw badInput(
          `${field}.${row}`,
          `The example has ${ids.length} tokens, and the run takes ${longest + 1} at most.`,
        );
      if (labelTokens !== null && (ids.length !== answerFrom + 1 || !labelTokens.includes(ids[answerFrom]!)))
        throw badInput(`${field}.${row}`, 'The example’s answer is not one of the label tokens.');
    });
  replay.forEach((window, row) => {
    if (window.length < 2 || window.length > longest)
      throw badInput(`replay.${row}`, `A window of general text has 2 to ${longest} tokens, not ${window.length}.`);
  });
}
