/** Which unit gets which arm: computed, never looked up. Pure. */
export { assign, stickyKey, type AssignOptions, type Assignment, type Sticky, type Test } from './assign.js';
export { BUCKETS, hash, type HashVersion } from './hash.js';
export {
  bucketRanges,
  chooseVariation,
  equalWeights,
  inNamespace,
  inRange,
  probabilityOf,
  weightsAddUp,
  type Namespace,
  type Range,
} from './ranges.js';
export {
  CANDIDATE,
  CONTROL,
  FEWEST_CONTROLS,
  MOST_CONTROLS,
  rolloutRanges,
  rolloutTest,
  type RolloutRanges,
} from './rollout-test.js';
