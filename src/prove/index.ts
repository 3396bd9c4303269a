/** What adapters are worth: that they act, and how well they answer. */
export { compareChanges, TOLERANCE } from './attestation/compare-changes.js';
export { Attestor } from './attestation/attestor.js';
export { evaluationDomain, openEvaluation, type OpenEvaluation } from './open.js';
export { evaluationRuns } from './evaluations/evaluation-graphql.js';
export { EvaluationStore } from './evaluations/evaluation-store.js';
export { HybridFitter } from './blend/hybrid-fitter.js';
export { Comparer } from './comparison/comparer.js';
export { RouterFitter } from './router/router-fitter.js';
export { RouterKeeper } from './router/router-keeper.js';
export { ScaleChooser } from './scale/scale-chooser.js';
export { Gate } from './gate/gate.js';
export { DEFAULT_BOUNDS, judge } from './gate/judge.js';
export { signed } from './gate/signed.js';
export { simplerMethods } from './gate/simpler.js';
export { Evaluator, type StartEvaluation } from './evaluations/evaluator.js';
export { answerF1, exactMatch, holdsAnswer, tokenF1, type AnsweredRow } from './metrics/question-answering.js';
export { binomialInterval } from '../kernel/statistics/binomial.js';
export { mcnemarOf } from '../kernel/statistics/mcnemar.js';
export { estimate, pairedDifference, type Estimate } from './bootstrap.js';
export { calibrationError } from './metrics/classification.js';
export { columnSums, measure, type Metric } from './metrics/metric.js';
export { cupedArms, fixedDifference, type CovariateSums } from '../kernel/statistics/fixed.js';
export { momentsOf, type Moments } from '../kernel/statistics/moments.js';
export {
  conditionalPower,
  daysLeft,
  FUTILE_BELOW,
  leastEffect,
  powerOf,
  samplePlan,
  type Design,
} from '../kernel/statistics/sample-size.js';
export { meanDifferenceSequence, meanSequence } from '../kernel/statistics/sequential/mean-sequence.js';
export { rateDifferenceSequence, rateSequence } from '../kernel/statistics/sequential/rate-sequence.js';
export { sampleRatioLogE } from '../kernel/statistics/sequential/sample-ratio.js';
export {
  observeRate,
  powerOf as powerOfRates,
  startTwoRates,
  type TwoRates,
} from '../kernel/statistics/sequential/two-rates.js';
export { GateVerdict, gateVerdictOf } from './gate/gate-graphql.js';
export { decidingValue, storedFigures, type EvaluationFigures } from './evaluations/figures.js';
