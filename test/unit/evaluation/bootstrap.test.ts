import fc from 'fast-check';
import { accuracy, macroF1, type ClassifiedRow } from '../../../src/prove/metrics/classification.js';
import { entityF1 } from '../../../src/prove/metrics/entities.js';
import { measure } from '../../../src/prove/metrics/metric.js';
import { estimate, pairedDifference } from '../../../src/prove/bootstrap.js';
import { seededRandom } from '../../../src/kernel/random.js';

const answered = (right: boolean): ClassifiedRow => ({ gold: 'a', predicted: right ? 'a' : 'b', probability: null });

describe('estimate', () => {
  it('holds the value inside its interval, whatever the rows', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), (rights) => {
        const rows = rights.map(answered);
        const { value, low, high } = estimate(accuracy, rows, { resamples: 400 });
        expect(value).toBeCloseTo(measure(accuracy, rows), 12);
        expect(low).toBeLessThanOrEqual(value);
        expect(high).toBeGreaterThanOrEqual(value);
      }),
    );
  });

  it('of macro-F1 holds the value where labels have a row or two, of which each resample lacks some', () => {
    const labels = Array.from({ length: 77 }, (_, i) => `label ${i}`);
    for (const each of [1, 2]) {
      const rows = labels.flatMap((gold) =>
        Array.from({ length: each }, () => ({ gold, predicted: gold, probability: null })),
      );
      expect(estimate(macroF1(labels), rows, { resamples: 200 })).toMatchObject({
        value: 1,
        low: expect.closeTo(0.025 ** (1 / rows.length), 5) as number,
        high: 1,
      });
    }
  });

  it('covers the true accuracy about 95 times in 100', () => {
    const seed = 77;
    const random = seededRandom(seed);
    let covered = 0;
    for (let trial = 0; trial < 300; trial++) {
      const rows = Array.from({ length: 200 }, () => answered(random() < 0.8));
      const { low, high } = estimate(accuracy, rows, { resamples: 300, seed: trial });
      if (low <= 0.8 && 0.8 <= high) covered += 1;
    }
    expect(covered / 300).toBeGreaterThan(0.9);
  });

  it('gives the same interval for the same seed', () => {
    const rows = [true, false, true, true].map(answered);
    expect(estimate(accuracy, rows, { seed: 5 })).toEqual(estimate(accuracy, rows, { seed: 5 }));
  });
});

describe('pairedDifference', () => {
  const random = seededRandom(4);
  const before = Array.from({ length: 300 }, () => random() < 0.7);

  it('sees a small gain on the same rows that two separate intervals would hide', () => {
    const after = before.map((right, i) => right || i % 20 === 0);
    const [old, fresh] = [before.map(answered), after.map(answered)];
    const difference = pairedDifference(accuracy, old, fresh);
    expect(difference.low).toBeGreaterThan(0);
    expect(difference.p).toBeLessThan(0.05);
    expect(estimate(accuracy, old).high).toBeGreaterThan(estimate(accuracy, fresh).low);
  });

  it('finds nothing between a model and itself', () => {
    const rows = before.map(answered);
    const edge = expect.closeTo(0.0126, 3) as number;
    expect(pairedDifference(accuracy, rows, rows)).toMatchObject({ value: 0, high: edge, p: 1 });
  });
});

it('counts an entity as found only with its type and both ends', () => {
  const gold = [{ type: 'PER', start: 0, end: 4 }];
  const wrong = [
    [{ type: 'ORG', start: 0, end: 4 }],
    [{ type: 'PER', start: 0, end: 3 }],
    [{ type: 'PER', start: 1, end: 4 }],
  ];
  for (const predicted of wrong) expect(measure(entityF1, [{ gold, predicted }])).toBe(0);
  expect(measure(entityF1, [{ gold, predicted: gold }])).toBe(1);
});
