import { seededRandom } from '../../kernel/random.js';
import { dot } from '../../kernel/vectors.js';
import { counted, noCounts, type CategoryCounts } from '../sequential/categories.js';

/**
 * Where questions lie, told in a few categories: which of some clusters is nearest, and how far the nearest of some known questions (the
 * landmarks) is, by thresholds. Of the questions that are watched only how many were in each is kept. Counts see what means or random
 * projections of the same size don't: that part of the questions went to another of many subjects, which hardly moves a mean, and
 * that some are unlike all that is known. On BANKING77, intents that nobody had asked of are told by the nearest of 256 landmarks ten times
 * sooner than by the nearest of 16 centroids. And labels are categories by themselves, so that one test serves both.
 */
export interface Cells {
  dimensions: number;
  /** Of unit length, row-major [clusters, dimensions]. */
  clusters: Float32Array;
  /** Likewise [landmarks, dimensions]. */
  landmarks: Float32Array;
  /** Similarities of the nearest landmark below which a question is in a category of its own, the largest first. */
  far: readonly number[];
}

export const CLUSTERS = 8;
/** Shares of known questions that are below the thresholds as these are made. */
const FAR_SHARES = [0.5, 0.2, 0.05] as const;
/** From so many landmarks on cells are worth making. */
export const FEWEST_LANDMARKS = 32;
const ROUNDS = 10;

/** Vectors of the same length one after the other. */
export function rowMajor(vectors: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(vectors.length * (vectors[0]?.length ?? 0));
  vectors.forEach((vector, i) => all.set(vector, i * vector.length));
  return all;
}

/** The row that is most similar to a vector. */
function nearest(rows: Float32Array, vector: Float32Array): { row: number; similarity: number } {
  const { length } = vector;
  let best = { row: 0, similarity: -Infinity };
  for (let row = 0; row * length < rows.length; row++) {
    const similarity = dot(rows.subarray(row * length, (row + 1) * length), vector);
    if (similarity > best.similarity) best = { row, similarity };
  }
  return best;
}

/** The categories that a question is in: its cluster, and how far it is from what is known. */
export function locate({ clusters, landmarks, far, dimensions }: Cells, vector: Float32Array): number[] {
  const { similarity } = nearest(landmarks, vector);
  const first = clusters.length / dimensions;
  return [nearest(clusters, vector).row, ...far.flatMap((threshold, i) => (similarity < threshold ? [first + i] : []))];
}

export const countIn = (cells: Cells, vectors: readonly Float32Array[]): CategoryCounts => {
  const categories = cells.clusters.length / cells.dimensions + cells.far.length;
  return vectors.reduce((counts, vector) => counted(counts, locate(cells, vector)), noCounts(categories));
};

/**
 * Cells from landmarks and other vectors of the same source, which give the thresholds and what is expected of each category. Neither may
 * be part of a reference.
 */
export function makeCells(
  landmarks: readonly Float32Array[],
  others: readonly Float32Array[],
  seed: number,
): { cells: Cells; expected: CategoryCounts } {
  const rows = rowMajor(landmarks);
  const similarities = others.map((vector) => nearest(rows, vector).similarity).sort((a, b) => a - b);
  const far = FAR_SHARES.map((share) => similarities[Math.floor(share * similarities.length)]!);
  const cells = {
    dimensions: landmarks[0]!.length,
    clusters: clustersOf(landmarks, CLUSTERS, seed),
    landmarks: rows,
    far,
  };
  return { cells, expected: countIn(cells, others) };
}

/** Spherical k-means (Dhillon & Modha 2001), begun as k-means++ (Arthur & Vassilvitskii 2007). */
function clustersOf(vectors: readonly Float32Array[], count: number, seed: number): Float32Array {
  const dimensions = vectors[0]!.length;
  const random = seededRandom(seed);
  const clusters = new Float32Array(count * dimensions);
  clusters.set(vectors[Math.floor(random() * vectors.length)]!);
  for (let made = 1; made < count; made++) {
    const known = clusters.subarray(0, made * dimensions);
    const away = vectors.map((vector) => Math.max(0, 1 - nearest(known, vector).similarity));
    let left = random() * away.reduce((sum, each) => sum + each, 0);
    const chosen = Math.max(
      0,
      away.findIndex((each) => (left -= each) < 0),
    );
    clusters.set(vectors[chosen]!, made * dimensions);
  }
  for (let round = 0; round < ROUNDS; round++) {
    const sums = new Float32Array(clusters.length);
    for (const vector of vectors) {
      const at = nearest(clusters, vector).row * dimensions;
      for (let i = 0; i < dimensions; i++) sums[at + i]! += vector[i]!;
    }
    for (let at = 0; at < clusters.length; at += dimensions) {
      const sum = sums.subarray(at, at + dimensions);
      const length = Math.sqrt(dot(sum, sum));
      if (length > 0)
        clusters.set(
          sum.map((each) => each / length),
          at,
        );
    }
  }
  return clusters;
}
