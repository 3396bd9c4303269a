import type { Passage } from '../../knowledge/index.js';
import type { Signal } from './calibration.js';
import type { AdapterSample } from './router.js';

/** How many of the nearest make the mean. */
const NEAREST = 3;

/** How near a question lies to what was found for it; null where nothing was, or no vectors could be compared. */
export function signalOfPassages(passages: readonly Passage[]): Signal | null {
  const similarities = passages.flatMap(({ scores }) => (scores.dense === null ? [] : [scores.dense]));
  if (similarities.length === 0) return null;
  return { ...nearest(similarities), coverage: Math.max(...passages.map(({ coverage }) => coverage)) };
}

/** How near a question lies to the inputs that an adapter was trained on. @param question of unit length */
export function signalOfSample({ vectors, dimensions }: AdapterSample, question: Float32Array): Signal {
  const similarities: number[] = [];
  for (let from = 0; from < vectors.length; from += dimensions) {
    let sum = 0;
    for (let i = 0; i < dimensions; i++) sum += vectors[from + i]! * question[i]!;
    similarities.push(sum);
  }
  return { ...nearest(similarities), coverage: 0 };
}

function nearest(similarities: readonly number[]): Pick<Signal, 'top' | 'mean'> {
  const best = [...similarities].sort((a, b) => b - a).slice(0, NEAREST);
  return { top: best[0]!, mean: best.reduce((sum, each) => sum + each, 0) / best.length };
}
