import type { z } from 'zod';
import type { LateMetricName } from '../../answer/ask/index.js';
import type { Caller } from '../../kernel/caller.js';
import type { Uuid } from '../../kernel/ids.js';
import { badInput } from '../../kernel/errors.js';
import { digestOf } from '../../kernel/hashing.js';
import { record, choice, int, float } from '../../kernel/record.js';
import { checkedText } from '../../kernel/text.js';
import { checkedExpectation, type Expectation, type ExpectationInput } from './expectation.js';

export const FeedbackKind = choice('FeedbackKind', 'What feedback says.', {
  FEEDBACK: 'How good it was: a score, a comment, or both.',
  EXPECTATION: 'What the right answer is.',
});
export type FeedbackKind = keyof typeof FeedbackKind;

/**
 * What feedback of each kind counts as, the strongest kind first. SQL reads it here, too: a kind that isn’t in it counts as nothing.
 * `metric` is the name of what it measures in a test of answers.
 */
export const FEEDBACK_KINDS = {
  EXPECTATION: { showsAnswer: true, metric: 'AGREEMENT' },
  FEEDBACK: { showsAnswer: false, metric: 'FEEDBACK' },
} as const satisfies Record<FeedbackKind, { showsAnswer: boolean; metric: LateMetricName<'experiment'> }>;

/** Kinds that say what the right answer is. */
export const SHOWING_KINDS = Object.entries(FEEDBACK_KINDS).flatMap(([kind, { showsAnswer }]) =>
  showsAnswer ? [kind] : [],
);

/** The kinds that measure this, as SQL lists them. */
export const kindsThatMeasure = (metricName: LateMetricName<'experiment'>): string =>
  `(${Object.entries(FEEDBACK_KINDS)
    .flatMap(([kind, { metric }]) => (metric === metricName ? [`'${kind}'`] : []))
    .join(', ')})`;

/** The table of kinds for SQL, with the columns `kind` and `metric`. */
export const KIND_TABLE = `(VALUES ${Object.entries(FEEDBACK_KINDS)
  .map(([kind, { metric }]) => `('${kind}', '${metric}')`)
  .join(', ')}) AS kinds (kind, metric)`;

export const SourceKind = choice('FeedbackSourceKind', 'Who gives feedback.', {
  HUMAN: 'A person.',
  MODEL: 'A model that judges: it is counted, and nothing is learned from its words alone.',
  CODE: 'A program, such as a system that knows later what was right.',
});
export type SourceKind = keyof typeof SourceKind;

interface Source {
  kind: SourceKind;
  /** The person, model or program, as its caller names it. */
  name: string;
}

/** Who sends feedback, and answers for the names of its sources. */
export type Giver = Pick<Caller, 'workspaceId' | 'key'>;

/** A source as it is told from others: what one caller calls so. The same name under another caller’s key is another source. */
export interface GivenSource extends Source {
  /** `lineId` of the key; empty where no key is asked for. */
  givenBy: string;
  /** The key’s name; null likewise. */
  givenByName: string | null;
}

/** What feedback may have at most. */
export const FEEDBACK_LIMITS = { batch: 1_000, comment: 4_000, name: 200, key: 200 } as const;

/** Feedback later than this after its answer counts as late: it is kept, and reports say how much of it there was. In days. */
export const LATE_DAYS = 7;

export const feedbackReport = record(
  'FeedbackReport',
  'How much feedback there is, and whether those who give it agree.',
  {
    total: int('All feedback, also what was replaced.'),
    standing: int('What no later feedback of the same source replaced.'),
    late: int(`What came more than ${LATE_DAYS} days after its answer.`),
    right: int('Standing feedback that calls its answer right.'),
    wrong: int('Standing feedback that calls its answer wrong.'),
    expectations: int('Standing feedback that says what the right answer is.'),
    answers: int('Answers with standing feedback.'),
    disagreeing: int('Of those, answers that are called wrong, or of which feedback contradicts feedback.'),
    alpha: float(
      'Krippendorff’s alpha over whether answers are right: 1 where sources agree, 0 as often as by chance. Null where no answer was judged by two, or all verdicts are the same.',
    ).nullable(),
    compared: int('Answers that alpha is over: the latest 20,000 that several sources judged.'),
  },
);
export type FeedbackReport = z.infer<typeof feedbackReport>;

