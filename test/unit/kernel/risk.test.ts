import fc from 'fast-check';
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

  it('is the lowest that does, and none where too few decisions were seen or too many were wrong', () => {
    const right = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => ({ confidence: from + i / 1_000, right: true }));
    const curve = riskCurveOf([...right(0.5, 60), { confidence: 0.4, right: false }, ...right(0.3, 1)]);
    expect(leastConfidence(curve, 0.05)).toMatchObject({ confidence: 0.3, decisions: 62, wrong: 1 });
    expect(leastConfidence(curve, 0.02)).toMatchObject({ confidence: 0.5, decisions: 60, wrong: 0 });
    expect(leastConfidence(curve, 0.01)).toBeNull();
    expect(leastConfidence(riskCurveOf(right(0.9, 10)), 0.05)).toBeNull();
    expect(leastConfidence([], 1)).toBeNull();
  });

  it('needs no more than a hundred points of any number of decisions, the least confident among them', () => {
    const curve = riskCurveOf(Array.from({ length: 5_000 }, (_, i) => ({ confidence: i / 5_000, right: i > 100 })));
    expect(curve.length).toBeLessThanOrEqual(100);
    expect(curve.at(-1)).toEqual({ confidence: 0, decisions: 5_000, wrong: 101 });
  });
});
