import { seededRandom } from '../../src/kernel/random.js';

const DIMENSIONS = 32;
const INTENTS = 40;
/** Intents that nobody asks of at first. */
const NEW_INTENTS = 13;

export interface PlacedQuestion {
  /** Of unit length. */
  vector: Float32Array;
  label: string;
}

/** Questions of intents as an embedder might place them: those of one lie near each other, and intents in groups of four as well. */
export function intents(seed: number) {
  const random = seededRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const point = (spread: number, around?: Float32Array) =>
    Float32Array.from({ length: DIMENSIONS }, (_, i) => (around?.[i] ?? 0) + spread * normal());
  const groups = Array.from({ length: INTENTS / 4 }, () => point(1));
  const centres = Array.from({ length: INTENTS }, (_, i) => point(0.7, groups[i >> 2]));
  const question = (intent: number): PlacedQuestion => {
    const vector = point(0.45, centres[intent]);
    const length = Math.hypot(...vector);
    return { vector: vector.map((value) => value / length), label: `intent ${intent}` };
  };
  const from = (first: number, count: number) => first + Math.floor(random() * count);
  return {
    random,
    /** A question as they were, and one of an intent that is new. */
    usual: () => question(from(NEW_INTENTS, INTENTS - NEW_INTENTS)),
    unseen: () => question(from(0, NEW_INTENTS)),
    /** Another of the same intent. */
    again: ({ label }: PlacedQuestion) => question(Number(label.split(' ')[1])),
  };
}

export const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
