import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { shareOfLook } from '../../../src/kernel/statistics/distributions.js';
import { cuped, fixedDifference } from '../../../src/kernel/statistics/fixed.js';
import { momentsOf } from '../../../src/kernel/statistics/moments.js';
import {
  conditionalPower,
  daysLeft,
  leastEffect,
  powerOf,
  samplePlan,
} from '../../../src/kernel/statistics/sample-size.js';
import { meanDifferenceSequence, meanSequence } from '../../../src/kernel/statistics/sequential/mean-sequence.js';
import {
  rateDifferenceLogE,
  rateDifferenceSequence,
  rateLogE,
  rateSequence,
} from '../../../src/kernel/statistics/sequential/rate-sequence.js';
import { sampleRatioLogE } from '../../../src/kernel/statistics/sequential/sample-ratio.js';
import { seededRandom } from '../../../src/kernel/random.js';
import { disagreement, ourResults, type Cases, type Results } from '../../support/statistics-cases.js';

/** What the packages said of our cases when they were last asked; `statistics-peers.test.ts` asks them anew where it can. */
const expected = JSON.parse(readFileSync(resolve('test/unit/evaluation/statistics-expected.json'), 'utf8')) as {
  cases: Cases;
  results: Results;
};

describe('figures that packages of the field have, too', () => {
  const ours = ourResults(expected.cases);

  it.each([
    ['rates', 'confseq'],
    ['sampleRatios', 'ssrm-test'],
    ['differences', 'gbstats'],
    ['cuped', 'gbstats'],
    ['distributions', 'scipy'],
  ] as const)('%s agree with %s to 1e-6', (name, _package) => {
    const { most, figures } = disagreement(ours[name], expected.results[name]);
    expect(figures).toBeGreaterThan(30);
    expect(most).toBeLessThan(1e-6);
  });
});

