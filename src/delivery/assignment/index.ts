/** Which unit gets which arm: computed, never looked up. Pure. */
export { assign, stickyKey, type UnitAssignment, type Test } from './assign.js';
export { hash, type HashVersion } from './hash.js';
export {
  bucketRanges,
  chooseVariation,
  equalWeights,
  inNamespace,
  probabilityOf,
  weightsAddUp,
  type Range,
} from './ranges.js';
export { CANDIDATE, CONTROL, rolloutRanges, rolloutTest } from './rollout-test.js';
