/** Questions and their answers. */
export {
  AssignmentKind,
  confidenceOf,
  type Answer,
  type Assignment,
  type Conflict,
  type Evidence,
  type Output,
} from './answer.js';
export { AS_ASKED, type Arm, type Asker, type Assigner, type Drawn } from './assignment.js';
export { Strategy as StrategyValues, STRATEGIES, type Strategy, type StrategyChoice } from './strategies.js';
export { scoreLabels, type LabelProbability } from './classify.js';
export { promptsOf } from './compose.js';
export { generate } from './generate.js';
export { pool } from './labelled-rows.js';
export { AskService } from './ask-service.js';
export type { AskParts } from './ask.js';
export { AnswerConnection, answersPage, loadAnswer } from './ask-graphql.js';
export { askDomain, openAsking, type Asking } from './open.js';
export type { AskEvent } from './events.js';
export { Answer as AnswerType, AppliedAdapter } from './answer-graphql.js';
export { MAX_ANSWER_TOKENS, MAX_QUESTION_CHARACTERS, type AskInput } from './question.js';
export { standaloneQuestion } from './follow-up.js';
export { AnswerFilterInput, toFilter } from './answer-filter-graphql.js';
export { checkedFilter, type AnswerFilter } from './record/answer-filter.js';
export { AnswerStore, type FeedbackCounts } from './record/answer-store.js';
export type { ErasedAnswers } from './record/on-erasure.js';
export { answerHolder, DELETED_TEXT } from './record/erase-answers.js';
export { calibrate, logOdds, type Calibration, type Signal } from './router/calibration.js';
export { choose, weigh, type Place } from './router/choose.js';
export { RouterMode, type AdapterSample, type FittedOn, type Learned, type RouterRecord } from './router/router.js';
export { RouterStore, sampleHolder } from './router/router-store.js';
export { directionOf, signalOfPassages, signalOfSample } from './router/signals.js';
export { ExpectedTimes } from './route.js';
/** The stages before generation, for who measures them without a model: bench/answers.ts, bench/opposites.ts, bench/reading-rule.ts. */
export { abstention, LEAST_PROBABILITY, LEAST_READ, relevance } from './abstain.js';
export { scoreSentences } from './evidence.js';
export { exclusiveWords } from './opposites.js';
export { contentWords } from './words.js';
export { checkedQuestion } from './question.js';
export { answerabilityOf, DOUBTED, leastAnswerability, READING, readingLogOdds } from './reading-rule.js';
export { findConflicts } from './conflicts/find-conflicts.js';
export { findEvidence, retrievePassages, type Found } from './retrieve.js';
