/** How versions reach users: arms, rollouts, experiments, proposals. */
export { assign, bucketRanges, CANDIDATE, rolloutRanges, rolloutTest, type Test } from './assignment/index.js';
export { conclude, glance, type ExperimentPlan, type Measured } from './experiments/conclude.js';
export { deliveryDomain, openDelivery, type Delivery } from './open.js';
export { decide, hasEnded, startRollout, type RolloutState } from './rollouts/decide.js';
export { STANDARD_HEALTH, STANDARD_STEPS, type Guardrail, type RolloutPlan } from './rollouts/plan.js';
export { enterStep, evidenceOf, record, startWatch, type Outcome, type Watch } from './rollouts/watch.js';
