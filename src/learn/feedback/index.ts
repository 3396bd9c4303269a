/** What people, models and programs say of answers: how far they can be believed, and what is learned from it. */
export { curation } from './curation/curation-run.js';
export type { Curator, StartCuration } from './curation/curator.js';
export { AS_ANSWERED, verdictOn } from './expectation.js';
export { KIND_TABLE, kindsThatMeasure, type Feedback, type FeedbackInput } from './feedback.js';
export { FeedbackService } from './feedback-service.js';
export { FeedbackStore } from './feedback-store.js';
export { feedbackDomain, openFeedback, type OpenFeedback } from './open.js';
export { estimateReliability, type Ballot } from './source-weights.js';
/** For who measures what it promises: bench/decisions. */
export { qualityOf } from './quality/quality.js';
export { votesOf } from './votes.js';
export { lessonOf } from './curation/lesson.js';
export type { HeldOut } from './curation/usual-errors.js';
