import fc from 'fast-check';
import {
  alphaOfComparison,
  conclude,
  glance,
  type ExperimentMetric,
  type ExperimentPlan,
  type ArmMoments,
} from '../../../src/ship/delivery/experiments/conclude.js';
import { momentsOf } from '../../../src/kernel/statistics/moments.js';
import { seededRandom } from '../../../src/kernel/random.js';

const right: ExperimentMetric = { name: 'right', kind: 'RATE', better: 'HIGHER', margin: 0.05, primary: true };
const latency: ExperimentMetric = { name: 'latency', kind: 'MEAN', better: 'LOWER', margin: 20, primary: false };
const plan = (changes: Partial<ExperimentPlan> = {}): ExperimentPlan => ({
  arms: ['production', 'new'],
  control: 0,
  alpha: 0.05,
  metrics: [right, latency],
  ends: false,
  final: false,
  ...changes,
});
const rate = (n: number, mean: number) => ({ n, mean, variance: n > 1 ? (mean * (1 - mean) * n) / (n - 1) : 0 });
const both = (production: number, fresh: number, n = 2_000): ArmMoments => ({
  production: { right: rate(n, production), latency: { n, mean: 300, variance: 10_000 } },
  new: { right: rate(n, fresh), latency: { n, mean: 250, variance: 10_000 } },
});