const counts = fc
  .tuple(fc.integer({ min: 1, max: 800 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([answers, share]) => ({ answers, good: Math.round(answers * share) }));

describe('a sequence for a rate', () => {
  it('is an e-value: its evidence against the true rate is 1 in expectation at any number of answers', () => {
    for (const rate of [0.03, 0.5, 0.9])
      for (const answers of [1, 5, 60]) {
        let expectation = 0;
        let logProbability = answers * Math.log(1 - rate);
        for (let good = 0; good <= answers; good++) {
          expectation += Math.exp(logProbability + rateLogE({ answers, good }, rate));
          logProbability += Math.log(answers - good) - Math.log(good + 1) + Math.log(rate / (1 - rate));
        }
        expect(expectation).toBeCloseTo(1, 9);
      }
  });

  it('holds the rate that was seen, lies within 0 and 1 and narrows with alpha', () => {
    fc.assert(
      fc.property(counts, (seen) => {
        const [wide, narrow] = [rateSequence(seen, 0.01), rateSequence(seen, 0.1)];
        expect(wide.low).toBeLessThanOrEqual(narrow.low);
        expect(narrow.high).toBeLessThanOrEqual(wide.high);
        expect(narrow.low).toBeLessThanOrEqual(seen.good / seen.answers);
        expect(narrow.high).toBeGreaterThanOrEqual(seen.good / seen.answers);
        expect([wide.low >= 0, wide.high <= 1]).toEqual([true, true]);
      }),
    );
  });

  it('loses the true rate at any of 1,000 looks in at most 5 % of runs', () => {
    const random = seededRandom(11);
    let lost = 0;
    for (let run = 0; run < 200; run++) {
      const seen = { answers: 0, good: 0 };
      let out = false;
      for (let look = 0; look < 1_000; look++) {
        seen.answers += 1;
        if (random() < 0.85) seen.good += 1;
        out ||= rateLogE(seen, 0.85) >= Math.log(20);
      }
      if (out) lost += 1;
    }
    expect(lost).toBeLessThanOrEqual(10);
  });
});

describe('a sequence for a difference of rates', () => {
  it('leaves out no difference that any pair of rates supports, as a search over all pairs finds', () => {
    fc.assert(
      fc.property(counts, counts, fc.double({ min: -0.6, max: 0.6, noNaN: true }), (control, arm, difference) => {
        let least = Infinity;
        for (let i = 1; i < 2_000; i++) {
          const rate = i / 2_000;
          // Next to 0 and 1 the evidence is lost to rounding: ln(1 - 1e-16) has no digit that is right.
          if (rate + difference <= 1e-9 || rate + difference >= 1 - 1e-9) continue;
          least = Math.min(least, rateLogE(control, rate) + rateLogE(arm, rate + difference));
        }
        // It tells the evidence against a pair that it tried, so it can only err by being too high; how much, its search's last step says.
        expect(rateDifferenceLogE(control, arm, difference)).toBeLessThanOrEqual(least + 1e-3);
      }),
      { numRuns: 60, examples: [[{ answers: 1, good: 0 }, { answers: 2, good: 2 }, 0.5999999999999999]] },
    );
  });

  it('is tighter than two intervals at half of alpha, holds what was seen, and turns its sign with the arms', () => {
    fc.assert(
      fc.property(counts, counts, (control, arm) => {
        const { low, high } = rateDifferenceSequence(control, arm, 0.05);
        const [a, b] = [rateSequence(control, 0.025), rateSequence(arm, 0.025)];
        expect(low).toBeGreaterThanOrEqual(b.low - a.high - 0.02);
        const seen = arm.good / arm.answers - control.good / control.answers;
        expect([low <= seen, seen <= high]).toEqual([true, true]);
        const turned = rateDifferenceSequence(arm, control, 0.05);
        expect(turned.low).toBeCloseTo(-high, 6);
        expect(turned.high).toBeCloseTo(-low, 6);
      }),
      { numRuns: 40 },
    );
    const wide = rateDifferenceSequence({ answers: 400, good: 320 }, { answers: 400, good: 330 }, 0.05);
    const [a, b] = [rateSequence({ answers: 400, good: 320 }, 0.025), rateSequence({ answers: 400, good: 330 }, 0.025)];
    expect(wide.high - wide.low).toBeLessThan(0.9 * (b.high - a.low - (b.low - a.high)));
  });

  it('excludes 0 for a planted loser, on its side', () => {
    const { high } = rateDifferenceSequence({ answers: 500, good: 450 }, { answers: 500, good: 350 }, 0.05);
    expect(high).toBeLessThan(0);
    const { low } = rateDifferenceSequence({ answers: 500, good: 350 }, { answers: 500, good: 450 }, 0.05);
    expect(low).toBeGreaterThan(0);
  });
});

describe('sequences for means', () => {
  it('lose the true difference at any look in at most 5 % of runs of skewed values', () => {
    const random = seededRandom(5);
    let lost = 0;
    for (let run = 0; run < 100; run++) {
      const [a, b]: [number[], number[]] = [[], []];
      let out = false;
      for (let look = 0; look < 40; look++) {
        for (let i = 0; i < 20; i++) {
          a.push(-Math.log(1 - random()) * 100);
          b.push(-Math.log(1 - random()) * 100);
        }
        const { low, high } = meanDifferenceSequence(momentsOf(a), momentsOf(b), 0.05);
        out ||= low > 0 || high < 0;
      }
      if (out) lost += 1;
    }
    expect(lost).toBeLessThanOrEqual(5);
  });

  it('say nothing of few values, nor divide by a control of 0', () => {
    const few = momentsOf([1, 2, 3]);
    expect(meanSequence(few, 0.05)).toMatchObject({ low: -Infinity, high: Infinity, p: 1 });
    expect(meanDifferenceSequence(few, few, 0.05)).toMatchObject({ value: 0, low: -Infinity, p: 1 });
    const zero = { n: 100, mean: 0, variance: 1 };
    expect(meanDifferenceSequence(zero, zero, 0.05, { kind: 'RELATIVE' }).p).toBe(1);
  });
});

describe('the sample ratio', () => {
  it('is sound however often it is looked at, and finds an arm that loses one answer in four', () => {
    const random = seededRandom(3);
    let alarms = 0;
    for (let run = 0; run < 200; run++) {
      const units = [0, 0];
      let out = false;
      for (let i = 0; i < 2_000; i++) {
        units[random() < 0.5 ? 0 : 1]! += 1;
        if (i % 20 === 0) out ||= sampleRatioLogE(units, [0.5, 0.5]) >= Math.log(20);
      }
      if (out) alarms += 1;
    }
    expect(alarms).toBeLessThanOrEqual(10);
    expect(sampleRatioLogE([750, 1_000], [0.5, 0.5])).toBeGreaterThan(Math.log(1_000));
    expect(sampleRatioLogE([1, 100], [0, 1])).toBe(Infinity);
  });
});

describe('the size of a test', () => {
  it('gives the power that was asked for, and the least effect turns it round', () => {
    const design = { variance: 0.25, alpha: 0.05, ratio: 0.5 };
    const { control, arm, days } = samplePlan(design, 0.05, 0.8, 500);
    expect(arm).toBe(Math.ceil(control / 2));
    expect(days).toBeCloseTo((control + arm) / 500, 9);
    expect(powerOf(design, 0.05, control)).toBeCloseTo(0.8, 2);
    expect(leastEffect(design, 0.8, control)).toBeCloseTo(0.05, 3);
    // Cohen's tables: half a standard deviation at .8 and .05 takes 63 a group (64 by Student's distribution).
    expect(samplePlan({ variance: 1, alpha: 0.05 }, 0.5, 0.8, 0)).toEqual({ control: 63, arm: 63, days: null });
  });

  it('is reached: simulated tests of that size see the effect in so many cases', () => {
    const random = seededRandom(21);
    const design = { variance: 0.8 * 0.2, armVariance: 0.7 * 0.3, alpha: 0.05 };
    const { control } = samplePlan(design, 0.1, 0.8, 1);
    const draw = (rate: number) => {
      let good = 0;
      for (let i = 0; i < control; i++) good += Number(random() < rate);
      const mean = good / control;
      return { n: control, mean, variance: mean * (1 - mean) };
    };
    let seen = 0;
    for (let run = 0; run < 500; run++) if (fixedDifference(draw(0.8), draw(0.7), 0.05).p < 0.05) seen += 1;
    expect(seen / 500).toBeGreaterThan(0.74);
    expect(seen / 500).toBeLessThan(0.86);
  });

  it('tells days left, and the futility of going on', () => {
    expect([daysLeft(0, 0), daysLeft(100, 50), daysLeft(100, 0)]).toEqual([0, 2, null]);
    const drift = 2.8;
    expect(conditionalPower({ z: 0, done: 0, drift, alpha: 0.05 })).toBeCloseTo(0.8, 2);
    expect(conditionalPower({ z: -1, done: 0.8, drift, alpha: 0.05 })).toBeLessThan(0.1);
    expect(conditionalPower({ z: 2.5, done: 1, drift, alpha: 0.05 })).toBe(1);
  });
});

describe('adjusted differences', () => {
  it('CUPED keeps the difference on average and takes what the covariate explains off its variance', () => {
    const random = seededRandom(8);
    const draw = (shift: number) => {
      const before = Array.from({ length: 400 }, () => 10 * random());
      const after = before.map((value) => value + shift + random());
      const total = (values: number[]) => values.reduce((sum, value) => sum + value, 0);
      return {
        n: 400,
        sum: total(after),
        sumSquares: total(after.map((value) => value ** 2)),
        covariateSum: total(before),
        covariateSumSquares: total(before.map((value) => value ** 2)),
        sumProducts: total(after.map((value, i) => value * before[i]!)),
      };
    };
    const [control, arm] = [draw(0), draw(0.2)];
    const adjusted = cuped(control, arm);
    const { value, p } = fixedDifference(adjusted.control, adjusted.arm, 0.05);
    expect(adjusted.theta).toBeCloseTo(1, 1);
    expect(value).toBeCloseTo(0.2, 1);
    expect(p).toBeLessThan(1e-6);
    expect(adjusted.arm.variance).toBeLessThan(0.1);
  });
});

it('spends its chance to be wrong once, however often is looked', () => {
  const spent = Array.from({ length: 100_000 }, (_, i) => shareOfLook(i + 1)).reduce((sum, each) => sum + each);
  expect(spent).toBeLessThanOrEqual(1);
  expect(spent).toBeGreaterThan(0.9999);
});
