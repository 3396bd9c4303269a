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
} from '../../../src/kernel/sequential/categories.js';
import { evidenceOf, noEvidence, observeMean, type MeanBound } from '../../../src/kernel/sequential/mean.js';
import { observe, untouched, worth } from '../../../src/kernel/sequential/restarted.js';

/** The first observation at which evidence is as much as `most`; null where none of `values` is. */
function firstBeyond(bound: MeanBound, most: number, values: (i: number) => number, length: number): number | null {
  let evidence = noEvidence();
  for (let i = 1; i <= length; i++) {
    evidence = observeMean(evidence, values(i), bound);
    if (evidenceOf(evidence) >= most) return i;
  }
  return null;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

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
  const FALSE_EVERY = 2_000;
  const onBound: [string, MeanBound, (random: () => number) => number][] = [
    ['failures of 1 %', { side: 'ABOVE', threshold: 0.01 }, (random) => Number(random() < 0.01)],
    ['abstentions of 20 %', { side: 'ABOVE', threshold: 0.2 }, (random) => Number(random() < 0.2)],
    ['right answers of 80 %', { side: 'BELOW', threshold: 0.8 }, (random) => Number(random() < 0.8)],
    ['confidence about .7', { side: 'BELOW', threshold: 0.7 }, (random) => 0.4 + 0.6 * random()],
  ];

  it.each(onBound)(
    'says of %s at most once in 2,000 that they are beyond a bound on which they are',
    (_, bound, value) => {
      const random = seededRandom(5);
      const waits = Array.from(
        { length: 120 },
        () => firstBeyond(bound, FALSE_EVERY, () => value(random), 10 * FALSE_EVERY) ?? 10 * FALSE_EVERY,
      );
      expect(waits.reduce((sum, wait) => sum + wait, 0) / waits.length).toBeGreaterThanOrEqual(FALSE_EVERY);
    },
  );

  it('always finds failures of 3 % where 1 % is allowed, after some 400 answers', () => {
    const random = seededRandom(6);
    const bound: MeanBound = { side: 'ABOVE', threshold: 0.01 };
    const waits = Array.from({ length: 100 }, () => firstBeyond(bound, 20_000, () => Number(random() < 0.03), 20_000));
    expect(waits).not.toContain(null);
    expect(median(waits as number[])).toBeLessThanOrEqual(500);
  });

  it.each([0, 1_000, 20_000])('finds a change after %d answers as soon as any', (age) => {
    const random = seededRandom(7);
    const bound: MeanBound = { side: 'ABOVE', threshold: 0.01 };
    const delays = Array.from({ length: 100 }, () => {
      const value = (i: number) => Number(random() < (i <= age ? 0.003 : 0.03));
      return firstBeyond(bound, 20_000, value, age + 5_000)! - age;
    });
    expect(delays.filter((delay) => delay <= 0)).toEqual([]);
    expect(median(delays)).toBeLessThanOrEqual(500);
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
