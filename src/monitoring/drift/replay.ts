import { countIn, locate, makeCells } from './cells.js';
import { LANDMARKS, LEARNED_FROM } from './stream.js';
import { againstLastPeriod, againstTraining, REFERENCE, step, type Watching } from './watching.js';

/** Training rows that are embedded: as many as make the cells of questions, and the reference. */
export const TRAINING_ROWS = LEARNED_FROM + 384;

type Against = 'TRAINING' | 'LAST_PERIOD';

/**
 * Replays questions as streams see them, for measuring how soon and how often they alarm.
 * @param vectors first those that cells and reference are made from, `driftReplay.needs(against)`, then the stream
 * @param most questions of the stream that are looked at
 * @returns the first question of the stream at which there is an alarm, from 1 on; null where there is none
 */
export function driftReplay(
  against: Against,
  vectors: readonly Float32Array[],
  most: number,
  random: () => number,
): number | null {
  const needed = driftReplay.needs(against);
  const { cells, expected } = makeCells(vectors.slice(0, LANDMARKS), vectors.slice(LANDMARKS, LEARNED_FROM), 1);
  const reference = vectors.slice(LEARNED_FROM, needed);
  let watching: Watching =
    against === 'TRAINING' ? againstTraining(expected, countIn(cells, reference)) : againstLastPeriod(expected);
  if (against === 'LAST_PERIOD')
    for (const vector of reference) watching = step(watching, locate(cells, vector), random()).next;
  for (let i = 0; i < Math.min(most, vectors.length - needed); i++) {
    const { next, shift } = step(watching, locate(cells, vectors[needed + i]!), random());
    if (shift !== null) return i + 1;
    watching = next;
  }
  return null;
}

driftReplay.needs = (against: Against): number => (against === 'TRAINING' ? TRAINING_ROWS : LEARNED_FROM + REFERENCE);
