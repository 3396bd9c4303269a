import {
  assign,
  bucketRanges,
  chooseVariation,
  equalWeights,
  hash,
  inNamespace,
  stickyKey,
  type UnitAssignment,
  type HashVersion,
  type Range,
  type Test,
} from '../../src/delivery/assignment/index.js';

/** An experiment as the SDKs are told it. */
interface Rule {
  key?: string;
  seed?: string;
  hashVersion?: HashVersion;
  hashAttribute?: string;
  fallbackAttribute?: string;
  variations: unknown[];
  meta?: { key: string }[];
  weights?: number[];
  coverage?: number;
  ranges?: Range[];
  namespace?: [string, number, number];
  filters?: { seed: string; attribute?: string; hashVersion?: HashVersion; ranges: Range[] }[];
  bucketVersion?: number;
  minBucketVersion?: number;
  disableStickyBucketing?: boolean;
  active?: boolean;
  force?: number;
  condition?: Record<string, unknown>;
  parentConditions?: { id: string; condition: { value: unknown } }[];
}

interface Context {
  attributes?: Record<string, string | null>;
  features?: Record<string, { defaultValue: unknown; rules?: Rule[] }>;
  forcedVariations?: Record<string, number>;
  enabled?: boolean;
  qaMode?: boolean;
  url?: string;
  savedGroups?: Record<string, string[]>;
}

interface StickyDocument {
  attributeName: string;
  attributeValue: string;
  assignments: Record<string, string>;
}

export interface GrowthbookCases {
  hash: [seed: string, value: string, version: number, expected: number | null][];
  getBucketRange: [name: string, [number, number, number[] | null], Range[]][];
  chooseVariation: [name: string, bucket: number, Range[], number][];
  getEqualWeights: [number, number[]][];
  inNamespace: [name: string, unit: string, [string, number, number], boolean][];
  run: [name: string, Context, Rule, value: unknown, inExperiment: boolean, hashUsed: boolean][];
  stickyBucket: [
    name: string,
    Context,
    StickyDocument[],
    feature: string,
    Record<string, unknown> | null,
    Record<string, StickyDocument>,
  ][];
}

const armsOf = ({ meta, variations }: Rule): string[] =>
  meta?.map(({ key }) => key) ?? variations.map((_, i) => `${i}`);

function testOf(rule: Rule, key: string, attributes: Record<string, string | null>, unit: string): Test {
  const { variations, coverage = 1, weights = null, namespace } = rule;
  return {
    key,
    seed: rule.seed ?? key,
    hashVersion: rule.hashVersion ?? 1,
    arms: armsOf(rule),
    ranges: rule.ranges ?? bucketRanges(variations.length, coverage, weights),
    ...(namespace && { namespace: { name: namespace[0], range: [namespace[1], namespace[2]] } }),
    // Ours places one unit: a filter on another attribute is decided by who asks.
    ...(rule.filters && {
      filters: rule.filters.filter(({ attribute }) => (attributes[attribute ?? 'id'] ?? '') === unit),
    }),
    bucketVersion: rule.bucketVersion ?? 0,
    minBucketVersion: rule.minBucketVersion ?? 0,
  };
}

/** What targeting says, which is not Graft's: whom a test is for is decided before a unit is assigned. */
function isTargeted(rule: Rule, { attributes = {}, features, savedGroups }: Context): boolean {
  const meets = Object.entries(rule.condition ?? {}).every(([name, wanted]) => {
    const group = (wanted as { $inGroup?: string }).$inGroup;
    const value = attributes[name] ?? '';
    return group === undefined ? value === wanted : (savedGroups?.[group]?.includes(value) ?? false);
  });
  const parents = (rule.parentConditions ?? []).every(
    ({ id, condition }) => features?.[id]?.defaultValue === condition.value,
  );
  const otherFilters = (rule.filters ?? []).every(({ attribute, ...filter }) => {
    if (attribute === undefined || attribute === 'id') return true;
    const test = { key: 'filter', arms: ['in', 'out'], ranges: [[0, 1] as Range], filters: [filter] };
    return assign(test, attributes[attribute] ?? '') !== null;
  });
  return meets && parents && otherFilters;
}

