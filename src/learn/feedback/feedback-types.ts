import { createUnionType } from 'type-graphql';
import { z } from 'zod';
import { connectionTypes, make, nodeOf, NodeType, recordType, objectType, ofType } from '../../kit/graphql/index.js';
import { oneOf, string, id, float, boolean, date, int } from '../../kernel/record.js';
import { expectedEntities, expectedLabel, expectedText, type Expectation as ExpectationRecord } from './expectation.js';
import { FeedbackKind, feedbackReport, LATE_DAYS, SourceKind, type Feedback as FeedbackRecord } from './feedback.js';

const GIVEN_BY =
  'Name of the key that it came with; null where none was asked for. Under another key the same name is another source; all names under one key have one vote on an answer.';

const FeedbackSource = objectType('FeedbackSource', 'Who gave feedback: what one caller calls so.', {
  kind: oneOf(SourceKind, 'A person, a model or a program.'),
  name: string('Its name.'),
  givenBy: string(GIVEN_BY).nullable(),
});

const ExpectedLabel = recordType(expectedLabel);
const ExpectedEntities = recordType(expectedEntities);
export const ExpectedText = recordType(expectedText);
export type ExpectedText = InstanceType<typeof ExpectedText>;

export const Expectation = createUnionType({
  name: 'Expectation',
  description: 'What the right answer is, in the form of its task.',
  types: () => [ExpectedLabel, ExpectedEntities, ExpectedText] as const,
});

export const Feedback = objectType(
  'Feedback',
  'What a source says of an answer or of a conversation.',
  {
    kind: oneOf(FeedbackKind, 'A judgement, or what the right answer is.'),
    source: ofType(() => FeedbackSource, 'Who says so.'),
    conversationId: id('The conversation that it is on; null where it is on an answer.').nullable(),
    score: float('From -1 (wrong, useless) to 1 (right, useful); null where none was given.').nullable(),
    agrees: boolean(
      'Whether it says that the answer is right; null where it says neither, and on conversations.',
    ).nullable(),
    late: boolean(`Whether it came more than ${LATE_DAYS} days after its answer.`),
    supersededAt: date('When later feedback of the same source replaced it; null: it stands.').nullable(),
    erasedAt: date('When its words were erased; null: they are there.').nullable(),
    givenAt: date('When it was given.'),
    answerId: z.string().nullable(),
    overridesId: z.string().nullable(),
    verdict: z.string().nullable(),
    row: z.custom<FeedbackRecord>(),
  },
  NodeType,
);
export type Feedback = InstanceType<typeof Feedback>;

export const { Connection: FeedbackConnection } = connectionTypes(Feedback);

export const toFeedback = (row: FeedbackRecord): Feedback =>
  nodeOf(Feedback, row, {
    source: { kind: row.sourceKind, name: row.sourceName, givenBy: row.givenByName },
    givenAt: row.createdAt,
  });

export function toExpectationType(expectation: ExpectationRecord): typeof Expectation {
  switch (expectation.kind) {
    case 'LABEL':
      return make(ExpectedLabel, expectation);
    case 'ENTITIES':
      return make(ExpectedEntities, expectation);
    case 'TEXT':
      return make(ExpectedText, expectation);
  }
}

export const WeighedFeedbackSource = objectType(
  'WeighedFeedbackSource',
  'A source of feedback, and how far it can be believed.',
  {
    kind: oneOf(SourceKind, 'A person, a model or a program.'),
    name: string('Its name.'),
    givenBy: string(GIVEN_BY).nullable(),
    given: int('How much feedback it gave.'),
    standing: int('How much of it stands.'),
    lastAt: date('When it gave some last.'),
    compared: int(
      'Answers that others judged, too: of a source with a key, all that its key judged, and so with `accuracy` and `weight`.',
    ),
    accuracy: float(
      'Estimated share of its verdicts that are right, 0 to 1: from where it agrees with others (Dawid and Skene, 1979, with one parameter a source). 0.8 before anything is known.',
    ),
    weight: float(
      'What its verdicts count: 0 (no better than a coin) to 1. It falls where it disagrees with the others.',
    ),
  },
);
export type WeighedFeedbackSource = InstanceType<typeof WeighedFeedbackSource>;

export const FeedbackReport = recordType(feedbackReport);
export type FeedbackReport = InstanceType<typeof FeedbackReport>;
