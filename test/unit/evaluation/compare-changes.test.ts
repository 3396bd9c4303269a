import fc from 'fast-check';
import { compareChanges, TOLERANCE } from '../../../src/prove/attestation/compare-changes.js';

const logits = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 8, maxLength: 8 });
const change = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 8, maxLength: 8 });
const plus = (off: number[], by: number[], factor = 1): { off: number[]; on: number[] } => ({
  off,
  on: off.map((logit, i) => logit + (factor * by[i]!) / 100),
});

describe('the change that an adapter makes, served against trained', () => {
  it('is the same whatever the logits are without the adapter', () => {
    fc.assert(
      fc.property(logits, logits, change, (here, there, by) => {
        const { cosine, normRatio } = compareChanges(plus(here, by), plus(there, by));
        expect(cosine).toBeCloseTo(1, 6);
        expect(normRatio).toBeCloseTo(1, 6);
      }),
    );
  });

  it('may be weaker or stronger only within the tolerance', () => {
    const [least, most] = TOLERANCE.normRatio;
    fc.assert(
      fc.property(logits, change, fc.double({ min: 0.01, max: 10, noNaN: true }), (off, by, factor) => {
        fc.pre(Math.abs(factor - least) > 1e-6 && Math.abs(factor - most) > 1e-6);
        const compare = () => compareChanges(plus(off, by, factor), plus(off, by));
        if (factor > least && factor < most) expect(compare().normRatio).toBeCloseTo(factor, 6);
        else expect(compare).toThrow(expect.objectContaining({ code: 'ADAPTER_UNPROVEN' }));
      }),
    );
  });

  it('is refused when it is nothing, on either side, or goes the other way', () => {
    const off = [1, 2, 3];
    const still = { off, on: off };
    const moved = { off, on: [2, 2, 4] };
    for (const [served, trained] of [
      [still, moved],
      [moved, still],
      [{ off, on: [0, 2, 2] }, moved],
    ] as const)
      expect(() => compareChanges(served, trained)).toThrow(expect.objectContaining({ code: 'ADAPTER_UNPROVEN' }));
  });
});
