import { minimize } from './minimize.js';

/** Rows of vectors, row-major [rows, dimensions], each with the number of its class. */
export interface LabelledVectors {
  vectors: Float32Array;
  labels: Int32Array;
}

export interface SoftmaxModel {
  classes: number;
  dimensions: number;
  /** [dimensions + 1, classes], the bias last. */
  weights: Float64Array | Float32Array;
}

/**
 * Multinomial logistic regression with an L2 penalty on all weights but the bias, over all rows at once: scikit-learn's
 * `LogisticRegression(C=strength)`.
 * @param strength C: how much the rows count against the penalty @param start weights of a like model, from which few steps are left
 * @param limits of `minimize`, for who wants a good model soon rather than the best one
 */
export function fitSoftmax(
  { vectors, labels }: LabelledVectors,
  classes: number,
  strength: number,
  start?: SoftmaxModel,
  limits?: Parameters<typeof minimize>[2],
): SoftmaxModel {
  const rows = labels.length;
  const dimensions = vectors.length / rows;
  const size = (dimensions + 1) * classes;
  const scores = new Float64Array(classes);
  const objective = (weights: Float64Array, gradient: Float64Array): number => {
    gradient.fill(0);
    let loss = 0;
    for (let row = 0; row < rows; row++) {
      const from = row * dimensions;
      const label = labels[row]!;
      probabilities(weights, vectors, from, dimensions, scores);
      loss -= Math.log(Math.max(scores[label]!, Number.MIN_VALUE));
      scores[label]! -= 1;
      addOuter(gradient, vectors, from, dimensions, scores);
    }
    // Per row, so that the tolerance means the same for any number of rows.
    const penalty = 1 / (strength * rows);
    for (let i = 0; i < size; i++) gradient[i]! /= rows;
    let norm = 0;
    for (let i = 0; i < dimensions * classes; i++) {
      norm += weights[i]! * weights[i]!;
      gradient[i]! += penalty * weights[i]!;
    }
    return loss / rows + (penalty * norm) / 2;
  };
  const from = start ? Float64Array.from(start.weights) : new Float64Array(size);
  return { classes, dimensions, weights: minimize(objective, from, limits) };
}

/** The most probable class of each row and its probability. */
export function predictSoftmax(
  { classes, dimensions, weights }: SoftmaxModel,
  vectors: Float32Array,
): { labels: Int32Array; probabilities: Float32Array } {
  const rows = vectors.length / dimensions;
  const [labels, best] = [new Int32Array(rows), new Float32Array(rows)];
  const scores = new Float64Array(classes);
  for (let row = 0; row < rows; row++) {
    probabilities(weights, vectors, row * dimensions, dimensions, scores);
    const label = scores.indexOf(Math.max(...scores));
    labels[row] = label;
    best[row] = scores[label]!;
  }
  return { labels, probabilities: best };
}

/** Probability of each class of one vector [dimensions]; they sum to 1. */
export function classProbabilities(model: SoftmaxModel, vector: Float32Array): Float64Array {
  const scores = new Float64Array(model.classes);
  probabilities(model.weights, vector, 0, model.dimensions, scores);
  return scores;
}

/** Writes the probabilities of a row's classes into `scores`. */
function probabilities(
  weights: SoftmaxModel['weights'],
  vectors: Float32Array,
  from: number,
  dimensions: number,
  scores: Float64Array,
): void {
  const classes = scores.length;
  for (let c = 0; c < classes; c++) scores[c] = weights[dimensions * classes + c]!;
  for (let d = 0; d < dimensions; d++) {
    const x = vectors[from + d]!;
    const offset = d * classes;
    for (let c = 0; c < classes; c++) scores[c]! += x * weights[offset + c]!;
  }
  let maximum = -Infinity;
  for (let c = 0; c < classes; c++) if (scores[c]! > maximum) maximum = scores[c]!;
  let sum = 0;
  for (let c = 0; c < classes; c++) sum += scores[c] = Math.exp(scores[c]! - maximum);
  for (let c = 0; c < classes; c++) scores[c]! /= sum;
}

function addOuter(
  gradient: Float64Array,
  vectors: Float32Array,
  from: number,
  dimensions: number,
  scores: Float64Array,
): void {
  const classes = scores.length;
  for (let d = 0; d < dimensions; d++) {
    const x = vectors[from + d]!;
    const offset = d * classes;
    for (let c = 0; c < classes; c++) gradient[offset + c]! += x * scores[c]!;
  }
  for (let c = 0; c < classes; c++) gradient[dimensions * classes + c]! += scores[c]!;
}
