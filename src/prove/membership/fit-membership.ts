import {
  areaUnder,
  measure,
  membershipLogOdds,
  type MembershipMeasures,
  type MembershipModel,
  type MembershipWeights,
} from '../../answer/ask/index.js';
import { groupBy } from '../../kernel/group-by.js';
import { seededRandom, shuffled } from '../../kernel/random.js';
import { fitSoftmax, type SoftmaxModel } from '../../kernel/softmax-regression.js';

/** A text in several spellings, each as a vector of unit length [dimensions]; the first as it was written. */
type SpelledVectors = readonly Float32Array[];

export interface OwnRow {
  vectors: SpelledVectors;
  /** Null for an adapter that writes text. */
  label: string | null;
}

export interface MembershipRows {
  /** As many spellings of each. */
  own: readonly OwnRow[];
  /** Texts that belong elsewhere: rows of other adapters, questions about documents, small talk. */
  foreign: readonly SpelledVectors[];
  seed: number;
}

/** A model that remembers which rows its own are. */
export interface FittedMembership extends MembershipModel {
  /** Places of `rows` in the own rows that were given. */
  kept: readonly number[];
}

/** Rows of each part are measured by a fit of the others. */
const PARTS = 3;
/** With more rows than this one part calibrates, which is enough; with fewer each part does in its turn. */
const MANY_ROWS = 400;
/** scikit-learn's C for vectors of unit length. */
const STRENGTH = 20;
/** Of the measures' regression. */
const WEIGHTS_STRENGTH = 1;
/** Steps of a fit: twice as many let in and kept the same. */
const LIMITS = { steps: 40, tolerance: 1e-4 };
/** Share of the labels that a fit never sees: their rows lie near in subject and are foreign to it all the same. */
const UNSEEN_LABELS = 1 / 4;
/** With fewer labels none is left to be unseen. */
const LEAST_LABELS = 4;
/** Fewer held-out rows of either kind than this calibrate nothing. */
export const LEAST_CALIBRATED = 20;

/**
 * Learns which messages are an adapter's own, from vectors alone. A regression over its labels and foreign texts is fitted; what it says of
 * rows that it didn't see is weighed against foreign ones that it didn't see, and against labels that it didn't see. The same held-out
 * rows give the conformal p-values. All spellings of a row stay on one side.
 * @returns null where fewer than `LEAST_CALIBRATED` rows of either kind can be held out
 */
export function fitMembership({ own, foreign, seed }: MembershipRows): FittedMembership | null {
  const random = seededRandom(seed);
  const labels = [...new Set(own.flatMap(({ label }) => label ?? []))].sort();
  const ownParts = partsOf([...groupBy(own, ({ label }) => label).values()], random);
  const foreignParts = partsOf([foreign], random);
  const isLarge = own.length > MANY_ROWS;
  const calibrationSet = { own: isLarge ? ownParts[0]! : own, foreign: isLarge ? foreignParts[0]! : foreign };
  if (calibrationSet.own.length < LEAST_CALIBRATED || calibrationSet.foreign.length < LEAST_CALIBRATED) return null;

  const fits = (isLarge ? [0] : ownParts.map((_, part) => part)).map((part) => {
    const fitting = { own: without(ownParts, part), foreign: without(foreignParts, part) };
    const model = fitted(labels, fitting);
    const nearSamples = nearMeasures(labels, { ...fitting, heldOut: ownParts[part]! }, random);
    const far = foreignParts[part]!.flatMap((vectors) => measuresOf(model, vectors));
    return {
      model,
      foreign: [...far, ...nearSamples],
      own: ownParts[part]!.flatMap(({ vectors }) => measuresOf(model, vectors)),
    };
  });
  const measures = fits.flatMap((fit) => fit.own);
  const foreignMeasures = fits.flatMap((fit) => fit.foreign);
  const weights = weigh(measures, foreignMeasures);
  const scoresOf = (samples: readonly MembershipMeasures[]): number[] =>
    samples.map((sample) => membershipLogOdds(weights, sample)).sort((a, b) => a - b);
  const scores = scoresOf(measures);
  const auc = areaUnder(scores, scoresOf(foreignMeasures));
  const keptRows = isLarge ? without(ownParts, 0) : own;
  const places = new Map(own.map((row, place) => [row, place]));
  return {
    ...(isLarge ? fits[0]!.model : fitted(labels, { own, foreign })),
    kept: keptRows.map((row) => places.get(row)!),
    weights,
    calibration: { rows: calibrationSet.own.length, foreign: calibrationSet.foreign.length, scores, auc },
  };
}

