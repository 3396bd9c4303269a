import { z } from 'zod';
import { classProbabilities, type SoftmaxModel } from '../../../../kernel/softmax-regression.js';
import { dot } from '../../../../kernel/vectors.js';

/** What is small of a membership: its labels, and what its measures are weighed and calibrated by. */
export const calibratedMembership = z.object({
  /** The adapter's labels in the order of the classes; empty for an adapter that writes text. */
  labels: z.array(z.string()),
  /** What each measure adds to the log-odds that a message is the adapter's own. */
  weights: z.object({ bias: z.number(), own: z.number(), label: z.number(), near: z.number() }),
  /** Held-out rows that the probability and the p-value are calibrated on. */
  calibration: z.object({
    /** Own rows. A p-value is never below 1 / (rows + 1). */
    rows: z.number().int(),
    foreign: z.number().int(),
    /** Log-odds of the own rows in each of their spellings, ascending. */
    scores: z.array(z.number()),
    /** Probability that an own row looks more like one than a foreign row, 0 to 1. */
    auc: z.number(),
  }),
});
type CalibratedMembership = z.infer<typeof calibratedMembership>;
export type MembershipWeights = CalibratedMembership['weights'];
type MembershipCalibration = CalibratedMembership['calibration'];

/** What tells the messages of one adapter from foreign ones, by meaning alone: see `fit-membership.ts`. */
export interface MembershipModel extends CalibratedMembership {
  /** Over the labels, or one class for all own rows where there are none, and the class of foreign rows, which comes last. */
  regression: SoftmaxModel;
  /** Rows that it was fitted on, as they were written, row-major [rows, dimensions], of unit length. */
  rows: Float32Array;
}

/** What is measured of a message. */
export interface MembershipMeasures {
  /** Log-odds of the regression that the message is no foreign one, at most ±8. */
  own: number;
  /** Natural logarithm of the probability of the most probable label among the labels, at most 0. */
  label: number;
  /** Cosine similarity to the nearest row, -1 to 1. */
  near: number;
}

/** How much a message is an adapter's own. */
export interface Membership {
  /** Calibrated probability that it is, 0 to 1, of messages of which half are. */
  probability: number;
  /** Natural logarithm of the odds of `probability`. */
  logOdds: number;
  /** Share of held-out own rows, itself included, that look at most as much like own ones: above 0 to 1 (conformal p-value). */
  pValue: number;
  /** The most probable label and its probability among the labels, 0 to 1; null for an adapter that writes text. */
  label: { name: string; probability: number } | null;
  /** The row of `rows` that is most similar, by its number. */
  nearest: { row: number; similarity: number };
}

/** The regression is taken for no surer than this, in log-odds: beyond it all rows of the fit look alike. */
const SUREST = 8;

/**
 * Holds a message against an adapter.
 * @param vector [dimensions], of unit length
 */
export function membershipOf(model: MembershipModel, vector: Float32Array): Membership {
  const { measures, label, nearest } = measure(model, vector);
  const logOdds = membershipLogOdds(model.weights, measures);
  return {
    probability: 1 / (1 + Math.exp(-logOdds)),
    logOdds,
    pValue: pValueOf(model.calibration, logOdds),
    label,
    nearest,
  };
}

/** Natural logarithm of the odds that a message is an own one. */
export const membershipLogOdds = (weights: MembershipWeights, { own, label, near }: MembershipMeasures): number =>
  weights.bias + weights.own * own + weights.label * label + weights.near * near;

/**
 * Conformal p-value of a score (Vovk et al. 2005, section 2.2). Spellings of one row count as one row together.
 */
export function pValueOf({ rows, scores }: Pick<MembershipCalibration, 'rows' | 'scores'>, score: number): number {
  if (rows === 0) return 1;
  const atMost = countAtMost(scores, score) / (scores.length / rows);
  return (1 + atMost) / (rows + 1);
}

/** What a message is measured by, before it is calibrated. */
export function measure(
  { labels, regression, rows }: Pick<MembershipModel, 'labels' | 'regression' | 'rows'>,
  vector: Float32Array,
): Pick<Membership, 'label' | 'nearest'> & { measures: MembershipMeasures } {
  const shares = classProbabilities(regression, vector);
  const foreign = shares[shares.length - 1]!;
  const ownShares = shares.subarray(0, -1);
  const best = ownShares.indexOf(Math.max(...ownShares));
  const probability = ownShares[best]! / Math.max(Number.MIN_VALUE, 1 - foreign);
  const nearest = nearestRow(rows, vector);
  return {
    measures: {
      own: Math.max(-SUREST, Math.min(SUREST, Math.log((1 - foreign) / foreign))),
      label: Math.log(Math.max(Math.exp(-SUREST), Math.min(1, probability))),
      near: nearest.similarity,
    },
    label: labels.length === 0 ? null : { name: labels[best]!, probability: Math.min(1, probability) },
    nearest,
  };
}

function nearestRow(rows: Float32Array, vector: Float32Array): Membership['nearest'] {
  const dimensions = vector.length;
  let nearest = { row: 0, similarity: -1 };
  for (let row = 0; row * dimensions < rows.length; row++) {
    const similarity = dot(rows.subarray(row * dimensions, (row + 1) * dimensions), vector);
    if (similarity > nearest.similarity) nearest = { row, similarity };
  }
  return nearest;
}

/** How many of ascending numbers are at most `bound`. */
function countAtMost(ascending: readonly number[], bound: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! <= bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
