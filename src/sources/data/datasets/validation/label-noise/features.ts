import { wordsForm } from '../../rows/text-forms.js';

/** A sparse vector: ascending indexes and their weights. */
export interface SparseVector {
  indexes: Uint32Array;
  weights: Float32Array;
}

/** The beginning of a text says what it is about; the rest only takes time. */
const MAX_WORDS = 60;

const { imul } = Math;

function bucketOf(term: string, buckets: number): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < term.length; i++) h = imul(h ^ term.charCodeAt(i), 0x01000193);
  h ^= h >>> 15;
  return (imul(h, 0x2c1b3c6d) >>> 0) % buckets;
}

/** Words, pairs of neighbouring words and the beginnings of long words, hashed into `buckets`. */
function terms(text: string, buckets: number): Map<number, number> {
  const words = wordsForm(text).split(' ').slice(0, MAX_WORDS);
  const counts = new Map<number, number>();
  const add = (term: string) => {
    const bucket = bucketOf(term, buckets);
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  };
  for (const [i, word] of words.entries()) {
    add(word);
    if (word.length > 5) add(`${word.slice(0, 5)}*`);
    if (i > 0) add(`${words[i - 1]} ${word}`);
  }
  return counts;
}

/** Texts as vectors of length 1: log of the count times the inverse document frequency (Salton and Buckley, 1988). */
export function vectorise(texts: readonly string[], buckets: number): SparseVector[] {
  const termCounts = texts.map((text) => terms(text, buckets));
  const documents = new Uint32Array(buckets);
  for (const counts of termCounts) for (const bucket of counts.keys()) documents[bucket]!++;
  return termCounts.map((counts) => {
    const indexes = Uint32Array.from(counts.keys()).sort();
    const weights = Float32Array.from(
      indexes,
      (bucket) => (1 + Math.log(counts.get(bucket)!)) * Math.log((texts.length + 1) / (documents[bucket]! + 0.5)),
    );
    const norm = Math.sqrt(weights.reduce((sum, w) => sum + w * w, 0)) || 1;
    return { indexes, weights: weights.map((w) => w / norm) };
  });
}
