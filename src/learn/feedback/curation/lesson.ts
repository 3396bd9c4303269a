import { DELETED_TEXT, type Answer } from '../../../answer/ask/index.js';
import { choice } from '../../../kernel/record.js';
import { AS_ANSWERED, type Expectation } from '../expectation.js';
import { FEEDBACK_KINDS, type Feedback } from '../feedback.js';
import { OTHER, trusted, weighBallots, type Reliability } from '../source-weights.js';
import { votesOf } from '../votes.js';

export const Basis = choice('LessonBasis', 'Why something may be learned.', {
  DEMONSTRATED: 'A person or a program said what is right.',
  CONFIRMED: 'A person said that what was answered is right.',
});
export type Basis = keyof typeof Basis;

export const LeftOut = choice('LeftOutReason', 'Why an answer with feedback teaches nothing.', {
  CONFLICTING: 'Sources say different things, and none is believed enough more than the others.',
  DISTRUSTED: 'Who said so was wrong too often before.',
  WRONG_ONLY: 'It is called wrong, and nobody said what is right.',
  UNCONFIRMED: 'Only a model, or the score of a program, says so.',
  OTHER_FORM: 'What is right has another form than rows of the dataset.',
  UNKNOWN_LABEL: 'The dataset has no such label or type.',
  FOLLOW_UP: 'It was answered behind earlier questions of its conversation, which may be erased.',
  PASSAGE_GONE: 'A passage that it was read from has changed or gone.',
  TESTED_OTHERWISE:
    'A row for testing has these words and says otherwise: that changes only where a person reviews the answer.',
  ABSTAINED: 'It is right that nothing was answered: there is nothing to say instead.',
  ERASED: 'What was said, or answered, is erased.',
});
export type LeftOut = keyof typeof LeftOut;

/** What an answer teaches. */
export interface Lesson {
  answer: Answer;
  basis: Basis;
  /** What is right; null: what was answered. */
  right: Expectation | null;
  /** The feedback that says so, newest first. */
  feedback: Feedback[];
}

/**
 * What can be learned from an answer and its standing feedback: what is the most probable of what was said, given how far each voter
 * can be believed (see `voterOf`), if somebody may say so: people and programs what is right, people alone that an answer is. A model's words count in
 * the vote and are never the lesson.
 * @param threshold the probability that what is learned has at least
 * @returns null where nothing was said of what is right
 */
export function lessonOf(
  answer: Answer,
  feedback: readonly Feedback[],
  reliability: ReadonlyMap<string, Reliability>,
  threshold: number,
): Lesson | LeftOut | null {
  if (feedback.every((entry) => entry.verdict === null)) return null;
  const votes = votesOf(feedback);
  // A key whose names contradict each other.
  if (votes.length === 0) return 'CONFLICTING';
  const contested = new Set(votes.map((vote) => vote.verdict)).size > 1;
  const ballots = votes.map(({ voter, verdict }) => ({ source: voter, verdict }));
  const weights = contested
    ? reliability
    : new Map(ballots.map(({ source }) => [source, trusted(reliability.get(source))]));
  const [best] = [...weighBallots(ballots, weights)].sort((a, b) => b[1] - a[1]);
  const [verdict, probability] = best!;
  if (probability < threshold) return contested ? 'CONFLICTING' : 'DISTRUSTED';
  if (verdict === OTHER) return 'WRONG_ONLY';
  const saying = feedback.filter((entry) => entry.verdict === verdict && mayTeach(entry));
  if (saying.length === 0) return 'UNCONFIRMED';
  const demonstrated = saying.find(({ expectation }) => expectation !== null);
  if (!demonstrated) {
    // That it was said stays when its words go, and so does that something was answered.
    if (verdict !== AS_ANSWERED || answer.text === DELETED_TEXT) return 'ERASED';
    return answer.abstention === null ? { answer, basis: 'CONFIRMED', right: null, feedback: saying } : 'ABSTAINED';
  }
  return { answer, basis: 'DEMONSTRATED', right: demonstrated.expectation, feedback: saying };
}

function mayTeach({ kind, sourceKind, verdict }: Feedback): boolean {
  if (FEEDBACK_KINDS[kind].showsAnswer) return sourceKind !== 'MODEL';
  return sourceKind === 'HUMAN' && verdict === AS_ANSWERED;
}
