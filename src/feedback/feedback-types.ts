import { createUnionType, Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionTypes, DateTime, make, NodeType, recordType, toGlobalId } from '../graphql-kit/index.js';
import { expectedEntities, expectedLabel, expectedText, type Expectation as ExpectationRecord } from './expectation.js';
import { FeedbackKind, feedbackReport, LATE_DAYS, SourceKind, type Feedback as FeedbackRecord } from './feedback.js';

registerEnumType(FeedbackKind, {
  name: 'FeedbackKind',
  description: 'What feedback says.',
  valuesConfig: {
    FEEDBACK: { description: 'How good it was: a score, a comment, or both.' },
    EXPECTATION: { description: 'What the right answer is.' },
  },
});

registerEnumType(SourceKind, {
  name: 'FeedbackSourceKind',
  description: 'Who gives feedback.',
  valuesConfig: {
    HUMAN: { description: 'A person.' },
    MODEL: { description: 'A model that judges: it is counted, and nothing is learned from its words alone.' },
    CODE: { description: 'A program, such as a system that knows later what was right.' },
  },
});

const GIVEN_BY =
  'Name of the key that it came with; null where none was asked for. Under another key the same name is another source; all names under one key have one vote on an answer.';

@ObjectType({ description: 'Who gave feedback: what one caller calls so.' })
export class FeedbackSource {
  @Field(() => SourceKind, { description: 'A person, a model or a program.' })
  kind!: SourceKind;

  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => String, { nullable: true, description: GIVEN_BY })
  givenBy!: string | null;
}

export const ExpectedLabel = recordType(expectedLabel);
export type ExpectedLabel = InstanceType<typeof ExpectedLabel>;
export const ExpectedEntities = recordType(expectedEntities);
export type ExpectedEntities = InstanceType<typeof ExpectedEntities>;
export const ExpectedText = recordType(expectedText);
export type ExpectedText = InstanceType<typeof ExpectedText>;

export const Expectation = createUnionType({
  name: 'Expectation',
  description: 'What the right answer is, in the form of its task.',
  types: () => [ExpectedLabel, ExpectedEntities, ExpectedText] as const,
});

@ObjectType({ implements: NodeType, description: 'What a source says of an answer or of a conversation.' })
export class Feedback extends NodeType {
  @Field(() => FeedbackKind, { description: 'A judgement, or what the right answer is.' })
  kind!: FeedbackKind;

  @Field(() => FeedbackSource, { description: 'Who says so.' })
  source!: FeedbackSource;

  @Field(() => ID, { nullable: true, description: 'The conversation that it is on; null where it is on an answer.' })
  conversationId!: string | null;

  @Field(() => Float, {
    nullable: true,
    description: 'From -1 (wrong, useless) to 1 (right, useful); null where none was given.',
  })
  score!: number | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether it says that the answer is right; null where it says neither, and on conversations.',
  })
  agrees!: boolean | null;

  @Field(() => Boolean, { description: `Whether it came more than ${LATE_DAYS} days after its answer.` })
  late!: boolean;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When later feedback of the same source replaced it; null: it stands.',
  })
  supersededAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When its words were erased; null: they are there.' })
  erasedAt!: Date | null;

  @Field(() => DateTime, { description: 'When it was given.' })
  givenAt!: Date;

  rowId!: string;
  /** What may only be shown with its answer. */
  told!: { comment: string | null; expectation: ExpectationRecord | null };
  answerId!: string | null;
  overridesId!: string | null;
  verdict!: string | null;
}

export const { Connection: FeedbackConnection } = connectionTypes(Feedback);

export const toFeedback = (record: FeedbackRecord): Feedback =>
  make(Feedback, {
    id: toGlobalId('Feedback', record.id),
    kind: record.kind,
    source: make(FeedbackSource, { kind: record.sourceKind, name: record.sourceName, givenBy: record.givenByName }),
    conversationId: record.conversationId,
    score: record.score,
    told: { comment: record.comment, expectation: record.expectation },
    agrees: record.agrees,
    late: record.late,
    supersededAt: record.supersededAt,
    erasedAt: record.erasedAt,
    givenAt: record.createdAt,
    rowId: record.id,
    answerId: record.answerId,
    overridesId: record.overridesId,
    verdict: record.verdict,
  });

export function toExpectationType(told: ExpectationRecord): typeof Expectation {
  switch (told.kind) {
    case 'LABEL':
      return make(ExpectedLabel, told);
    case 'ENTITIES':
      return make(ExpectedEntities, told);
    case 'TEXT':
      return make(ExpectedText, told);
  }
}

@ObjectType({ description: 'A source of feedback, and how far it can be believed.' })
export class WeighedFeedbackSource {
  @Field(() => SourceKind, { description: 'A person, a model or a program.' })
  kind!: SourceKind;

  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => String, { nullable: true, description: GIVEN_BY })
  givenBy!: string | null;

  @Field(() => Int, { description: 'How much feedback it gave.' })
  given!: number;

  @Field(() => Int, { description: 'How much of it stands.' })
  standing!: number;

  @Field(() => DateTime, { description: 'When it gave some last.' })
  lastAt!: Date;

  @Field(() => Int, {
    description:
      'Answers that others judged, too: of a source with a key, all that its key judged, and so with `accuracy` and `weight`.',
  })
  compared!: number;

  @Field(() => Float, {
    description:
      'Estimated share of its verdicts that are right, 0 to 1: from where it agrees with others (Dawid and Skene, 1979, with one parameter a source). 0.8 before anything is known.',
  })
  accuracy!: number;

  @Field(() => Float, {
    description:
      'What its verdicts count: 0 (no better than a coin) to 1. It falls where it disagrees with the others.',
  })
  weight!: number;
}

export const FeedbackReport = recordType(feedbackReport);
export type FeedbackReport = InstanceType<typeof FeedbackReport>;
