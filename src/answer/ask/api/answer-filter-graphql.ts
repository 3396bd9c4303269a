import { TaskKind } from '../../../sources/data/index.js';
import { fromGlobalId, inputType, ofType } from '../../../kit/graphql/index.js';
import { float, oneOf, boolean, id, date } from '../../../kernel/record.js';
import type { AnswerFilter } from '../record/answer-filter.js';
import { Strategy } from '../strategies.js';

const SampleInput = inputType('SampleInput', 'A share of the answers, drawn the same way whenever it is asked for.', {
  rate: float('Share of the answers, above 0 to 1.'),
  seed: float('A whole number: another one draws other answers.').default(1),
});

export const AnswerFilterInput = inputType('AnswerFilter', 'Which answers to list; conditions add up.', {
  strategy: oneOf(Strategy, 'Only those made with this strategy.').nullish(),
  abstained: boolean('Only those that abstained (true) or did not (false).').nullish(),
  conversationId: id('Only those of this conversation.').nullish(),
  adapterVersion: id('Only those that this `AdapterVersion` gave.').nullish(),
  task: oneOf(TaskKind, 'Only those that are answers of this kind.').nullish(),
  hasFeedback: boolean('Only those with feedback (true) or without any (false).').nullish(),
  disagrees: boolean(
    'Only those whose feedback says that they are wrong, or contradicts itself (true), or those of which nothing says so (false).',
  ).nullish(),
  confidenceBelow: float('Only those whose `confidence` is known and lower, above 0 to 1.').nullish(),
  from: date('Only those that were asked then or later.').nullish(),
  to: date('Only those that were asked before.').nullish(),
  sample: ofType(() => SampleInput, 'Only a share of those that meet all other conditions.').nullish(),
});
export type AnswerFilterInput = InstanceType<typeof AnswerFilterInput>;

/** @throws BAD_USER_INPUT when a global id is malformed */
export function toFilter(input: AnswerFilterInput | null | undefined, field = 'filter'): AnswerFilter {
  const { adapterVersion, ...filter } = input ?? {};
  if (adapterVersion === null || adapterVersion === undefined) return filter;
  return { ...filter, adapterVersionId: fromGlobalId(adapterVersion, 'AdapterVersion', `${field}.adapterVersion`) };
}