describe('an experiment’s conclusion', () => {
  it('names the winner in a sentence with figures, whichever arm it is: a planted loser never wins', () => {
    const won = conclude(plan(), both(0.7, 0.8));
    expect(won).toMatchObject({ verdict: 'WINNER', arm: 'new' });
    expect(won.sentence).toMatch(
      /^new is better than production, read at any time: right: 80 % of 2000 answers of new against 70 % of 2000/,
    );
    expect(conclude(plan(), both(0.8, 0.7))).toMatchObject({ verdict: 'WINNER', arm: 'production' });
    // Where less is better the same figures say the opposite.
    const lower = plan({ metrics: [{ ...right, better: 'LOWER' }] });
    expect(conclude(lower, both(0.8, 0.7))).toMatchObject({ verdict: 'WINNER', arm: 'new' });
    // The control is the arm that the plan names, not the first.
    const turned = plan({ control: 1 });
    expect(conclude(turned, both(0.8, 0.7))).toMatchObject({ verdict: 'WINNER', arm: 'production' });
    expect(conclude(turned, both(0.8, 0.7)).comparisons[0]!.value).toBeCloseTo(0.1, 12);
  });

  it('says that there is no difference within the margin, and is inconclusive on few answers', () => {
    const none = conclude(plan(), both(0.8, 0.801, 6_000));
    expect(none).toMatchObject({ verdict: 'NO_DIFFERENCE', arm: null });
    expect(none.sentence).toContain('by more than the margin');
    const open = conclude(plan(), both(0.7, 0.8, 40));
    expect(open).toMatchObject({ verdict: 'INCONCLUSIVE', arm: null });
    expect(open.sentence).toMatch(/^Inconclusive against production so far: right: 80 % of 40/);
    expect(conclude(plan(), {}).sentence).toContain('no outcomes in both arms yet');
  });

  it('names the winner at the planned end where all answers of an arm are good and none of the other’s', () => {
    for (const final of [false, true]) {
      const all = conclude(plan({ final }), both(0, 1, 60));
      expect(all).toMatchObject({ verdict: 'WINNER', arm: 'new' });
      expect(all.comparisons[0]!.low).toBeGreaterThan(0.5);
    }
    // Equal and without any variance there is nothing to tell them apart, and on few answers nothing that says so.
    expect(conclude(plan({ final: true }), both(1, 1, 30)).verdict).toBe('INCONCLUSIVE');
    expect(conclude(plan({ final: true }), both(1, 1, 200)).verdict).toBe('NO_DIFFERENCE');
  });

  it('decides by primary metrics alone: a quicker arm that is no better doesn’t win', () => {
    const { verdict, comparisons } = conclude(plan(), both(0.8, 0.8, 500));
    expect(verdict).toBe('INCONCLUSIVE');
    expect(comparisons.find(({ metric }) => metric === 'latency')!.finding).toBe('BETTER');
    expect(conclude(plan({ metrics: [latency] }), both(0.8, 0.8, 500)).verdict).toBe('INCONCLUSIVE');
  });

  it('lets nobody win who is better by one primary metric and worse by another', () => {
    const torn = plan({ metrics: [right, { ...latency, better: 'HIGHER', primary: true }] });
    expect(conclude(torn, both(0.7, 0.8)).verdict).toBe('INCONCLUSIVE');
  });

  it('takes the tighter fixed interval at the planned end', () => {
    const measured = both(0.8, 0.85, 1_000);
    expect(conclude(plan(), measured).verdict).toBe('INCONCLUSIVE');
    const ended = conclude(plan({ final: true }), measured);
    expect(ended).toMatchObject({ verdict: 'WINNER', arm: 'new' });
    expect(ended.sentence).toContain('at the planned end');
  });

  it('shares alpha among arms and metrics', () => {
    const four = plan({ arms: ['production', 'a', 'b', 'c'], metrics: [right, { ...right, name: 'agreed' }, latency] });
    expect(alphaOfComparison(four, true)).toBeCloseTo(0.05 / 6, 12);
    expect(alphaOfComparison(four, false)).toBeCloseTo(0.05 / 3, 12);
  });

  it('names the best of several arms that are better than the control, and doesn’t say that it is better than they', () => {
    const four = plan({ arms: ['production', 'a', 'b', 'c'], metrics: [right] });
    const measured = {
      production: { right: rate(1_000, 0.7) },
      a: { right: rate(1_000, 0.8) },
      b: { right: rate(1_000, 0.7) },
      c: { right: rate(1_000, 0.81) },
    };
    const won = conclude(four, measured);
    expect(won).toMatchObject({ verdict: 'WINNER', arm: 'c' });
    expect(won.sentence).toMatch(/^c is better than production.* So is a: which is the best isn’t shown\.$/);
    const all = { ...measured, b: { right: rate(1_000, 0.79) } };
    expect(conclude(four, all).sentence).toContain(' So are a and b: which is the best isn’t shown.');
    const lower = { ...four, metrics: [{ ...right, better: 'LOWER' as const }] };
    const fewer = { ...measured, production: { right: rate(1_000, 0.9) } };
    expect(conclude(lower, fewer)).toMatchObject({ verdict: 'WINNER', arm: 'b' });
  });

  it('spends alpha once, whether a difference is found on the way or at the planned end', () => {
    const planned = plan({ ends: true, metrics: [{ ...latency, margin: 0, primary: true }] });
    const [way, end] = [false, true].map((final) => alphaOfComparison({ ...planned, final }, true));
    expect(way! + end!).toBeCloseTo(planned.alpha, 12);
    expect(way).toBeLessThan(end!);
    expect(alphaOfComparison({ ...planned, ends: false }, true)).toBe(planned.alpha);
  });

  it('finds at a glance what it concludes, and its intervals agree with its findings', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(share, share, fc.integer({ min: 0, max: 1_500 }), fc.boolean(), (a, b, n, final) => {
        const measured = both(Math.round(a * n) / Math.max(1, n), Math.round(b * n) / Math.max(1, n), n);
        const { verdict, arm, comparisons } = conclude(plan({ final }), measured);
        expect(glance(plan({ final }), measured)).toEqual({ verdict, arm });
        for (const { low, high, value, finding } of comparisons) {
          expect([low <= value, value <= high]).toEqual([true, true]);
          // 1e-9: the interval's ends are found by halving.
          if (finding === 'BETTER' || finding === 'WORSE') expect(low > -1e-9 || high < 1e-9).toBe(true);
          if (finding === 'OPEN') expect(low <= 1e-9 && high >= -1e-9).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('calls no A/A experiment off at any of 500 looks in more than 5 %', () => {
    const random = seededRandom(77);
    let called = 0;
    for (let run = 0; run < 60; run++) {
      const good = [0, 0];
      let out = false;
      for (let n = 1; n <= 500 && !out; n++) {
        good.forEach((_, arm) => (good[arm]! += Number(random() < 0.8)));
        const measured = { production: { right: rate(n, good[0]! / n) }, new: { right: rate(n, good[1]! / n) } };
        out = glance(plan({ metrics: [{ ...right, margin: 0 }] }), measured).verdict === 'WINNER';
      }
      if (out) called += 1;
    }
    expect(called).toBeLessThanOrEqual(3);
  });

  /** Shares of A/A experiments of arms of 90 and 10 % that name a winner at their planned end. */
  function falseWinners(
    metric: ExperimentMetric,
    answers: number,
    runs: number,
    value: (random: () => number) => number,
  ) {
    const random = seededRandom(90);
    let named = 0;
    for (let run = 0; run < runs; run++) {
      const values: [number[], number[]] = [[], []];
      for (let i = 0; i < answers; i++) values[random() < 0.9 ? 0 : 1].push(value(random));
      const [production, fresh] = values.map((arm) => ({ [metric.name]: momentsOf(arm) }));
      const ended = plan({ metrics: [metric], final: true });
      if (glance(ended, { production: production!, new: fresh! }).verdict === 'WINNER') named += 1;
    }
    return named / runs;
  }

  it.each([500, 2_000])(
    'names a winner of equal arms of 90 and 10 %% in at most 5 %% of rare failures, after %d answers',
    (n) => {
      const failures: ExperimentMetric = { ...right, better: 'LOWER', margin: 0 };
      expect(falseWinners(failures, n, 400, (random) => Number(random() < 0.01))).toBeLessThanOrEqual(0.05);
    },
  );

  it('names a winner of equal arms of 90 and 10 % in at most 5 % of skewed times', () => {
    const times: ExperimentMetric = { ...latency, kind: 'GEOMETRIC', margin: 0, primary: true };
    const normal = (random: () => number) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    // Logarithms, as an experiment counts them, of times whose spread is five times their mean.
    expect(falseWinners(times, 400, 1_000, (random) => 6 + 1.8 * normal(random))).toBeLessThanOrEqual(0.06);
  });

  it('tells geometric means and their difference in their own unit', () => {
    const times: ExperimentMetric = { ...latency, kind: 'GEOMETRIC', margin: 0, primary: true };
    const at = (ms: number) => ({ latency: { n: 500, mean: Math.log(ms), variance: 0.25 } });
    const { sentence, comparisons } = conclude(plan({ metrics: [times] }), { production: at(400), new: at(300) });
    expect(sentence).toMatch(
      /^new is better than production, read at any time: latency: 300 of 500 answers of new against 400/,
    );
    const [{ value, low, high }] = comparisons as [(typeof comparisons)[0]];
    expect(value).toBeCloseTo(-100, 6);
    expect([low < -100, high > -100, high < 0]).toEqual([true, true, true]);
  });
});
