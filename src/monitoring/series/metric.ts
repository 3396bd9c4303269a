import { enumeration } from '../../kernel/enumeration.js';
import { NO_CONFIDENCE, type Scale } from './bins.js';

/** What is counted of each answer: a row of `metric_bucket` has a count and a sum of one of them. */
export const Counted = enumeration(
  'ANSWERS',
  'FAILED',
  'CANCELLED',
  'ABSTAINED',
  'LATENCY',
  'PROMPT_TOKENS',
  'GENERATED_TOKENS',
  'COMPUTE',
  'CONFIDENCE',
  'RETRIEVAL',
  'LABEL',
  'FEEDBACK',
  'TRUTH',
  'RIGHT',
);
export type Counted = keyof typeof Counted;

/** What series can be asked for. */
export const Metric = enumeration(
  'VOLUME',
  'ERROR_RATE',
  'ERRORS',
  'CANCELLED',
  'ABSTENTION_RATE',
  'LATENCY',
  'PROMPT_TOKENS',
  'GENERATED_TOKENS',
  'COST',
  'CONFIDENCE',
  'RETRIEVAL_SCORE',
  'ROUTE_MIX',
  'LABEL_MIX',
  'FEEDBACK',
  'ACCURACY',
  'CALIBRATION_ERROR',
);
export type Metric = keyof typeof Metric;

/** What series can be split by. */
export const Dimension = enumeration(
  'MODEL',
  'ADAPTER',
  'STRATEGY',
  'COLLECTION',
  'SUBJECT',
  'ARM',
  'ERROR_CODE',
  'LABEL',
);
export type Dimension = keyof typeof Dimension;

export const Resolution = enumeration('MINUTE', 'HOUR', 'DAY');
export type Resolution = keyof typeof Resolution;

/** What an answer was made with: the columns of `metric_series`. Empty where there is none. */
export interface SeriesKey {
  model: string;
  adapter: string;
  strategy: string;
  collection: string;
  subject: string;
  arm: string;
}

/** No name of a model, an adapter or the like. */
const ANY = '*';

/** The key under which all answers are counted once more, whatever they were made with: most charts ask for just that. */
export const TOTAL: SeriesKey = {
  model: ANY,
  adapter: ANY,
  strategy: ANY,
  collection: ANY,
  subject: ANY,
  arm: ANY,
};

/** The dimensions that a series has a column for; the others are details of one metric. */
export const COLUMNS: Readonly<Partial<Record<Dimension, keyof SeriesKey>>> = {
  MODEL: 'model',
  ADAPTER: 'adapter',
  STRATEGY: 'strategy',
  COLLECTION: 'collection',
  SUBJECT: 'subject',
  ARM: 'arm',
};

export interface Resolved {
  /** Length of a bucket, in seconds. */
  seconds: number;
  /** How long buckets are kept, in days. */
  keptDays: number;
}

export const RESOLUTIONS: Readonly<Record<Resolution, Resolved>> = {
  MINUTE: { seconds: 60, keptDays: 3 },
  HOUR: { seconds: 3_600, keptDays: 92 },
  DAY: { seconds: 86_400, keptDays: 1_827 },
};

/** Count and sum of what was counted, over one bucket or more. */
export interface Sum {
  count: number;
  sum: number;
  /** Counts by bin, of metrics that have some. */
  bins: ReadonlyMap<number, { count: number; sum: number }>;
}

export type Sums = Readonly<Partial<Record<Counted, Sum>>>;

export interface MetricDefinition {
  /** What it is computed from. */
  of: readonly Counted[];
  /** What its `detail` says, where it may be split by that. */
  detail?: Dimension;
  /** Splits itself by that, too. */
  by?: Dimension;
  /** Whether a value is the share of its series among all. */
  share?: true;
  /** Where it has quantiles. */
  quantiles?: { of: Counted; scale: Scale };
  /** How many things a point is about, and its value; null where there is none. */
  point(sums: Sums): { count: number; value: number | null };
}

const countOf = (sums: Sums, counted: Counted): number => sums[counted]?.count ?? 0;

