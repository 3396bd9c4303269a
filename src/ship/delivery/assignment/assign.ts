import { hash } from './hash.js';
import { chooseVariation, probabilityOf, type Range } from './ranges.js';

/** Which units take part in a test and which arm each of them gets. Plain data: two gateways that hold the same one agree. */
export interface Test {
  /** What places the units: tests of one key place a unit alike. */
  key: string;
  arms: readonly string[];
  /** One an arm, apart from each other. */
  ranges: readonly Range[];
}

export interface UnitAssignment {
  arm: string;
  /** Of the arm in the test. */
  index: number;
  /** 0 to below 1; null where nothing was drawn. */
  bucket: number | null;
  /** With which a unit that may take part gets this arm, 0 to 1: what answers are weighted by when they are read again. */
  probability: number;
  /** A tester chose it: the answer never enters any figure. */
  forced: boolean;
}

/**
 * The arm of a unit, computed from the two and nothing else.
 * @param forceArm the arm that a tester asks for; where the test has none of that name, nobody is drawn
 * @returns null where the unit takes no part: it is answered as production
 */
export function assign(
  { key, arms, ranges }: Test,
  unit: string,
  forceArm: string | null = null,
): UnitAssignment | null {
  const assignment = (index: number, bucket: number | null): UnitAssignment | null =>
    index < 0
      ? null
      : {
          arm: arms[index]!,
          index,
          bucket,
          probability: probabilityOf(ranges[index] ?? [0, 0]),
          forced: forceArm !== null,
        };
  if (forceArm !== null) return assignment(arms.indexOf(forceArm), null);
  // One arm alone compares nothing.
  if (arms.length < 2 || unit === '') return null;
  const bucket = hash(key, unit);
  return assignment(chooseVariation(bucket, ranges), bucket);
}
