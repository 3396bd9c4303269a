import { meaningsOf, metricsFor } from '../../../answer/ask/index.js';
import { enumeration } from '../../../kernel/enumeration.js';
import { choice } from '../../../kernel/record.js';
import { NO_CONFIDENCE, type Scale } from './bins.js';

/** The metrics of which a series has the mean of an answer. */
export const AMOUNTS = metricsFor('series');

/** What is counted of each answer: a row of `metric_bucket` has a count and a sum of one of them. */
export const Counted = enumeration(
  'ANSWERS',
  'FAILED',
  'CANCELLED',
  'ABSTAINED',
  'LABEL',
  'FEEDBACK',
  'TRUTH',
  'RIGHT',
  ...Object.values(AMOUNTS).map(({ counted }) => counted),
);
export type Counted = keyof typeof Counted;

export const Metric = choice('Metric', 'What a series tells of answers.', {
  VOLUME: 'Answers and failures; those that callers withdrew are CANCELLED.',
  ERROR_RATE: 'Share that failed, 0 to 1.',
  ERRORS: 'How many failed; split by ERROR_CODE it says why.',
  CANCELLED: 'How many were withdrawn by their callers.',
  ABSTENTION_RATE: 'Share of answers that abstained, 0 to 1.',
  ...meaningsOf(AMOUNTS),
  ROUTE_MIX: 'Share of answers by strategy, 0 to 1; a series for each.',
  LABEL_MIX: 'Share of predicted labels, 0 to 1; a series for each.',
  FEEDBACK: 'What people and programs said, -1 to 1: mean. It stands in the bucket in which it was said.',
  ACCURACY: 'Share of right answers, 0 to 1, among those of which feedback says whether they are.',
  CALIBRATION_ERROR:
    'How far confidence is from the share of right answers, 0 to 1 (expected calibration error), among those of which feedback says whether they are.',
});
export type Metric = keyof typeof Metric;

export const Dimension = choice('Dimension', 'What series are split by.', {
  MODEL: 'The model, as `name@quantization`.',
  ADAPTER: 'The adapter version, as `name@3`; empty where none answered.',
  STRATEGY: 'The strategy.',
  COLLECTION:
    'The collection of the first citation, else of the best evidence; empty where none was read, and of failures.',
  SUBJECT: 'The rollout or experiment; empty outside of one.',
  ARM: 'The arm of the rollout or experiment; empty outside of one.',
  ERROR_CODE: 'Why it failed: with ERRORS.',
  LABEL: 'The predicted label: with LABEL_MIX.',
});
export type Dimension = keyof typeof Dimension;

interface Resolved {
  /** Length of a bucket, in seconds. */
  seconds: number;
  /** How long buckets are kept, in days. */
  keptDays: number;
}

export const RESOLUTIONS = {
  MINUTE: { seconds: 60, keptDays: 3 },
  HOUR: { seconds: 3_600, keptDays: 92 },
  DAY: { seconds: 86_400, keptDays: 1_827 },
} satisfies Record<string, Resolved>;

export const Resolution = choice('Resolution', 'How long a bucket of a series is, in UTC.', {
  MINUTE: `A minute; kept for ${RESOLUTIONS.MINUTE.keptDays} days.`,
  HOUR: `An hour; kept for ${RESOLUTIONS.HOUR.keptDays} days.`,
  DAY: `A day; kept for ${RESOLUTIONS.DAY.keptDays} days.`,
});
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

/** Count and sum of what was counted, over one bucket or more. */
export interface Sum {
  count: number;
  sum: number;
  /** Counts by bin, of metrics that have some. */
  bins: ReadonlyMap<number, { count: number; sum: number }>;
}

type Sums = Readonly<Partial<Record<Counted, Sum>>>;

interface MetricDefinition {
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

const countOf = (sums: Sums, quantity: Counted): number => sums[quantity]?.count ?? 0;

const ratio = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

const meanOf = (quantity: Counted) => (sums: Sums) => ({
  count: countOf(sums, quantity),
  value: ratio(sums[quantity]?.sum ?? 0, countOf(sums, quantity)),
});

const numberOf = (quantity: Counted) => (sums: Sums) => ({
  count: countOf(sums, quantity),
  value: countOf(sums, quantity),
});

const amounts = Object.fromEntries(
  Object.values(AMOUNTS).map(({ name, counted, scale }): [string, MetricDefinition] => [
    name,
    { of: [counted], ...(scale && { quantiles: { of: counted, scale } }), point: meanOf(counted) },
  ]),
) as Record<keyof typeof AMOUNTS, MetricDefinition>;

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
  ...amounts,
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
function calibrationError({ TRUTH: truth, RIGHT: right }: Sums): { count: number; value: number | null } {
  if (!truth) return { count: 0, value: null };
  const sure = [...truth.bins].filter(([bin]) => bin !== NO_CONFIDENCE);
  const count = sure.reduce((sum, [, entry]) => sum + entry.count, 0);
  if (count === 0) return { count: 0, value: null };
  const gaps = sure.map(([bin, { sum }]) => Math.abs(sum - (right?.bins.get(bin)?.count ?? 0)));
  return { count, value: gaps.reduce((total, gap) => total + gap, 0) / count };
}
