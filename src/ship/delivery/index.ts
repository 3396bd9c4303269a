/** How versions reach users: arms, rollouts, experiments, proposals. */
export { assign, bucketRanges, CANDIDATE, rolloutTest, type Test } from './assignment/index.js';
export { conclude, glance, type ExperimentPlan } from './experiments/conclude.js';
export { deliveryDomain, openDelivery, type Delivery } from './open.js';
/** Without the rest of a gateway, for who measures it: bench/delivery-live.ts. */
export { deliveryServices } from './open.js';
export { loadProposal, Proposal } from './proposals/proposal-graphql.js';
export type { ProposalRow, ProposalStore } from './proposals/proposal-store.js';
export { quality, qualityOf } from './rollouts/could-see.js';
export { decide, hasEnded, startRollout, type RolloutState } from './rollouts/decide.js';
export { NO_TRAFFIC_MINUTES, STANDARD_STEPS, type RolloutPlan } from './rollouts/plan.js';
export { loadRollout, rolloutRuns } from './rollouts/rollout-graphql.js';
export { AdapterRolloutsResolver, VersionRolloutsResolver } from './rollouts/rollout-edges-graphql.js';
export type { RolloutRow } from './rollouts/rollout.js';
export type { RolloutStore } from './rollouts/rollout-store.js';
export { Rollout } from './rollouts/rollout-types.js';
export { SubjectStore } from './subject-store.js';
export { planOf, RolloutTemplate, type PlanRequest } from './rollouts/settings.js';
export { enterStep, evidenceOf, record, recordLate, startWatch, type Watch } from './rollouts/watch.js';
