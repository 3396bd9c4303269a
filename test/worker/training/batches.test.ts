import fc from 'fast-check';
import {
  epochBatches,
  fill,
  mixSeed,
  plannedBatches,
  replayIndex,
} from '../../../gpu-worker/engines/training/trainer/batches.js';
import { learningRateAt } from '../../../gpu-worker/engines/training/trainer/schedule.js';

const lengths = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 120 });
const alone = (all: readonly number[]) => all.map((length) => ({ length, examples: 1 }));

describe('batches', () => {
  it('hold every example once an epoch, and never more tokens than the budget with their padding', () => {
    fc.assert(
      fc.property(lengths, fc.integer({ min: 16, max: 600 }), fc.nat(), fc.nat(9), (all, budget, seed, epoch) => {
        const batches = epochBatches(alone(all), { examples: 16, tokens: budget }, seed, epoch);
        expect(batches.flat().sort((a, b) => a - b)).toEqual(all.map((_, index) => index));
        for (const batch of batches) {
          const longest = Math.max(...batch.map((index) => all[index]!));
          expect(batch.length).toBeLessThanOrEqual(16);
          if (batch.length > 1) expect(longest * batch.length).toBeLessThanOrEqual(budget);
        }
      }),
    );
  });

  it('put examples of like length together, so that little is padding', () => {
    const all = Array.from({ length: 1_000 }, (_, index) => 5 + (mixSeed(index, 3) % 60));
    const batches = epochBatches(alone(all), { examples: 16, tokens: 400 }, 1, 0);
    const real = all.reduce((sum, length) => sum + length, 0);
    const padded = batches.reduce(
      (sum, batch) => sum + batch.length * Math.max(...batch.map((index) => all[index]!)),
      0,
    );
    expect(padded / real).toBeLessThan(1.05);
  });

  it('come in the same order for the same seed, and in another one each epoch', () => {
    const all = Array.from({ length: 200 }, (_, index) => 1 + (index % 30));
    const size = { examples: 8, tokens: 64 };
    expect(epochBatches(alone(all), size, 5, 2)).toEqual(epochBatches(alone(all), size, 5, 2));
    expect(epochBatches(alone(all), size, 5, 2)).not.toEqual(epochBatches(alone(all), size, 5, 3));
    expect(epochBatches(alone(all), size, 5, 2)).not.toEqual(epochBatches(alone(all), size, 6, 2));
    const replayed = Array.from({ length: 50 }, (_, step) => replayIndex(10, 5, step));
    expect(replayed).toEqual(Array.from({ length: 50 }, (_, step) => replayIndex(10, 5, step)));
    expect(new Set(replayed).size).toBeGreaterThan(5);
  });

  it('of a part of an epoch are so many of its batches', () => {
    const all = Array.from({ length: 200 }, () => 10);
    const size = { examples: 10, tokens: 1_000 };
    expect(plannedBatches(alone(all), size, 1, 2.25).map(({ epoch }) => epoch)).toEqual([
      ...Array<number>(20).fill(0),
      ...Array<number>(20).fill(1),
      ...Array<number>(5).fill(2),
    ]);
  });

  it('are cut without changing their order', () => {
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 300 }), (all, budget) => {
        const items = alone(all);
        expect(fill(items, { examples: 7, tokens: budget }).flat()).toEqual(items);
      }),
    );
  });
});

describe('the learning rate', () => {
  const recipe = { learningRate: 1e-3, warmupSteps: 20, finalLearningRate: 0.02 };

  it('rises to its largest, then falls to its last without rising again', () => {
    const rates = Array.from({ length: 300 }, (_, index) => learningRateAt(index + 1, 300, recipe));
    expect(rates[0]).toBeCloseTo(5e-5);
    expect(Math.max(...rates)).toBeCloseTo(1e-3);
    expect(rates.indexOf(Math.max(...rates))).toBe(19);
    expect(rates.slice(19).every((rate, index, from) => index === 0 || rate <= from[index - 1]!)).toBe(true);
    expect(rates.at(-1)).toBeCloseTo(2e-5);
  });

  it('is positive for every number of steps', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), (steps) => {
        for (let step = 1; step <= steps; step++) expect(learningRateAt(step, steps, recipe)).toBeGreaterThan(0);
      }),
    );
  });
});