/** How much feedback there is of each sort. */
export type FeedbackFigures = Omit<FeedbackReport, 'alpha' | 'compared'>;

/** What somebody says of an answer, or of a conversation as a whole. */
export interface FeedbackInput {
  /** Row id; exactly one of both. */
  answerId?: string | null;
  conversationId?: string | null;
  kind: FeedbackKind;
  source: Source;
  /** -1 (wrong, useless) to 1 (right, useful); 0 is neither. */
  score?: number | null;
  comment?: string | null;
  expectation?: ExpectationInput | null;
  key?: string | null;
}

/** The same, checked as far as it can be without looking at the answer. */
export interface CheckedFeedback {
  answerId: string | null;
  conversationId: string | null;
  kind: FeedbackKind;
  source: GivenSource;
  score: number | null;
  comment: string | null;
  expectation: Expectation | null;
  key: string | null;
  /** Digest of what is said, whoever says it: the same again is no second feedback. */
  digest: string;
  /** Path of the input, for errors. */
  field: string;
}

/** Feedback as it was recorded. */
export interface Feedback {
  id: Uuid;
  answerId: string | null;
  conversationId: string | null;
  kind: FeedbackKind;
  sourceKind: SourceKind;
  sourceName: string;
  givenBy: string;
  givenByName: string | null;
  score: number | null;
  comment: string | null;
  expectation: Expectation | null;
  /** Whether it says that the answer is right; null where it says neither. */
  agrees: boolean | null;
  /** What it says that the right answer is, equal for those that say the same: see `verdictOf`. */
  verdict: string | null;
  late: boolean;
  /** The earlier one of the same source that it replaces. */
  overridesId: string | null;
  /** When a later one replaced it; null: it stands. */
  supersededAt: Date | null;
  /** When its words were erased; what is left says that it was given. */
  erasedAt: Date | null;
  createdAt: Date;
}

/** @throws BAD_USER_INPUT with the path of what is wrong */
export function checkedFeedback(input: FeedbackInput, giver: Pick<Giver, 'key'>, field: string): CheckedFeedback {
  const { kind, answerId = null, score = null } = input;
  const conversationId = optional(input.conversationId, `${field}.conversationId`, FEEDBACK_LIMITS.key);
  const comment = optional(input.comment, `${field}.comment`, FEEDBACK_LIMITS.comment);
  if ((answerId === null) === (conversationId === null))
    throw badInput(field, 'Feedback is on an answer or on a conversation.', 'Give exactly one of both.');
  if (score !== null && !(score >= -1 && score <= 1))
    throw badInput(`${field}.score`, `score must be between -1 and 1, not ${score}.`);
  const source = {
    kind: input.source.kind,
    name: checkedText(input.source.name, `${field}.source.name`, FEEDBACK_LIMITS.name),
    givenBy: giver.key?.lineId ?? '',
    givenByName: giver.key?.name ?? null,
  };
  const expectation = input.expectation ? checkedExpectation(input.expectation, `${field}.expectation`) : null;
  const statement = { answerId, conversationId, kind, score, comment, expectation };
  requireKind(statement, field);
  return {
    ...statement,
    source,
    key: optional(input.key, `${field}.key`, FEEDBACK_LIMITS.key),
    digest: digestOf(statement),
    field,
  };
}

/** @throws BAD_USER_INPUT for what feedback of its kind lacks or can't have */
function requireKind(
  statement: Pick<CheckedFeedback, 'kind' | 'answerId' | 'score' | 'comment' | 'expectation'>,
  field: string,
): void {
  const { kind, answerId, score, comment, expectation } = statement;
  if (kind === 'EXPECTATION') {
    if (expectation === null || answerId === null)
      throw badInput(`${field}.expectation`, 'An EXPECTATION says what the right answer to a question is.');
    if (score !== null) throw badInput(`${field}.score`, 'An EXPECTATION has no score.', 'Send it as FEEDBACK, too.');
  } else {
    if (expectation !== null)
      throw badInput(`${field}.expectation`, 'FEEDBACK has no expectation.', 'Send it as an EXPECTATION.');
    if (score === null && comment === null)
      throw badInput(field, 'FEEDBACK needs a score or a comment.', 'Give at least one of both.');
  }
}

const optional = (text: string | null | undefined, field: string, maxLength: number): string | null =>
  text === null || text === undefined ? null : checkedText(text, field, maxLength);
