import fc from 'fast-check';
import { chiSquared, gammaQ, populationStabilityIndex, quantile } from '../../../src/kernel/statistics.js';

const counts = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 2, maxLength: 12 });

describe('chiSquared', () => {
  it('agrees with the tables: 3.841 at one degree of freedom and 124.342 at 100 stand at p = 0.05', () => {
    expect(gammaQ(0.5, 3.841458820694124 / 2)).toBeCloseTo(0.05, 10);
    expect(gammaQ(50, 124.34211340400407 / 2)).toBeCloseTo(0.05, 10);
  });

  it('agrees with scipy.stats.chi2_contingency([[10, 20, 30], [6, 9, 17]])', () => {
    const result = chiSquared([10, 20, 30], [6, 9, 17]);
    expect(result.statistic).toBeCloseTo(0.271574651504035, 10);
    expect(result.p).toBeCloseTo(0.873028283380073, 10);
    expect(result.degreesOfFreedom).toBe(2);
  });

  it('is symmetric, finite, and sees no difference between proportional samples', () => {
    fc.assert(
      fc.property(counts, counts, fc.integer({ min: 1, max: 9 }), (a, b, k) => {
        const same = b.slice(0, a.length).concat(new Array<number>(Math.max(0, a.length - b.length)).fill(0));
        const one = chiSquared(a, same);
        const other = chiSquared(same, a);
        expect(one.statistic).toBeCloseTo(other.statistic, 6);
        expect(one.p).toBeGreaterThanOrEqual(0);
        expect(one.p).toBeLessThanOrEqual(1);
        expect(one.cramersV).toBeLessThanOrEqual(1);
        expect(
          chiSquared(
            a,
            a.map((n) => n * k),
          ).statistic,
        ).toBeCloseTo(0, 6);
      }),
    );
  });
});

describe('populationStabilityIndex', () => {
  it('is zero for the same counts and never negative', () => {
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        expect(populationStabilityIndex(a, a)).toBeCloseTo(0, 12);
        expect(populationStabilityIndex(a, b)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('calls a distribution turned upside down a shift', () => {
    expect(populationStabilityIndex([700, 200, 100], [100, 200, 700])).toBeGreaterThan(0.2);
    expect(populationStabilityIndex([700, 200, 100], [690, 205, 105])).toBeLessThan(0.01);
  });
});

describe('quantile', () => {
  it('interpolates between neighbours', () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([5], 0.9)).toBe(5);
    expect(quantile([], 0.5)).toBeNaN();
  });
});
