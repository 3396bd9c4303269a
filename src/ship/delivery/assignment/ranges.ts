import { BUCKETS } from './hash.js';

/** Buckets from the first number to below the second, both 0 to 1. */
export type Range = readonly [from: number, to: number];

/** Weights may miss one by this much in all before they are taken for a mistake. */
const WEIGHTS_TOLERANCE = 0.01;

/** `arms` equal weights, to eight places as GrowthBook's SDKs have them; none for less than one arm. */
export const equalWeights = (arms: number): number[] =>
  arms < 1 ? [] : new Array<number>(arms).fill(Math.floor(1e8 / arms) / 1e8);

/**
 * Each arm's range: it begins where the weights of those before it end and is as wide as its own weight times the coverage, so that
 * a wider coverage reassigns nobody.
 * @param coverage share of the units that take part, 0 to 1; what is beyond is cut
 * @param weights one an arm, 1 in all; others give way to equal ones: check them before (`weightsAddUp`)
 */
export function bucketRanges(arms: number, coverage: number, weights: readonly number[] | null): Range[] {
  const covered = Math.min(1, Math.max(0, coverage));
  const used = weights?.length === arms && weightsAddUp(weights) ? weights : equalWeights(arms);
  let begin = 0;
  return used.map((weight) => {
    const from = begin;
    begin += weight;
    return [from, from + covered * weight];
  });
}

export const weightsAddUp = (weights: readonly number[]): boolean =>
  weights.every((weight) => weight >= 0) &&
  Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 1) <= WEIGHTS_TOLERANCE;

/** The arm whose range holds the bucket, or -1: the unit takes no part. */
export const chooseVariation = (bucket: number, ranges: readonly Range[]): number =>
  ranges.findIndex(([from, to]) => bucket >= from && bucket < to);

/** The probability with which a unit falls into a range: the share of the scheme's buckets that lie in it, exactly. */
export function probabilityOf([from, to]: Range): number {
  const firstAtLeast = (bound: number): number => {
    let index = Math.min(BUCKETS, Math.max(0, Math.floor(bound * BUCKETS)));
    // What `hash` returns is compared with the bound as it stands: a bound's rounding decides as it does there.
    while (index < BUCKETS && index / BUCKETS < bound) index++;
    return index;
  };
  return Math.max(0, firstAtLeast(to) - firstAtLeast(from)) / BUCKETS;
}
