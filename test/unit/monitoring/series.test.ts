import fc from 'fast-check';
import { durationBin, quantileOf } from '../../../src/operate/monitoring/series/bins.js';
import { METRICS } from '../../../src/operate/monitoring/series/metric.js';

describe('histograms of durations', () => {
  it('tell a quantile within the bin that it lies in', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 2, max: 900_000 }), { minLength: 1, maxLength: 200 }),
        fc.constantFrom(0.5, 0.95, 0.99),
        (values, p) => {
          const histogram = new Map<number, number>();
          for (const ms of values) histogram.set(durationBin(ms), (histogram.get(durationBin(ms)) ?? 0) + 1);
          const ascending = [...values].sort((a, b) => a - b);
          const exact = ascending[Math.ceil(p * values.length) - 1]!;
          const told = quantileOf(histogram, p, 'DURATION')!;
          expect(told / exact).toBeGreaterThan(2 ** -0.125 - 1e-9);
          expect(told / exact).toBeLessThan(2 ** 0.125 + 1e-9);
        },
      ),
    );
  });

  it('say nothing where there is nothing', () => {
    expect(quantileOf(new Map(), 0.5, 'DURATION')).toBeNull();
  });
});

describe('the calibration error', () => {
  const point = (bins: [bin: number, told: number, confidence: number, right: number][]) =>
    METRICS.CALIBRATION_ERROR.point({
      TRUTH: {
        count: bins.reduce((sum, [, told]) => sum + told, 0),
        sum: 0,
        bins: new Map(bins.map(([bin, told, confidence]) => [bin, { count: told, sum: told * confidence }])),
      },
      RIGHT: { count: 0, sum: 0, bins: new Map(bins.map(([bin, , , right]) => [bin, { count: right, sum: 0 }])) },
    }).value;

  it('is 0 where answers are right as often as they are sure, and the gap where they aren’t', () => {
    expect(
      point([
        [16, 10, 0.8, 8],
        [18, 10, 0.9, 9],
      ]),
    ).toBeCloseTo(0);
    expect(point([[18, 10, 0.9, 4]])).toBeCloseTo(0.5);
    expect(
      point([
        [18, 10, 0.9, 4],
        [16, 30, 0.8, 24],
      ]),
    ).toBeCloseTo(0.125);
  });
});
