import { Field, Float, ID, InputType, Int } from 'type-graphql';
import { fromGlobalId, MaxItems } from '../graphql-kit/index.js';
import { EXPECTATION_LIMITS, type ExpectationInput } from './expectation.js';
import { FEEDBACK_LIMITS, FeedbackKind, SourceKind, type FeedbackInput } from './feedback.js';

@InputType({ description: 'Who gives feedback.' })
export class FeedbackSourceInput {
  @Field(() => SourceKind, { description: 'A person, a model or a program.' })
  kind!: SourceKind;

  @Field(() => String, {
    description: `The same for everything that this source says: 1 to ${FEEDBACK_LIMITS.name} characters. Names are those of the key that sends them: under another key the same name is another source.`,
  })
  name!: string;
}

@InputType({ description: 'An entity that should have been found.' })
export class ExpectedEntityInput {
  @Field(() => String, { description: 'Its type, as a dataset for `EXTRACTION` writes it.' })
  type!: string;

  @Field(() => Int, { description: 'Where it starts in `Answer.question`, in UTF-16 units.' })
  start!: number;

  @Field(() => Int, { description: 'Where it ends (exclusive).' })
  end!: number;
}

@InputType({
  description:
    'What the right answer is, in the form of the answer’s task: a label, entities, or a text and the passage that holds it. A label may be expected of what was answered with a text, too.',
})
export class ExpectationInputType {
  @Field(() => String, {
    nullable: true,
    description: `The right label, as a dataset writes it, at most ${EXPECTATION_LIMITS.label} characters.`,
  })
  label?: string | null;

  @Field(() => Boolean, {
    defaultValue: false,
    description: 'Whether the label may be one that no dataset for `CLASSIFICATION` has; else such a label is refused.',
  })
  newLabel!: boolean;

  @MaxItems(EXPECTATION_LIMITS.entities)
  @Field(() => [ExpectedEntityInput], {
    nullable: true,
    description: `All entities of the question, at most ${EXPECTATION_LIMITS.entities}; empty where it has none.`,
  })
  entities?: ExpectedEntityInput[] | null;

  @Field(() => String, {
    nullable: true,
    description: `The right text, at most ${EXPECTATION_LIMITS.text.toLocaleString('en')} characters.`,
  })
  text?: string | null;

  @Field(() => ID, { nullable: true, description: 'The `Chunk` that holds the answer to a question.' })
  passage?: string | null;
}

@InputType({ description: 'What a source says of an answer, or of a conversation: exactly one of both is given.' })
export class SubmitFeedbackInput {
  @Field(() => ID, { nullable: true, description: 'The answer.' })
  answer?: string | null;

  @Field(() => ID, { nullable: true, description: 'The conversation as a whole, as its questions named it.' })
  conversationId?: string | null;

  @Field(() => FeedbackKind, {
    defaultValue: FeedbackKind.FEEDBACK,
    description: 'A judgement, or what the right answer is.',
  })
  kind!: FeedbackKind;

  @Field(() => FeedbackSourceInput, { description: 'Who says so.' })
  source!: FeedbackSourceInput;

  @Field(() => Float, {
    nullable: true,
    description: 'With `FEEDBACK`: from -1 (wrong, useless) to 1 (right, useful); 0 is neither.',
  })
  score?: number | null;

  @Field(() => String, {
    nullable: true,
    description: `Why, at most ${FEEDBACK_LIMITS.comment.toLocaleString('en')} characters.`,
  })
  comment?: string | null;

  @Field(() => ExpectationInputType, { nullable: true, description: 'With `EXPECTATION`: the right answer.' })
  expectation?: ExpectationInputType | null;

  @Field(() => ID, {
    nullable: true,
    description:
      'What its source names it, 1 to 200 characters: sent again, it is found again. Without it, what a source says a second time is found again by what it says.',
  })
  key?: string | null;
}

@InputType({ description: 'Feedback of any number of sources on any number of answers.' })
export class SubmitFeedbackBatchInput {
  @MaxItems(FEEDBACK_LIMITS.batch)
  @Field(() => [SubmitFeedbackInput], {
    description: `1 to ${FEEDBACK_LIMITS.batch.toLocaleString('en')}, all of which are taken, or none.`,
  })
  feedback!: SubmitFeedbackInput[];
}

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
