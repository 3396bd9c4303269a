import { STRATEGIES } from './strategies.js';
import type { Answer, AskedWith } from './answer.js';
import type { AskInput, Question } from './question.js';

/** What a caller asked beside the question, as the answer keeps it: what nobody asked for is left out. */
export function askedWith({ generation, ...options }: Question): AskedWith {
  const { collections, dataset, model, task, entity, features, minConfidence, maxErrorRate, wording, form } = options;
  const { maxOwnRefused, reader, system, sampling } = options;
  return {
    ...(collections && { collections }),
    ...(dataset !== null && { dataset }),
    ...(model !== null && { model }),
    ...(task !== null && { task }),
    ...(entity !== null && { entity, features }),
    ...(minConfidence !== null && { minConfidence }),
    ...(maxErrorRate !== null && { maxErrorRate }),
    ...(maxOwnRefused !== undefined && { maxOwnRefused }),
    ...(wording !== null && { wording }),
    ...(reader === false && { reader }),
    ...(form && { form }),
    ...(system !== undefined && { system }),
    ...(sampling && { sampling }),
    generation,
  };
}

/**
 * The question of a recorded answer as it was asked, for another version of the adapter that answered: by the strategy that was chosen then.
 * @param adapter `name@3`
 */
export function askAgain({ question, askedAs, route, askedWith: options }: Answer, adapter: string): AskInput {
  const { reads } = STRATEGIES[route.strategy];
  const { collections, dataset, minConfidence, wording, ...rest } = options ?? {};
  return {
    question: askedAs ?? question,
    strategy: route.strategy,
    adapter,
    ...rest,
    ...(reads && { collections, dataset, minConfidence, wording }),
  };
}
