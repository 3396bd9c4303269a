import type { Test } from './assign.js';
import type { Range } from './ranges.js';

export const CANDIDATE = 'CANDIDATE';
export const CONTROL = 'CONTROL';

interface RolloutRanges {
  candidate: Range;
  control: Range;
  /** Controls a candidate answer that the ranges give: fewer than asked for where the rest is too small. */
  controls: number;
}

/**
 * The candidate grows from 0 upwards and its controls from 1 downwards, so that no unit leaves the candidate while its share is
 * raised, and one leaves the controls only for the candidate, once nobody else is left. Controls are drawn from the same units in the same
 * minutes as the candidate's: "production before" would take a busy Monday for a bad candidate.
 * @param share of the units that the candidate answers, 0 to 1
 * @param controls wanted a candidate answer, 1 to 9; the rest of the units bounds them (at a share of .25 there are 3)
 */
export function rolloutRanges(share: number, controls: number): RolloutRanges {
  const candidate = Math.min(1, Math.max(0, share));
  const control = Math.min(1 - candidate, candidate * controls);
  return {
    candidate: [0, candidate],
    // What is left after subtraction may lie a rounding below where the candidate ends: their ranges never overlap.
    control: [Math.max(candidate, 1 - control), 1],
    controls: candidate === 0 ? 0 : control / candidate,
  };
}

/** A step of a rollout as a test of two arms: whoever is in neither is answered as production and not counted. */
export function rolloutTest(id: string, share: number, controls: number): Test {
  const ranges = rolloutRanges(share, controls);
  return { key: id, arms: [CANDIDATE, CONTROL], ranges: [ranges.candidate, ranges.control] };
}
