import type { SparseVector } from './features.js';

const { exp } = Math;

/** Multinomial logistic regression on sparse vectors, trained by plain stochastic gradient descent. */
export class SoftmaxClassifier {
  /** [buckets, classes], row by row: the classes of one feature lie together, since every step touches them all. */
  readonly #weights: Float32Array;
  readonly #bias: Float32Array;
  readonly #scores: Float32Array;

  constructor(
    private readonly classes: number,
    buckets: number,
  ) {
    this.#weights = new Float32Array(buckets * classes);
    this.#bias = new Float32Array(classes);
    this.#scores = new Float32Array(classes);
  }

  /** Class probabilities; the array is reused by the next call. */
  probabilities({ indexes, weights }: SparseVector): Float32Array {
    const { classes } = this;
    const scores = this.#scores;
    const table = this.#weights;
    scores.set(this.#bias);
    for (let f = 0; f < indexes.length; f++) {
      const offset = indexes[f]! * classes;
      const w = weights[f]!;
      for (let c = 0; c < classes; c++) scores[c]! += w * table[offset + c]!;
    }
    let max = -Infinity;
    for (let c = 0; c < classes; c++) if (scores[c]! > max) max = scores[c]!;
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += scores[c] = exp(scores[c]! - max);
    for (let c = 0; c < classes; c++) scores[c]! /= sum;
    return scores;
  }

  /** One step on one example. */
  learn(vector: SparseVector, label: number, rate: number): void {
    const { classes } = this;
    const gradient = this.probabilities(vector);
    gradient[label]! -= 1;
    const table = this.#weights;
    for (let f = 0; f < vector.indexes.length; f++) {
      const offset = vector.indexes[f]! * classes;
      const step = rate * vector.weights[f]!;
      for (let c = 0; c < classes; c++) table[offset + c]! -= step * gradient[c]!;
    }
    for (let c = 0; c < classes; c++) this.#bias[c]! -= 0.1 * rate * gradient[c]!;
  }
}
