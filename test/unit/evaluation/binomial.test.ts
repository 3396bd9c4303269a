import fc from 'fast-check';
import { binomialInterval } from '../../../src/prove/index.js';

describe('the exact interval of a share', () => {
  it('has a width where all or none are counted', () => {
    // Clopper and Pearson: 54 of 54 is 93.4 to 100 %.
    const all = binomialInterval(54, 54);
    expect(all).toMatchObject({ value: 1, high: 1 });
    expect(all.low).toBeCloseTo(0.934, 3);
    const none = binomialInterval(0, 54);
    expect(none).toMatchObject({ value: 0, low: 0 });
    expect(none.high).toBeCloseTo(0.066, 3);
    // R: binom.test(3, 20)
    const some = binomialInterval(3, 20);
    expect(some.low).toBeCloseTo(0.0321, 4);
    expect(some.high).toBeCloseTo(0.3789, 4);
  });

  it('holds the share, and is the mirror of that of the others', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.double({ min: 0, max: 1, noNaN: true }), (trials, share) => {
        const hits = Math.round(share * trials);
        const { value, low, high } = binomialInterval(hits, trials);
        expect(low).toBeLessThanOrEqual(value);
        expect(high).toBeGreaterThanOrEqual(value);
        const others = binomialInterval(trials - hits, trials);
        expect(others.low).toBeCloseTo(1 - high, 4);
        expect(others.high).toBeCloseTo(1 - low, 4);
      }),
      { seed: 41 },
    );
  });
});