type Fitted = Pick<MembershipModel, 'labels' | 'regression' | 'rows'>;

type Fitting = Pick<MembershipRows, 'own' | 'foreign'>;

function fitted(labels: string[], { own, foreign }: Fitting): Fitted {
  const foreignClass = Math.max(1, labels.length);
  const rows = [
    ...own.flatMap(({ vectors, label }) =>
      vectors.map((vector) => ({ vector, label: label === null ? 0 : labels.indexOf(label) })),
    ),
    ...foreign.flatMap((vectors) => vectors.map((vector) => ({ vector, label: foreignClass }))),
  ];
  const vectors = rowMajor(rows.map(({ vector }) => vector));
  const regression = fitSoftmax(
    { vectors, labels: Int32Array.from(rows, ({ label }) => label) },
    foreignClass + 1,
    STRENGTH,
    undefined,
    LIMITS,
  );
  return { labels, regression: inSinglePrecision(regression), rows: rowMajor(own.map((row) => row.vectors[0]!)) };
}

/** What is measured of rows whose labels a fit never saw; empty with few labels. */
function nearMeasures(
  labels: readonly string[],
  { own, foreign, heldOut }: Fitting & { heldOut: readonly OwnRow[] },
  random: () => number,
): MembershipMeasures[] {
  if (labels.length < LEAST_LABELS) return [];
  const unseen = new Set(shuffled(labels, random).slice(0, Math.ceil(UNSEEN_LABELS * labels.length)));
  const isSeen = ({ label }: OwnRow): boolean => !unseen.has(label!);
  const seenLabels = labels.filter((label) => !unseen.has(label));
  const partial = fitted(seenLabels, { own: own.filter(isSeen), foreign });
  return heldOut.filter((row) => !isSeen(row)).flatMap(({ vectors }) => measuresOf(partial, vectors));
}

const measuresOf = (model: Fitted, vectors: SpelledVectors): MembershipMeasures[] =>
  vectors.map((vector) => measure(model, vector).measures);

/** Logistic regression on the measures, the two sides weighing the same: its log-odds are those of the evidence alone. */
function weigh(ownMeasures: readonly MembershipMeasures[], foreign: readonly MembershipMeasures[]): MembershipWeights {
  const rows = [...ownMeasures, ...foreign].map(({ own: logOdds, label, near }) => [logOdds, label, near]);
  const vectors = Float32Array.from(rows.flat());
  const labels = Int32Array.from(rows, (_, i) => (i < ownMeasures.length ? 0 : 1));
  const { weights } = fitSoftmax({ vectors, labels }, 2, WEIGHTS_STRENGTH);
  const slope = (measure: number): number => weights[2 * measure]! - weights[2 * measure + 1]!;
  return {
    // Of each side as much: the log-odds of the sample's own shares are taken off.
    bias: slope(3) - Math.log(ownMeasures.length / foreign.length),
    own: slope(0),
    label: slope(1),
    near: slope(2),
  };
}

/** `PARTS` parts with as many of each group, to within one. */
function partsOf<T>(groups: readonly (readonly T[])[], random: () => number): T[][] {
  const order = groups.flatMap((items) => shuffled(items, random));
  return Array.from({ length: PARTS }, (_, part) => order.filter((_item, i) => i % PARTS === part));
}

const without = <T>(parts: readonly (readonly T[])[], part: number): T[] =>
  parts.flatMap((items, i) => (i === part ? [] : items));

const inSinglePrecision = (model: SoftmaxModel): SoftmaxModel => ({
  ...model,
  weights: Float32Array.from(model.weights),
});

/** Row-major, [vectors, dimensions]. */
function rowMajor(vectors: readonly Float32Array[]): Float32Array {
  const dimensions = vectors[0]?.length ?? 0;
  const matrix = new Float32Array(vectors.length * dimensions);
  vectors.forEach((vector, i) => matrix.set(vector, i * dimensions));
  return matrix;
}
