import fc from 'fast-check';
import { answerabilityOf } from '../../../src/ask/check-reading.js';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const cosine = fc.double({ min: -1, max: 1, noNaN: true });

describe('the probability that a sentence holds the answer', () => {
  it('falls neither with what the reader says nor with the likeness, and is a probability whatever both are', () => {
    fc.assert(
      fc.property(share, cosine, share, cosine, (answerability, similarity, surer, nearer) => {
        const here = answerabilityOf({ answerability, similarity });
        expect(here).toBeGreaterThan(0);
        expect(here).toBeLessThan(1);
        const more = { answerability: Math.max(answerability, surer), similarity: Math.max(similarity, nearer) };
        expect(answerabilityOf(more)).toBeGreaterThanOrEqual(here);
      }),
    );
  });

  it('is low for a sentence unlike the question, however sure the reader is of it', () => {
    expect(answerabilityOf({ answerability: 1, similarity: 0.05 })).toBeLessThan(0.35);
    expect(answerabilityOf({ answerability: 1, similarity: 0.7 })).toBeGreaterThan(0.9);
  });

  it('is what the reader says where there is no likeness', () => {
    expect(answerabilityOf({ answerability: 0.7, similarity: null })).toBe(0.7);
  });
});
