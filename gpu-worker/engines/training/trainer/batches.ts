import { seededRandom, shuffled } from '../../../../src/kernel/random.js';

/** Lengths differ from their order by less than this, so that epochs put different examples together. */
const JITTER = 0.9;

/** Mixes two whole numbers into a seed (the finaliser of MurmurHash3). */
export function mixSeed(a: number, b: number): number {
  let hash = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

export interface BatchSize {
  examples: number;
  /** Padding included. */
  tokens: number;
}

/** What goes through the model as a whole: an example, or several that share their beginning. */
export interface BatchUnit {
  /** In tokens. */
  length: number;
  examples: number;
}

/**
 * The batches of one epoch: units of like length together, so that little is padding, as many as the size allows, and the
 * batches in random order. A function of its arguments alone, so a resumed run sees the same order.
 * @returns indices of units; one longer than the size allows is a batch of its own
 */
export function epochBatches(units: readonly BatchUnit[], size: BatchSize, seed: number, epoch: number): number[][] {
  const random = seededRandom(mixSeed(seed, epoch));
  const order = units.map((unit, index) => ({ ...unit, index, key: unit.length + JITTER * random() }));
  order.sort((a, b) => a.key - b.key);
  return shuffled(
    fill(order, size).map((batch) => batch.map(({ index }) => index)),
    random,
  );
}

/** The batches of all epochs; of a part of an epoch, so many of its batches. */
export function plannedBatches(
  units: readonly BatchUnit[],
  size: BatchSize,
  seed: number,
  epochs: number,
): { epoch: number; batch: number[] }[] {
  return Array.from({ length: Math.ceil(epochs) }, (_, epoch) => {
    const batches = epochBatches(units, size, seed, epoch).map((batch) => ({ epoch, batch }));
    return batches.slice(0, Math.max(1, Math.round(batches.length * Math.min(1, epochs - epoch))));
  }).flat();
}

/** Cuts a list into runs of at most so many examples, whose longest length times count stays within the tokens. */
export function fill<T extends BatchUnit>(units: readonly T[], size: BatchSize): T[][] {
  const runs: T[][] = [];
  let [longest, examples] = [0, 0];
  for (const unit of units) {
    const run = runs.at(-1);
    longest = Math.max(longest, unit.length);
    examples += unit.examples;
    if (run !== undefined && examples <= size.examples && longest * (run.length + 1) <= size.tokens) run.push(unit);
    else {
      runs.push([unit]);
      ({ length: longest, examples } = unit);
    }
  }
  return runs;
}

/** The window of general text that a step replays. */
export const replayIndex = (windows: number, seed: number, step: number): number =>
  Math.floor(seededRandom(mixSeed(seed ^ 0x5bd1e995, step))() * windows);
