import fc from 'fast-check';
import { accuracy, macroF1, type ClassifiedRow } from '../../../src/prove/metrics/classification.js';
import { estimate, pairedDifference } from '../../../src/prove/bootstrap.js';
import { binomialInterval } from '../../../src/kernel/statistics/binomial.js';
import { mcnemarOf } from '../../../src/kernel/statistics/mcnemar.js';
import { pairedPower, powerSentence } from '../../../src/kernel/statistics/paired-power.js';
import { pairedShareInterval } from '../../../src/kernel/statistics/shares.js';
import { seededRandom } from '../../../src/kernel/random.js';

/** Found once for each pair of counts. */
function cached<T>(of: (one: number, other: number) => T): (one: number, other: number) => T {
  const known = new Map<string, T>();
  return (one, other) => {
    const key = `${one} ${other}`;
    if (!known.has(key)) known.set(key, of(one, other));
    return known.get(key)!;
  };
}
const shares = cached((hits, trials) => binomialInterval(hits, trials));
const pairsOf = (rows: number) => cached((gained, lost) => pairedShareInterval({ rows, gained, lost }));

const answered = (right: boolean): ClassifiedRow => ({ gold: 'a', predicted: right ? 'a' : 'b', probability: null });

describe('the interval of a share', () => {
  it('keeps its width at the edge: 54 of 54 is 93.4 to 100 %', () => {
    const { low, high } = binomialInterval(54, 54);
    expect(low).toBeCloseTo(0.934, 3);
    expect(high).toBe(1);
    expect(binomialInterval(0, 54)).toMatchObject({ low: 0, high: expect.closeTo(0.066, 3) as number });
    const all = estimate(
      accuracy,
      Array.from({ length: 54 }, () => answered(true)),
    );
    expect(all).toMatchObject({ value: 1, low: expect.closeTo(0.934, 3) as number, high: 1 });
    // Also of figures that are no shares.
    const macro = estimate(
      macroF1(['a', 'b']),
      Array.from({ length: 54 }, () => answered(true)),
    );
    expect(macro.low).toBeLessThan(0.95);
  });

  it('covers the true share in 95 of 100 cases, whatever it is', () => {
    for (const share of [0.5, 0.9, 0.99])
      for (const trials of [20, 54, 300]) {
        const random = seededRandom(trials);
        let covered = 0;
        for (let run = 0; run < 2_000; run++) {
          let hits = 0;
          for (let i = 0; i < trials; i++) if (random() < share) hits += 1;
          const { low, high } = shares(hits, trials);
          if (low <= share && share <= high) covered += 1;
        }
        expect(covered / 2_000).toBeGreaterThan(0.94);
      }
  });
});

describe('the interval of a difference of shares on the same rows', () => {
  it('has a width where nothing differs, holds the value, and is the same the other way round', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(60), fc.nat(300), (gained, lost, same) => {
        fc.pre(gained + lost + same > 0);
        const rows = gained + lost + same;
        const { low, high } = pairedShareInterval({ rows, gained, lost });
        const value = (gained - lost) / rows;
        expect(low).toBeLessThanOrEqual(value + 1e-9);
        expect(high).toBeGreaterThanOrEqual(value - 1e-9);
        expect(high - low).toBeGreaterThan(1 / (rows + 4));
        const turned = pairedShareInterval({ rows, gained: lost, lost: gained });
        expect(turned.low).toBeCloseTo(-high, 6);
      }),
    );
    const same = Array.from({ length: 54 }, () => answered(true));
    expect(pairedDifference(accuracy, same, same)).toMatchObject({
      value: 0,
      low: expect.closeTo(-0.066, 3) as number,
      high: expect.closeTo(0.066, 3) as number,
      p: 1,
    });
  });

  it('ends where the likeliest shares with that difference are 1.96 standard errors away, found by search', () => {
    for (const [rows, gained, lost] of [
      [44, 0, 1],
      [100, 8, 3],
      [250, 60, 2],
    ] as const)
      for (const [end, side] of [
        ['low', 1],
        ['high', -1],
      ] as const) {
        const difference = pairedShareInterval({ rows, gained, lost })[end];
        const likelihood = (losing: number): number => {
          const gaining = losing + difference;
          const same = 1 - losing - gaining;
          if (gaining < 0 || losing < 0 || same <= 0) return -Infinity;
          const part = (count: number, share: number) => (count === 0 ? 0 : count * Math.log(share));
          return part(gained, gaining) + part(lost, losing) + part(rows - gained - lost, same);
        };
        let [best, at] = [-Infinity, 0];
        for (let losing = 0; losing <= 1; losing += 1e-4)
          if (likelihood(losing) > best) [best, at] = [likelihood(losing), losing];
        const variance = (2 * at + difference - difference ** 2) / rows;
        const errors = ((gained - lost) / rows - difference) / Math.sqrt(variance);
        expect(errors).toBeCloseTo(side * 1.96, 0);
      }
  });

  it('lets a version that is no better through no more often than it promises, with few rows that differ or many', () => {
    const random = seededRandom(9);
    const interval = pairsOf(300);
    for (const differing of [0.02, 0.08, 0.3]) {
      let better = 0;
      for (let run = 0; run < 2_000; run++) {
        let [gained, lost] = [0, 0];
        for (let row = 0; row < 300; row++) {
          const drawn = random();
          if (drawn < differing / 2) gained += 1;
          else if (drawn < differing) lost += 1;
        }
        if (interval(gained, lost).low > 0) better += 1;
      }
      // 2.5 %, and twice the error of 2,000 runs.
      expect(better / 2_000).toBeLessThan(0.025 + 0.008);
    }
  });

  it('goes with McNemar’s exact p', () => {
    const [before, after] = [200, 190].map((right) => Array.from({ length: 250 }, (_, i) => answered(i < right)));
    expect(pairedDifference(accuracy, before!, after!).p).toBeCloseTo(mcnemarOf(10, 0), 12);
  });
});

describe('the power of a comparison', () => {
  it.each([
    [300, 0.05],
    [300, 0.08],
    [1_000, 0.08],
  ])('is what happens: %d rows, of which %d differ', (rows, differing) => {
    const random = seededRandom(rows);
    const interval = pairsOf(rows);
    let found = 0;
    for (let run = 0; run < 2_000; run++) {
      let [gained, lost] = [0, 0];
      for (let row = 0; row < rows; row++) {
        const drawn = random();
        if (drawn < (differing + 0.03) / 2) gained += 1;
        else if (drawn < differing) lost += 1;
      }
      if (interval(gained, lost).low > 0) found += 1;
    }
    const { least } = pairedPower(rows, 0.03, differing);
    expect(Math.abs(found / 2_000 - least)).toBeLessThan(0.05);
  });

  it('is said in a sentence that asks for more rows', () => {
    expect(powerSentence(pairedPower(300))).toMatch(
      /^300 rows find a gain of 3 points with 4\d to 6\d %; 80 % takes 4\d0 to \d{3} rows\.$/,
    );
    expect(powerSentence(pairedPower(2_000))).toMatch(/^2000 rows find a gain of 3 points with (9\d|100)/);
  });
});
