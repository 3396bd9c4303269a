import fc from 'fast-check';
import { abstention, LEAST_READ, unanswered, worthReading } from '../../../src/ask/judge/abstain.js';
import {
  answerabilityOf,
  DOUBTED,
  leastAnswerability,
  LEAST_ANSWERABILITY,
} from '../../../src/ask/judge/reading-rule.js';

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

  it('takes a sure reader’s word, the more so the more the sentence is like the question', () => {
    expect(answerabilityOf({ answerability: 0.3, similarity: 0.1 })).toBeLessThan(LEAST_ANSWERABILITY);
    expect(answerabilityOf({ answerability: 0.9, similarity: 0.1 })).toBeLessThan(0.5);
    expect(answerabilityOf({ answerability: 0.9, similarity: 0.6 })).toBeGreaterThan(0.6);
  });

  it('is what the reader says where there is no likeness', () => {
    expect(answerabilityOf({ answerability: 0.7, similarity: null })).toBe(0.7);
  });
});

describe('the least probability that is answered from', () => {
  it('is higher where relevance finds it improbable that the answer is there at all', () => {
    expect(leastAnswerability(DOUBTED.below)).toBe(LEAST_ANSWERABILITY);
    expect(leastAnswerability(DOUBTED.below - 0.01)).toBeGreaterThan(LEAST_ANSWERABILITY);
  });
});

describe('what a reader is asked about', () => {
  it('is what is relevant or doubtfully so, and not what is irrelevant or was never found', () => {
    const refused = (probability: number) => ({ ...abstention(0, [])!, reason: 'LOW_RELEVANCE', probability }) as const;
    expect(worthReading(null)).toBe(true);
    expect(worthReading(refused(LEAST_READ))).toBe(true);
    expect(worthReading(refused(LEAST_READ / 2))).toBe(false);
    expect(worthReading(abstention(0, []))).toBe(false);
    expect(worthReading(abstention(1, []))).toBe(false);
    expect(worthReading(unanswered({ answerability: 0.3, least: 0.35, doubted: false }))).toBe(false);
  });
});
