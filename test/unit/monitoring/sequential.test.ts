import fc from 'fast-check';
import { seededRandom } from '../../../src/kernel/random.js';
import {
  categoryTest,
  counted,
  noCounts,
  observeCategories,
  strongestShift,
  type CategoryTest,
  type CategoryCounts,
} from '../../../src/monitoring/sequential/categories.js';
import { isBeyond, meanCapital, observeMean, type MeanBound } from '../../../src/monitoring/sequential/mean.js';
import { observe, untouched, worth } from '../../../src/monitoring/sequential/restarted.js';

/** The first observation at which it is shown; null where it never is. */
function firstBeyond(bound: MeanBound, alpha: number, values: () => number, most: number): number | null {
  let capital = meanCapital();
  for (let i = 1; i <= most; i++) {
    capital = observeMean(capital, values(), bound);
    if (isBeyond(capital, alpha)) return i;
  }
  return null;
}

describe('capital of a stream', () => {
  it('is 1 before anything, and stays 1 with bets that neither win nor lose', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 6 }), (observations, bets) => {
        let capital = untouched(bets);
        for (let i = 0; i < observations; i++)
          capital = observe(
            capital,
            Array.from({ length: bets }, () => 1),
          );
        expect(worth(capital)).toBeCloseTo(1, 9);
      }),
    );
  });
});

describe('the test of a mean', () => {
  it('seldom says that a mean is beyond its bound while it is on it, looking after each of 2,000 values', () => {
    const random = seededRandom(5);
    const alarms = Array.from({ length: 400 }, () =>
      firstBeyond({ side: 'ABOVE', threshold: 0.1 }, 0.05, () => (random() < 0.1 ? 1 : 0), 2_000),
    ).filter((at) => at !== null).length;
    expect(alarms / 400).toBeLessThanOrEqual(0.05);
  });

  it('notices on either side, also long after the beginning', () => {
    const random = seededRandom(6);
    const late = (before: number, after: number, bound: MeanBound) => {
      let i = 0;
      return firstBeyond(bound, 0.05, () => (random() < (i++ < 1_000 ? before : after) ? 1 : 0), 1_500);
    };
    const above = late(0.05, 0.4, { side: 'ABOVE', threshold: 0.1 })!;
    expect(above).toBeGreaterThan(1_000);
    expect(above).toBeLessThan(1_100);
    const below = late(0.9, 0.4, { side: 'BELOW', threshold: 0.8 })!;
    expect(below).toBeGreaterThan(1_000);
    expect(below).toBeLessThan(1_100);
  });
});

describe('the test of categories', () => {
  const draw = (shares: readonly number[], random: () => number): number => {
    let left = random();
    return Math.max(
      0,
      shares.findIndex((share) => (left -= share) < 0),
    );
  };
  const countsOf = (shares: readonly number[], size: number, random: () => number): CategoryCounts => {
    let counts = noCounts(shares.length);
    for (let i = 0; i < size; i++) counts = counted(counts, [draw(shares, random)]);
    return counts;
  };
  const alarmAt = (test: CategoryTest, shares: readonly number[], most: number, random: () => number, alpha = 0.05) => {
    for (let i = 1; i <= most; i++) {
      test = observeCategories(test, [draw(shares, random)], random());
      if (strongestShift(test).evidence >= 1 / alpha) return { at: i, ...strongestShift(test) };
    }
    return null;
  };
  const even = Array.from({ length: 10 }, () => 0.1);

  it('seldom alarms while nothing changes, even against a reference of 60 rows', () => {
    const random = seededRandom(7);
    const alarms = Array.from({ length: 300 }, () => {
      const test = categoryTest(countsOf(even, 60, random), countsOf(even, 60, random));
      return alarmAt(test, even, 1_000, random);
    }).filter((alarm) => alarm !== null).length;
    expect(alarms / 300).toBeLessThanOrEqual(0.05);
  });

  it('finds which category became frequent', () => {
    const random = seededRandom(8);
    const shifted = even.map((_, category) => (category === 3 ? 0.46 : 0.06));
    const test = categoryTest(countsOf(even, 200, random), countsOf(even, 300, random));
    const alarm = alarmAt(test, shifted, 200, random)!;
    expect(alarm.category).toBe(3);
  });

  it('finds a category that nobody had seen', () => {
    const random = seededRandom(9);
    const known = [0.5, 0.5, 0];
    const test = categoryTest(countsOf(known, 200, random), countsOf(known, 300, random));
    expect(alarmAt(test, [0.4, 0.4, 0.2], 200, random)!.category).toBe(2);
  });
});
