/** Questions and their answers. */
export type { Answer, Conflict, Evidence } from './answer.js';
export { Strategy as StrategyValues } from './strategies.js';
export { scoreLabels, type LabelProbability } from './classify.js';
export { promptsOf } from './compose.js';
export { generate } from './generate.js';
export { pool } from './labelled-rows.js';
export { AskService } from './ask-service.js';
export type { AskParts } from './ask.js';
export { AnswerConnection, answersPage, askResolvers } from './ask-graphql.js';
export type { AskEvent } from './events.js';
export { Answer as AnswerType, AppliedAdapter } from './answer-graphql.js';
export type { AskInput } from './question.js';
export { AnswerStore } from './record/answer-store.js';
export { answerHolder } from './record/erase-answers.js';
export { calibrate, logOdds, type Calibration, type Signal } from './router/calibration.js';
export { choose, weigh, type Place } from './router/choose.js';
export { RouterMode, type AdapterSample, type FittedOn, type Learned, type RouterRecord } from './router/router.js';
export { RouterStore, sampleHolder } from './router/router-store.js';
export { directionOf, signalOfPassages, signalOfSample } from './router/signals.js';
export { ExpectedTimes } from './route.js';
/** The stages before generation, for who measures them without a model: bench/answers.ts, bench/opposites.ts. */
export { abstention, LEAST_PROBABILITY, relevance } from './abstain.js';
export { scoreSentences } from './evidence.js';
export { exclusiveWords } from './opposites.js';
export { contentWords } from './words.js';
export { checkedQuestion } from './question.js';
export { findConflicts } from './conflicts/find-conflicts.js';
export { findEvidence, retrievePassages, type Found } from './retrieve.js';