const ratio = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

const meanOf = (counted: Counted) => (sums: Sums) => ({
  count: countOf(sums, counted),
  value: ratio(sums[counted]?.sum ?? 0, countOf(sums, counted)),
});

const numberOf = (counted: Counted) => (sums: Sums) => ({
  count: countOf(sums, counted),
  value: countOf(sums, counted),
});

export const METRICS: Readonly<Record<Metric, MetricDefinition>> = {
  VOLUME: {
    of: ['ANSWERS', 'FAILED'],
    point: (sums) => {
      const count = countOf(sums, 'ANSWERS') + countOf(sums, 'FAILED');
      return { count, value: count };
    },
  },
  ERROR_RATE: {
    of: ['ANSWERS', 'FAILED'],
    point: (sums) => {
      const count = countOf(sums, 'ANSWERS') + countOf(sums, 'FAILED');
      return { count, value: ratio(countOf(sums, 'FAILED'), count) };
    },
  },
  ERRORS: { of: ['FAILED'], detail: 'ERROR_CODE', point: numberOf('FAILED') },
  CANCELLED: { of: ['CANCELLED'], point: numberOf('CANCELLED') },
  ABSTENTION_RATE: {
    of: ['ANSWERS', 'ABSTAINED'],
    point: (sums) => ({
      count: countOf(sums, 'ANSWERS'),
      value: ratio(countOf(sums, 'ABSTAINED'), countOf(sums, 'ANSWERS')),
    }),
  },
  LATENCY: { of: ['LATENCY'], quantiles: { of: 'LATENCY', scale: 'DURATION' }, point: meanOf('LATENCY') },
  PROMPT_TOKENS: { of: ['PROMPT_TOKENS'], point: meanOf('PROMPT_TOKENS') },
  GENERATED_TOKENS: { of: ['GENERATED_TOKENS'], point: meanOf('GENERATED_TOKENS') },
  COST: { of: ['COMPUTE'], quantiles: { of: 'COMPUTE', scale: 'DURATION' }, point: meanOf('COMPUTE') },
  CONFIDENCE: { of: ['CONFIDENCE'], quantiles: { of: 'CONFIDENCE', scale: 'UNIT' }, point: meanOf('CONFIDENCE') },
  RETRIEVAL_SCORE: { of: ['RETRIEVAL'], quantiles: { of: 'RETRIEVAL', scale: 'UNIT' }, point: meanOf('RETRIEVAL') },
  ROUTE_MIX: { of: ['ANSWERS'], by: 'STRATEGY', share: true, point: numberOf('ANSWERS') },
  LABEL_MIX: { of: ['LABEL'], detail: 'LABEL', by: 'LABEL', share: true, point: numberOf('LABEL') },
  FEEDBACK: { of: ['FEEDBACK'], point: meanOf('FEEDBACK') },
  ACCURACY: {
    of: ['TRUTH', 'RIGHT'],
    point: (sums) => ({ count: countOf(sums, 'TRUTH'), value: ratio(countOf(sums, 'RIGHT'), countOf(sums, 'TRUTH')) }),
  },
  CALIBRATION_ERROR: { of: ['TRUTH', 'RIGHT'], point: calibrationError },
};

/**
 * Expected calibration error (Naeini, Cooper & Hauskrecht 2015): over bins of confidence, how far the mean confidence is from the share
 * of right answers, weighted by how many answers a bin has. `TRUTH` sums confidences by bin, `RIGHT` counts those that were right.
 */
function calibrationError({ TRUTH: told, RIGHT: right }: Sums): { count: number; value: number | null } {
  if (!told) return { count: 0, value: null };
  const sure = [...told.bins].filter(([bin]) => bin !== NO_CONFIDENCE);
  const count = sure.reduce((sum, [, each]) => sum + each.count, 0);
  if (count === 0) return { count: 0, value: null };
  const gaps = sure.map(([bin, { sum }]) => Math.abs(sum - (right?.bins.get(bin)?.count ?? 0)));
  return { count, value: gaps.reduce((total, gap) => total + gap, 0) / count };
}
