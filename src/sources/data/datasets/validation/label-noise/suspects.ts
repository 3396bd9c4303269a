import { SoftmaxClassifier } from './classifier.js';
import { vectorise } from './features.js';

interface Suspect {
  /** Index into the texts. */
  index: number;
  /** Index of the label that fits better. */
  better: number;
  /** Out-of-sample probabilities of the given and of the better label. */
  given: number;
  probability: number;
}

const FOLDS = 4;
/** Few passes and long steps: a classifier that trains longer learns the wrong labels by heart. */
const EPOCHS = 2;
const RATE = 4;

/** When more rows than this share are in doubt, the classifier has not learned the labels: then only what it is sure of counts. */
const PLAUSIBLE = 0.1;
const SURE = { given: 0.02, better: 0.8 };

/** How many table entries a classifier may have: 16 million are 64 MB. */
const MAX_WEIGHTS = 16_000_000;

/**
 * Rows whose label the other rows contradict (confident learning; Northcutt, Jiang, Chuang 2021): each row is judged by a
 * classifier that didn't see it. A class is believed where its probability reaches the average that its own rows get;
 * rows whose most probable believed class is not their own tell how many labels are wrong.
 *
 * @param breathe called between passes, so that others get their turn
 */
export async function findSuspects(
  texts: readonly string[],
  labels: readonly number[],
  classes: number,
  breathe: () => Promise<void>,
): Promise<Suspect[]> {
  const buckets = Math.min(2 ** 16, Math.floor(MAX_WEIGHTS / classes));
  const vectors = vectorise(texts, buckets);
  const outOfSample: Float32Array[] = new Array<Float32Array>(texts.length);
  for (let fold = 0; fold < FOLDS; fold++) {
    const classifier = new SoftmaxClassifier(classes, buckets);
    const training = order(texts.length).filter((i) => i % FOLDS !== fold);
    for (let epoch = 0; epoch < EPOCHS; epoch++) {
      const rate = RATE * (1 - epoch / EPOCHS);
      for (let n = 0; n < training.length; n++) {
        const i = training[n]!;
        classifier.learn(vectors[i]!, labels[i]!, rate);
        if (n % 2000 === 1999) await breathe();
      }
    }
    for (let i = fold; i < texts.length; i += FOLDS) outOfSample[i] = classifier.probabilities(vectors[i]!).slice();
  }
  return leastConfident(outOfSample, labels, classes);
}

/** 0..n-1 in a fixed order that mixes well: files are often sorted by label. */
function order(n: number): number[] {
  const step = Math.max(1, Math.floor(n * 0.618));
  let coprime = step;
  while (gcd(coprime, n) !== 1) coprime++;
  return Array.from({ length: n }, (_, i) => (i * coprime) % n);
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/**
 * As many rows as confident learning counts off the diagonal of its joint: those that get the least probability for their
 * own label, the surest first. (Taking the counted rows themselves finds fewer: on BANKING77 with 5 % of the labels
 * changed, 69 % of them at a precision of 61 %, in place of the figures that `bench/validation.ts` prints.)
 */
function leastConfident(probabilities: readonly Float32Array[], labels: readonly number[], classes: number): Suspect[] {
  const sums = new Float64Array(classes);
  const counts = new Float64Array(classes);
  probabilities.forEach((p, i) => {
    sums[labels[i]!]! += p[labels[i]!]!;
    counts[labels[i]!]!++;
  });
  let offDiagonal = 0;
  const suspects = probabilities.map((p, index): Suspect => {
    let believed = -1;
    let better = 0;
    for (let c = 0; c < classes; c++) {
      if (p[c]! > p[better]!) better = c;
      if (counts[c]! > 0 && p[c]! >= sums[c]! / counts[c]! && (believed < 0 || p[c]! > p[believed]!)) believed = c;
    }
    const label = labels[index]!;
    if (believed >= 0 && believed !== label) offDiagonal++;
    return { index, better, given: p[label]!, probability: p[better]! };
  });
  const unlearned = offDiagonal > PLAUSIBLE * labels.length;
  return suspects
    .filter(({ index, better }) => better !== labels[index])
    .filter(({ given, probability }) => !unlearned || (given <= SURE.given && probability >= SURE.better))
    .sort((a, b) => a.given - b.given)
    .slice(0, offDiagonal);
}
