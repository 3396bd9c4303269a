import { fromGlobalId, inputType, listOf, ofType } from '../../kit/graphql/index.js';
import { oneOf, string, int, boolean, id, float } from '../../kernel/record.js';
import { EXPECTATION_LIMITS, type ExpectationInput } from './expectation.js';
import { FEEDBACK_LIMITS, FeedbackKind, SourceKind, type FeedbackInput } from './feedback.js';

const FeedbackSourceInput = inputType('FeedbackSourceInput', 'Who gives feedback.', {
  kind: oneOf(SourceKind, 'A person, a model or a program.'),
  name: string(
    `The same for everything that this source says: 1 to ${FEEDBACK_LIMITS.name} characters. Names are those of the key that sends them: under another key the same name is another source.`,
  ),
});

const ExpectedEntityInput = inputType('ExpectedEntityInput', 'An entity that should have been found.', {
  type: string('Its type, as a dataset for `EXTRACTION` writes it.'),
  start: int('Where it starts in `Answer.question`, in UTF-16 units.'),
  end: int('Where it ends (exclusive).'),
});

export const ExpectationInputType = inputType(
  'ExpectationInputType',
  'What the right answer is, in the form of the answer’s task: a label, entities, or a text and the passage that holds it. A label may be expected of what was answered with a text, too.',
  {
    label: string(`The right label, as a dataset writes it, at most ${EXPECTATION_LIMITS.label} characters.`).nullish(),
    newLabel: boolean(
      'Whether the label may be one that no dataset for `CLASSIFICATION` has; else such a label is refused.',
    ).default(false),
    entities: listOf(
      () => ExpectedEntityInput,
      `All entities of the question, at most ${EXPECTATION_LIMITS.entities}; empty where it has none.`,
    )
      .max(EXPECTATION_LIMITS.entities)
      .nullish(),
    text: string(`The right text, at most ${EXPECTATION_LIMITS.text.toLocaleString('en')} characters.`).nullish(),
    passage: id('The `Chunk` that holds the answer to a question.').nullish(),
  },
);
export type ExpectationInputType = InstanceType<typeof ExpectationInputType>;

export const SubmitFeedbackInput = inputType(
  'SubmitFeedbackInput',
  'What a source says of an answer, or of a conversation: exactly one of both is given.',
  {
    answer: id('The answer.').nullish(),
    conversationId: id('The conversation as a whole, as its questions named it.').nullish(),
    kind: oneOf(FeedbackKind, 'A judgement, or what the right answer is.').default(FeedbackKind.FEEDBACK),
    source: ofType(() => FeedbackSourceInput, 'Who says so.'),
    score: float('With `FEEDBACK`: from -1 (wrong, useless) to 1 (right, useful); 0 is neither.').nullish(),
    comment: string(`Why, at most ${FEEDBACK_LIMITS.comment.toLocaleString('en')} characters.`).nullish(),
    expectation: ofType(() => ExpectationInputType, 'With `EXPECTATION`: the right answer.').nullish(),
    key: id(
      'What its source names it, 1 to 200 characters: sent again, it is found again. Without it, what a source says a second time is found again by what it says.',
    ).nullish(),
  },
);
export type SubmitFeedbackInput = InstanceType<typeof SubmitFeedbackInput>;

export const SubmitFeedbackBatchInput = inputType(
  'SubmitFeedbackBatchInput',
  'Feedback of any number of sources on any number of answers.',
  {
    feedback: listOf(
      () => SubmitFeedbackInput,
      `1 to ${FEEDBACK_LIMITS.batch.toLocaleString('en')}, all of which are taken, or none.`,
    ).max(FEEDBACK_LIMITS.batch),
  },
);
export type SubmitFeedbackBatchInput = InstanceType<typeof SubmitFeedbackBatchInput>;

/** @throws BAD_USER_INPUT when a global id is malformed */
export const toExpectation = ({ passage, ...rest }: ExpectationInputType, field: string): ExpectationInput => ({
  ...rest,
  passageId: passage ? fromGlobalId(passage, 'Chunk', `${field}.passage`) : null,
});

/** @throws BAD_USER_INPUT when a global id is malformed */
export const toFeedbackInput = (
  { answer, expectation, ...rest }: SubmitFeedbackInput,
  field: string,
): FeedbackInput => ({
  ...rest,
  answerId: answer ? fromGlobalId(answer, 'Answer', `${field}.answer`) : null,
  expectation: expectation ? toExpectation(expectation, `${field}.expectation`) : null,
});
