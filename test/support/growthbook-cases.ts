import {
  bucketRanges,
  chooseVariation,
  equalWeights,
  hash,
  type Range,
} from '../../src/ship/delivery/assignment/index.js';

export interface GrowthbookCases {
  hash: [seed: string, value: string, version: number, expected: number | null][];
  getBucketRange: [name: string, [number, number, number[] | null], Range[]][];
  chooseVariation: [name: string, bucket: number, Range[], number][];
  getEqualWeights: [number, number[]][];
}

/** A case, what we say of it and what the SDKs do. */
export interface Check {
  name: string;
  ours: () => unknown;
  expected: unknown;
}

const check = (name: string, ours: () => unknown, expected: unknown): Check => ({ name, ours, expected });

/** The published cases of GrowthBook's SDKs that are about what Graft shares with them, by group; of its two hashes the newer one. */
export const growthbookChecks = (cases: GrowthbookCases): Record<string, Check[]> => ({
  hash: cases.hash
    .filter(([, , version]) => version === 2)
    .map(([seed, value, , expected]) =>
      check(`seed ${JSON.stringify(seed)}, value ${JSON.stringify(value)}`, () => hash(seed, value), expected),
    ),
  range: cases.getBucketRange.map(([name, [arms, coverage, weights], expected]) =>
    check(
      name,
      () => bucketRanges(arms, coverage, weights).map((range) => range.map((end) => Math.round(end * 1e6) / 1e6)),
      expected,
    ),
  ),
  variation: cases.chooseVariation.map(([name, bucket, ranges, expected]) =>
    check(name, () => chooseVariation(bucket, ranges), expected),
  ),
  weights: cases.getEqualWeights.map(([arms, expected]) => check(`of ${arms}`, () => equalWeights(arms), expected)),
});
