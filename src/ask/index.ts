/** Questions and their answers. */
export type { Abstention, Answer, Citation, Evidence, RouteDecision, Strategy, StrategyChoice } from './answer.js';
export { AskService, type Caller } from './answer-service.js';
export type { AskParts } from './ask.js';
export { Answer as AnswerType, askResolverClasses, askResolvers, type AskResolverParts } from './ask-graphql.js';
export type { AskEvent } from './events.js';
export { DEFAULT_ANSWER_TOKENS, MAX_ANSWER_TOKENS, MAX_QUESTION_CHARACTERS, type AskInput } from './question.js';
export { AnswerStore, type AnswerFilter } from './record/answer-store.js';
export { ExpectedTimes } from './route.js';
