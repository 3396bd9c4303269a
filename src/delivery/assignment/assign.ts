import { hash, type HashVersion } from './hash.js';
import { chooseVariation, inNamespace, inRange, probabilityOf, type Namespace, type Range } from './ranges.js';

/** Which units take part in a test and which arm each of them gets. Plain data: two gateways that hold the same one agree. */
export interface Test {
  key: string;
  /** What places the units; the key by default. Tests of one seed place a unit alike. */
  seed?: string;
  /** 2 by default. */
  hashVersion?: HashVersion;
  arms: readonly string[];
  /** One an arm, apart from each other. */
  ranges: readonly Range[];
  namespace?: Namespace;
  /** Each must hold the unit; where there are any, the namespace isn't asked. */
  filters?: readonly { seed: string; hashVersion?: HashVersion; ranges: readonly Range[] }[];
  /** Raised when units shall be drawn anew, for instance after an arm was repaired. 0 by default. */
  bucketVersion?: number;
  /** Units that were in an earlier version than this are tainted by what they saw and take no part. 0 by default. */
  minBucketVersion?: number;
  /** A test that is off assigns nobody but those who are forced. */
  enabled?: boolean;
}

/** The arm that a unit had under each version, by `${key}__${bucketVersion}`: only tests that raise their version need it. */
export type Sticky = Readonly<Record<string, string>>;

export interface AssignOptions {
  /** The arm that a tester asks for; where the test has none of that name, null is returned and nobody is drawn. */
  forceArm?: string | null;
  sticky?: Sticky | null;
}

export interface UnitAssignment {
  arm: string;
  /** Of the arm in the test. */
  index: number;
  /** 0 to below 1; null where nothing was drawn. */
  bucket: number | null;
  /** With which a unit that may take part gets this arm, 0 to 1: what answers are weighted by when they are read again. */
  probability: number;
  /** A tester chose it. */
  forced: boolean;
  /** Whether the answer may enter any figure: never what was forced. */
  counted: boolean;
  /** The arm is what the unit had before, not what its bucket says now. */
  sticky: boolean;
}

export const stickyKey = ({ key, bucketVersion = 0 }: Pick<Test, 'key' | 'bucketVersion'>): string =>
  `${key}__${bucketVersion}`;

/**
 * The arm of a unit, computed from the two and nothing else. The order: forced, off, filters or namespace, tainted by an earlier
 * version, what it had under this one, its bucket.
 * @returns null where the unit takes no part: it is answered as production
 */
export function assign(test: Test, unit: string, { forceArm, sticky }: AssignOptions = {}): UnitAssignment | null {
  const version = test.hashVersion ?? 2;
  const assignment = (index: number, rest: Pick<UnitAssignment, 'bucket' | 'forced' | 'sticky'>): UnitAssignment => ({
    arm: test.arms[index]!,
    index,
    probability: probabilityOf(test.ranges[index] ?? [0, 0], version),
    counted: !rest.forced,
    ...rest,
  });
  if (forceArm !== undefined && forceArm !== null) {
    const index = test.arms.indexOf(forceArm);
    return index < 0 ? null : assignment(index, { bucket: null, forced: true, sticky: false });
  }
  // One arm alone compares nothing.
  if (test.enabled === false || test.arms.length < 2 || unit === '' || !takesPart(test, unit)) return null;
  if (isTainted(test, sticky)) return null;
  const bucket = hash(test.seed ?? test.key, unit, version);
  if (bucket === null) return null;
  const before = test.arms.indexOf(sticky?.[stickyKey(test)] ?? '');
  if (before >= 0) return assignment(before, { bucket, forced: false, sticky: true });
  const index = chooseVariation(bucket, test.ranges);
  return index < 0 ? null : assignment(index, { bucket, forced: false, sticky: false });
}

function takesPart({ filters, namespace }: Test, unit: string): boolean {
  if (filters)
    return filters.every(({ seed, hashVersion, ranges }) => {
      const bucket = hash(seed, unit, hashVersion ?? 2);
      return bucket !== null && ranges.some((range) => inRange(bucket, range));
    });
  return !namespace || inNamespace(unit, namespace);
}

/** Whether the unit was in a version before the least one: what it saw there would show in what it says now. */
function isTainted({ key, minBucketVersion = 0 }: Test, sticky: Sticky | null | undefined): boolean {
  if (!sticky || minBucketVersion <= 0) return false;
  return Object.keys(sticky).some((each) => {
    if (!each.startsWith(`${key}__`)) return false;
    const version = each.slice(key.length + 2);
    return /^\d+$/.test(version) && Number(version) < minBucketVersion;
  });
}
