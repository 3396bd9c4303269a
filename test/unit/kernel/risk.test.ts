import fc from 'fast-check';
import { seededRandom } from '../../../src/kernel/random.js';
import { leastConfidence, riskCurveOf } from '../../../src/kernel/risk.js';

const decisions = fc.array(fc.record({ confidence: fc.double({ min: 0, max: 1, noNaN: true }), right: fc.boolean() }), {
  maxLength: 400,
});

describe('the least confidence that keeps a risk', () => {
  it('keeps it on the decisions that it was chosen on, whatever they are', () => {
    fc.assert(
      fc.property(decisions, fc.double({ min: 0, max: 1, noNaN: true }), (all, most) => {
        const least = leastConfidence(riskCurveOf(all), most);
        if (least === null) return;
        const made = all.filter(({ confidence }) => confidence >= least.confidence);
        const wrong = made.filter(({ right }) => !right).length;
        expect([made.length, wrong]).toEqual([least.decisions, least.wrong]);
        expect(wrong / made.length).toBeLessThanOrEqual(most);
      }),
    );
  });

  it('is the lowest that is shown to, and none where too few decisions were seen or too many were wrong', () => {
    const right = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => ({ confidence: from + i / 1_000, right: true }));
    const curve = riskCurveOf([...right(0.5, 80), { confidence: 0.4, right: false }, ...right(0.3, 1)]);
    expect(leastConfidence(curve, 0.05)).toMatchObject({ confidence: 0.3, decisions: 82, wrong: 1 });
    expect(leastConfidence(curve, 0.03)).toMatchObject({ confidence: 0.5, decisions: 80, wrong: 0 });
    expect(leastConfidence(curve, 0.01)).toBeNull();
    // 44 decisions without a fault come about in more than one case of ten at an error rate of 5 %; 45 in fewer.
    expect(leastConfidence(riskCurveOf(right(0.9, 44)), 0.05)).toBeNull();
    expect(leastConfidence(riskCurveOf(right(0.9, 45)), 0.05)).not.toBeNull();
    expect(leastConfidence([], 0.99)).toBeNull();
  });

  it('promises a rate that later decisions exceed in at most one of ten cases, with calibrated confidences and with flat ones', () => {
    const random = seededRandom(7);
    // P(wrong) = 1 - confidence; the share of wrong ones above a confidence t is the mean of what lies above it.
    const riskAbove: Record<string, (t: number) => number> = { even: (t) => (1 - t) / 2, flat: () => 0.06 };
    for (const [kind, risk] of Object.entries(riskAbove)) {
      let exceeded = 0;
      for (let trial = 0; trial < 400; trial++) {
        const seen = Array.from({ length: 300 }, () => {
          const confidence = random();
          return { confidence, right: random() >= (kind === 'even' ? 1 - confidence : 0.06) };
        });
        const least = leastConfidence(riskCurveOf(seen), 0.05);
        if (least && risk(least.confidence) > 0.05) exceeded += 1;
      }
      // Three standard deviations above a tenth of 400.
      expect([kind, exceeded <= 58]).toEqual([kind, true]);
    }
  });

  it('needs no more than a hundred points of any number of decisions, the least confident among them', () => {
    const curve = riskCurveOf(Array.from({ length: 5_000 }, (_, i) => ({ confidence: i / 5_000, right: i > 100 })));
    expect(curve.length).toBeLessThanOrEqual(100);
    expect(curve.at(-1)).toEqual({ confidence: 0, decisions: 5_000, wrong: 101 });
  });
});
