/** Questions and their answers. */
export {
  basisOf,
  confidenceOf,
  routePreview,
  type Answer,
  type Assignment,
  type Conflict,
  type Evidence,
} from './answer.js';
export {
  meaningsOf,
  metricsFor,
  type AnswerMetric,
  type AnswerOutcome,
  type LateMetricName,
} from './answer-metrics.js';
export { AS_ASKED, type Arm, type Asker, type Assigner, type Drawn } from './route/assignment.js';
export {
  Strategy as StrategyValues,
  StrategyChoice as StrategyChoiceValues,
  STRATEGIES,
  strategiesThat,
  type Strategy,
  type StrategyChoice,
} from './strategies.js';
export { scoreLabels, type LabelProbability } from './word/classify.js';
export { promptsOf } from './prompt/compose.js';
export { generate } from './prompt/generate.js';
export { pool } from './word/classify-by-rows.js';
export { askAgain } from './ask-again.js';
export { AskService } from './ask-service.js';
export type { AskParts } from './parts.js';
export { AnswerConnection, answersPage, loadAnswer } from './api/ask-graphql.js';
export { askDomain, openAsking, type OpenAsking } from './open.js';
export type { AnswerEvent, AskEvent } from './events.js';
export { Answer as AnswerType, AppliedAdapter } from './api/answer-graphql.js';
export { checkQuestionLength, MAX_ANSWER_TOKENS, type AskInput } from './question.js';
export type { ToolUse } from './tools.js';
export { readSchema, SchemaFault } from './form/read-schema.js';
export { goesOn, standaloneQuestion } from './follow-up.js';
export { AnswerFilterInput, toFilter } from './api/answer-filter-graphql.js';
export { checkedFilter, randomNumber, type AnswerFilter } from './record/answer-filter.js';
export { AnswerStore } from './record/answer-store.js';
export type { ErasedAnswers } from './record/on-erasure.js';
export { answerHolder } from './record/erase-answers.js';
export { DELETED_TEXT } from './record/on-erasure.js';
export {
  measure,
  membershipLogOdds,
  membershipOf,
  pValueOf,
  type Membership,
  type MembershipMeasures,
  type MembershipModel,
  type MembershipWeights,
} from './route/membership/membership.js';
export { OWN_REFUSED } from './route/membership/foreign.js';
export { MembershipStore } from './route/membership/membership-store.js';
export { areaUnder, calibrate, logOdds, type PlaceSignal } from './route/router/calibration.js';
export {
  ownerOf,
  placeKey,
  SIGNIFICANCE,
  weigh,
  yieldsTo,
  type BestSentence,
  type Place,
  type Weights,
} from './route/router/choose.js';
export {
  missingOf,
  modeInForce,
  routerFigures,
  RouterMode,
  type AdapterSample,
  type FittedOn,
  type RouterParameters,
  type RouterRecord,
} from './route/router/router.js';
export { RouterStore } from './route/router/router-store.js';
export { bestSentence, heldByDocuments, nearestCollection } from './route/router/documents.js';
export { ExpectedTimes } from './route/expected-times.js';
/** The stages before generation, for who measures them without a model: bench/ablation.ts, answers.ts, wording-rules.ts. */
export { abstention, LEAST_PROBABILITY } from './abstention.js';
export {
  answerProbability,
  calibrated,
  featuresOf,
  PROBABILITY,
  readerLogOdds,
  type ProbabilityRule,
} from './read/probability.js';
export { isReadEnough, isWorthReading, READING, TO_BE_READ } from './judge/reading.js';
export { readSentences } from './judge/check-reading.js';
export { makePlan, type Plan } from './plan.js';
export { contextOf, tokenCounter } from './prompt/prompt-room.js';
export { ALL_WORDING_RULES, checkWording, type WordingRules } from './word/verify.js';
export { ALL_RULES, byScore } from './read/evidence.js';
export { checkedKey, checkedQuestion, MAX_KEY_CHARACTERS } from './question.js';
export { findConflicts } from './read/conflicts/find-conflicts.js';
export { ANSWERED, findEvidence, retrievePassages, type RetrievalResult } from './read/retrieve.js';