const unitOf = (rule: Rule, attributes: Record<string, string | null>) => {
  const own = rule.hashAttribute ?? 'id';
  const fallback = rule.fallbackAttribute;
  const name = !attributes[own] && fallback !== undefined && attributes[fallback] ? fallback : own;
  return { name, unit: attributes[name] ?? '' };
};

function run(rule: Rule, context: Context): UnitAssignment | null {
  const attributes = context.attributes ?? {};
  const key = rule.key!;
  const { unit } = unitOf(rule, attributes);
  if (context.enabled === false || rule.variations.length < 2) return null;
  const inUrl = context.url && new URL(context.url).searchParams.get(key);
  const asked = inUrl ? Number(inUrl) : context.forcedVariations?.[key];
  const test = {
    ...testOf(rule, key, attributes, unit),
    enabled: rule.active !== false && isTargeted(rule, context),
  };
  if (asked !== undefined) return assign(test, unit, { forceArm: `${asked}` });
  const drawn = assign(test, unit);
  if (drawn && rule.force !== undefined) return assign(test, unit, { forceArm: `${rule.force}` });
  return context.qaMode ? null : drawn;
}

/** A case, what we say of it and what the SDKs do. */
export interface Check {
  name: string;
  ours: () => unknown;
  expected: unknown;
}

const check = (name: string, ours: () => unknown, expected: unknown): Check => ({ name, ours, expected });

/** The published cases of GrowthBook's SDKs, by group. */
export const growthbookChecks = (cases: GrowthbookCases): Record<string, Check[]> => ({
  hash: cases.hash.map(([seed, value, version, expected]) =>
    check(
      `seed ${JSON.stringify(seed)}, value ${JSON.stringify(value)}, version ${version}`,
      () => hash(seed, value, version),
      expected,
    ),
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
  namespace: cases.inNamespace.map(([name, unit, [space, from, to], expected]) =>
    check(name, () => inNamespace(unit, { name: space, range: [from, to] }), expected),
  ),
  run: cases.run.map(([name, context, rule, value, inExperiment, hashUsed]) =>
    check(name, () => ran(rule, context, hashUsed), { value, inExperiment, hashUsed }),
  ),
  sticky: cases.stickyBucket.map(([name, context, documents, feature, expected, after]) =>
    check(name, () => stuck(context, documents, feature), { drawn: expected, kept: after }),
  ),
});

function ran(rule: Rule, context: Context, hashUsed: boolean) {
  const assignment = run(rule, context);
  return {
    value: rule.variations[assignment?.index ?? 0],
    inExperiment: assignment !== null,
    // What an experiment forces on all, after it drew them, no SDK counts as hashed either, but these cases say so.
    hashUsed: assignment !== null && (!assignment.forced || hashUsed),
  };
}

function stuck(context: Context, documents: readonly StickyDocument[], feature: string) {
  const attributes = context.attributes ?? {};
  const rule = context.features![feature]!.rules![0]!;
  const key = rule.key ?? feature;
  const { name, unit } = unitOf(rule, attributes);
  const kept = new Map(
    documents
      .filter(({ attributeName, attributeValue }) => attributes[attributeName] === attributeValue)
      .map((document) => [`${document.attributeName}||${document.attributeValue}`, document]),
  );
  const of = (attribute: string | undefined): Record<string, string> =>
    attribute === undefined ? {} : (kept.get(`${attribute}||${attributes[attribute]}`)?.assignments ?? {});
  const sticky = { ...of(rule.fallbackAttribute), ...of(rule.hashAttribute ?? 'id') };
  const test = { ...testOf(rule, key, attributes, unit), enabled: isTargeted(rule, context) };
  const assignment = assign(test, unit, { sticky: rule.disableStickyBucketing ? null : sticky });
  if (assignment && !rule.disableStickyBucketing)
    kept.set(`${name}||${unit}`, {
      attributeName: name,
      attributeValue: unit,
      assignments: { ...kept.get(`${name}||${unit}`)?.assignments, [stickyKey(test)]: assignment.arm },
    });
  const drawn = assignment && {
    bucket: assignment.bucket,
    featureId: feature,
    hashAttribute: name,
    hashUsed: true,
    hashValue: unit,
    inExperiment: true,
    key: assignment.arm,
    stickyBucketUsed: assignment.sticky,
    value: rule.variations[assignment.index],
    variationId: assignment.index,
  };
  return { drawn, kept: Object.fromEntries(kept) };
}
