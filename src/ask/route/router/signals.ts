import { wordsOf } from '../../../kernel/text.js';
import { dot } from '../../../kernel/vectors.js';
import type { Passage } from '../../../knowledge/index.js';
import type { PlaceSignal } from './calibration.js';
import type { AdapterSample } from './router.js';

/** How many of the nearest make the mean. */
const NEAREST = 3;

/**
 * How near a question lies to what was found for it; null where nothing was, or no vectors could be compared. `top` is the cosine
 * similarity of the nearest passage, `mean` that of the nearest three, `coverage` the share of the question's words in the best passage,
 * weighted by rarity.
 */
export function signalOfPassages(passages: readonly Passage[]): PlaceSignal | null {
  const similarities = passages.flatMap(({ scores }) => (scores.dense === null ? [] : [scores.dense]));
  if (similarities.length === 0) return null;
  return { ...nearest(similarities), coverage: Math.max(...passages.map(({ coverage }) => coverage)) };
}

/** The collection that the best of all passages comes from: it stands for all documents where places are weighed. Null where nothing was found. */
export function nearestCollection(
  passages: readonly Passage[],
): { id: string; name: string; signal: PlaceSignal | null } | null {
  const [best] = passages;
  if (!best) return null;
  const own = passages.filter(({ collectionId }) => collectionId === best.collectionId);
  return { id: best.collectionId, name: best.collectionName, signal: signalOfPassages(own) };
}

/**
 * How much a question is like the inputs that an adapter was trained on: `top` and `mean` as above, over those inputs; `kind`, how much
 * more it is like their mean than like that of general text; and its form, because an adapter's inputs may share no subject but a shape:
 * `words` (natural logarithm of one more than their number), `asks` (1 with a question mark at the end), `capitals` (share of words that
 * begin with one) and `digits` (share of characters).
 * @param question of unit length
 */
export function signalOfSample(
  { vectors, dimensions, direction }: AdapterSample,
  question: Float32Array,
  text: string,
): PlaceSignal {
  const similarities: number[] = [];
  for (let from = 0; from < vectors.length; from += dimensions)
    similarities.push(dot(vectors.subarray(from, from + dimensions), question));
  return { ...nearest(similarities), kind: direction ? dot(direction, question) : 0, ...formOf(text) };
}

/** From the mean of other vectors to the mean of these; both row-major [count, dimensions], neither empty. */
export function directionOf(vectors: Float32Array, others: Float32Array, dimensions: number): Float32Array {
  const direction = new Float32Array(dimensions);
  const add = (from: Float32Array, sign: number): void => {
    const share = (sign * dimensions) / from.length;
    for (let i = 0; i < from.length; i++) direction[i % dimensions]! += share * from[i]!;
  };
  add(vectors, 1);
  add(others, -1);
  return direction;
}

function formOf(text: string): Required<Pick<PlaceSignal, 'words' | 'asks' | 'capitals' | 'digits'>> {
  const words = wordsOf(text);
  const capitals = words.filter((word) => /^\p{Lu}/u.test(word)).length;
  return {
    words: Math.log1p(words.length),
    asks: /[?\u037e\u061f\uff1f]\s*$/u.test(text) ? 1 : 0,
    capitals: capitals / Math.max(1, words.length),
    digits: (text.match(/\p{Nd}/gu) ?? []).length / Math.max(1, text.length),
  };
}

function nearest(similarities: readonly number[]): Required<Pick<PlaceSignal, 'top' | 'mean'>> {
  const best = [...similarities].sort((a, b) => b - a).slice(0, NEAREST);
  return { top: best[0]!, mean: best.reduce((sum, each) => sum + each, 0) / best.length };
}
