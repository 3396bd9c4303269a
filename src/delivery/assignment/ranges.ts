import { BUCKETS, hash, type HashVersion } from './hash.js';

/** Buckets from the first number to below the second, both 0 to 1. */
export type Range = readonly [from: number, to: number];

/** Weights may miss one by this much in all before they are taken for a mistake. */
const WEIGHTS_TOLERANCE = 0.01;

export const inRange = (bucket: number, [from, to]: Range): boolean => bucket >= from && bucket < to;

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
  ranges.findIndex((range) => inRange(bucket, range));

/** A part of the units that tests share out among themselves: those with ranges apart have no unit in common. */
export interface Namespace {
  name: string;
  range: Range;
}

export function inNamespace(unit: string, { name, range }: Namespace): boolean {
  const bucket = hash(`__${name}`, unit, 1);
  return bucket !== null && inRange(bucket, range);
}

/** The probability with which a unit falls into a range: the share of the scheme's buckets that lie in it, exactly. */
export function probabilityOf([from, to]: Range, version: HashVersion): number {
  const buckets = BUCKETS[version];
  const firstAtLeast = (bound: number): number => {
    let index = Math.min(buckets, Math.max(0, Math.floor(bound * buckets)));
    // What `hash` returns is compared with the bound as it stands: a bound's rounding decides as it does there.
    while (index < buckets && index / buckets < bound) index++;
    return index;
  };
  return Math.max(0, firstAtLeast(to) - firstAtLeast(from)) / buckets;
}
