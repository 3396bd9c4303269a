import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { seededRandom } from '../../../kernel/random.js';
import { dot } from '../../../kernel/vectors.js';

/**
 * Whether questions have become unlike those that are known. What tells is the similarity of a question to the nearest known one. Known
 * questions say how that is distributed while nothing changes, each without itself. Where they have labels, they also say how it is for
 * questions of a new label: each without all of its own. The log of the likelihood ratio of the two is summed up, never below 0, so that the
 * sum forgets what lies behind (CUSUM: Page 1954, "Continuous inspection schemes").
 */
export const detector = z.object({
  /** Similarities between which questions score alike, ascending. */
  edges: z.array(z.number()),
  /** What a question adds: one score below each edge, and one above all. */
  scores: z.array(z.number()),
  /** Below it a question counts as unlike: a fifth of the known ones is. */
  unlike: z.number(),
  /** The sum at which there is an alarm. */
  threshold: z.number(),
});
type Detector = z.infer<typeof detector>;

export const course = z.object({
  sum: z.number(),
  /** Questions since the sum was last 0: since the change, if there is one. */
  since: z.number().int(),
  /** How many of those are unlike. */
  unlike: z.number().int(),
  /** Questions since the last alarm. */
  seen: z.number().int(),
});
export type Course = z.infer<typeof course>;

export const BEGINNING: Course = { sum: 0, since: 0, unlike: 0, seen: 0 };

/** How probable an alarm without a cause is at most, in any so many questions. */
const FALSE_ALARM = 0.01;
const HORIZON = 1_500;
/** Share of known questions that counts as unlike. */
export const UNLIKE = 0.2;
/** From so many known questions on they are worth watching against. */
export const FEWEST_KNOWN = 64;

const BINS = 20;
/** The share of questions of new labels that the scores are made for, and what `UNLIKE` becomes where labels tell nothing. */
const NEW_SHARE = 0.3;
const UNLIKE_AFTER = 0.35;
/** Mean score of a question after such a change, below which labels tell nothing: they don't lie apart. */
const LEAST_GAIN = 0.02;
/**
 * The share of replays that may alarm. Half of what is promised: questions of a session are more alike than those that are drawn one by one, and with 1 %
 * of replays 1.3 to 1.9 % of simulated streams alarmed (`bench -- decisions`).
 */
const FALSE_REPLAYS = FALSE_ALARM / 2;
const REPLAYS = 2_000;
const SEED = 1;
/** Multiplications between two turns of others. */
const AT_ONCE = 20_000_000;

/** Vectors of the same length one after the other. */
export function rowMajor(vectors: readonly Float32Array[]): Float32Array {
  const matrix = new Float32Array(vectors.length * (vectors[0]?.length ?? 0));
  vectors.forEach((vector, i) => matrix.set(vector, i * vector.length));
  return matrix;
}

/** Similarity of the nearest row of `matrix`, row-major; -1 where there is none. */
export function nearest(matrix: Float32Array, vector: Float32Array): number {
  const { length } = vector;
  let best = -1;
  for (let offset = 0; offset < matrix.length; offset += length)
    best = Math.max(best, dot(matrix.subarray(offset, offset + length), vector));
  return best;
}

/** Similarities of the nearest other one, and of the nearest of another label; null where there are no labels. */
async function leftOut(vectors: readonly Float32Array[], labels: readonly (string | null)[]) {
  const similarities = vectors.map(() => -1);
  const otherLabelSimilarities = vectors.map(() => -1);
  let work = 0;
  for (let i = 0; i < vectors.length; i++) {
    for (let j = 0; j < i; j++) {
      const similarity = dot(vectors[i]!, vectors[j]!);
      for (const index of [i, j]) {
        similarities[index] = Math.max(similarities[index]!, similarity);
        if (labels[i] !== labels[j])
          otherLabelSimilarities[index] = Math.max(otherLabelSimilarities[index]!, similarity);
      }
    }
    work += i * vectors[i]!.length;
    if (work > AT_ONCE) {
      work = 0;
      await nextTurn();
    }
  }
  const isLabelled = labels.every((label) => label !== null) && new Set(labels).size > 1;
  return { alone: similarities, apart: isLabelled ? otherLabelSimilarities : null };
}

