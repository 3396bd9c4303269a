import { REFUSAL } from '../../../sources/prompting/index.js';
import { declined, unsure } from '../abstention.js';
import type { AskEvent } from '../events.js';
import type { GenerationResult } from '../prompt/generate.js';
import { abstained, FINISH_REASONS, passOn, type Completion } from './word-answer.js';

/** Where nobody asks for more, the model's own choice between a span and the refusal decides. */
const ANY_CONFIDENCE = 0;

/**
 * Passes on a span that the model copied from what it read. It is no answer when the model refuses, or when it finds it less
 * probable than `minConfidence` that the passages answer the question: what its refusal leaves of 1.
 */
export async function* wordCopy(
  generation: AsyncGenerator<string, GenerationResult>,
  minConfidence: number | null,
): AsyncGenerator<AskEvent, Completion> {
  const result = yield* passOn(generation);
  const { text, refusalProbability } = result;
  const answerability = 1 - (refusalProbability ?? 1);
  const finishReason = FINISH_REASONS[result.reason];
  const threshold = minConfidence ?? ANY_CONFIDENCE;
  const abstention =
    text === '' || text === REFUSAL
      ? declined(answerability, threshold)
      : answerability < threshold
        ? unsure(answerability, threshold)
        : null;
  if (abstention === null)
    return { text, answerability, finishReason, done: result, wording: 'MODEL', output: { kind: 'TEXT' }, abstention };
  yield { type: 'replaced', text: abstention.sentence, reason: 'The model found no answer in what it read.' };
  return { ...abstained(abstention), answerability, finishReason, done: result };
}
