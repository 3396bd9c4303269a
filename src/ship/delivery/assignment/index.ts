/** Which unit gets which arm: computed, never looked up. Pure. */
export { assign, type Test } from './assign.js';
export { hash } from './hash.js';
export { bucketRanges, chooseVariation, equalWeights, probabilityOf, weightsAddUp, type Range } from './ranges.js';
export { CANDIDATE, CONTROL, rolloutRanges, rolloutTest } from './rollout-test.js';