/** Which score a similarity has. */
const binOf = (edges: readonly number[], similarity: number): number => {
  const bin = edges.findIndex((edge) => similarity <= edge);
  return bin === -1 ? edges.length : bin;
};

const quantile = (ascending: readonly number[], share: number): number =>
  ascending[Math.min(ascending.length - 1, Math.floor(share * ascending.length))]!;

/** Smoothed shares of the bins. */
function sharesOf(edges: readonly number[], similarities: readonly number[]): number[] {
  const counts = Array.from({ length: edges.length + 1 }, () => 1);
  for (const similarity of similarities) counts[binOf(edges, similarity)]! += 1;
  const total = similarities.length + counts.length;
  return counts.map((count) => count / total);
}

/** Scores by labels; null where those don't lie apart. */
function scoresByLabels(
  similarities: readonly number[],
  otherLabelSimilarities: readonly number[],
): Pick<Detector, 'edges' | 'scores'> | null {
  const ascending = [...similarities].sort((a, b) => a - b);
  const edges = Array.from({ length: BINS - 1 }, (_, i) => quantile(ascending, (i + 1) / BINS));
  const [usual, fresh] = [sharesOf(edges, similarities), sharesOf(edges, otherLabelSimilarities)];
  const scores = usual.map((share, bin) => Math.log(1 + NEW_SHARE * (fresh[bin]! / share - 1)));
  const gain = scores.reduce(
    (sum, score, bin) => sum + score * ((1 - NEW_SHARE) * usual[bin]! + NEW_SHARE * fresh[bin]!),
    0,
  );
  return gain < LEAST_GAIN ? null : { edges, scores };
}

/**
 * The sum that streams like the known questions reach within `HORIZON` with a probability of `FALSE_REPLAYS`. Known questions are drawn twice:
 * once as the sample that they are, then a stream of that, since their own shares are not quite those of what is asked.
 */
async function thresholdOf(scores: readonly number[], knownBins: readonly number[]): Promise<number> {
  const random = seededRandom(SEED);
  const tops: number[] = [];
  for (let replay = 0; replay < REPLAYS; replay++) {
    const sample = knownBins.map(() => knownBins[Math.floor(random() * knownBins.length)]!);
    let [sum, top] = [0, 0];
    for (let i = 0; i < HORIZON; i++) {
      sum = Math.max(0, sum + scores[sample[Math.floor(random() * sample.length)]!]!);
      top = Math.max(top, sum);
    }
    tops.push(top);
    if (replay % 50 === 49) await nextTurn();
  }
  return quantile(
    tops.sort((a, b) => a - b),
    1 - FALSE_REPLAYS,
  );
}

/**
 * What tells a change from known questions.
 * @param vectors of unit length, none twice
 * @param labels one a vector; null where it has none
 */
export async function detectorOf(
  vectors: readonly Float32Array[],
  labels: readonly (string | null)[],
): Promise<Detector> {
  const { alone, apart } = await leftOut(vectors, labels);
  const unlike = quantile(
    [...alone].sort((a, b) => a - b),
    UNLIKE,
  );
  const { edges, scores } = (apart && scoresByLabels(alone, apart)) ?? {
    edges: [unlike],
    scores: [Math.log(UNLIKE_AFTER / UNLIKE), Math.log((1 - UNLIKE_AFTER) / (1 - UNLIKE))],
  };
  const knownBins = alone.map((similarity) => binOf(edges, similarity));
  return { edges, scores, unlike, threshold: await thresholdOf(scores, knownBins) };
}

/** The course after a question. @param similarity of the nearest known one */
export function stepUnlike(
  { edges, scores, unlike, threshold }: Detector,
  previousCourse: Course,
  similarity: number,
): { next: Course; isAlarm: boolean } {
  const sum = Math.max(0, previousCourse.sum + scores[binOf(edges, similarity)]!);
  const isUnlike = similarity <= unlike ? 1 : 0;
  const next =
    sum === 0
      ? { ...BEGINNING, seen: previousCourse.seen + 1 }
      : {
          sum,
          since: previousCourse.since + 1,
          unlike: previousCourse.unlike + isUnlike,
          seen: previousCourse.seen + 1,
        };
  return { next, isAlarm: sum > threshold };
}
