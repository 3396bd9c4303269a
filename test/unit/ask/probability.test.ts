import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { LEAST_PROBABILITY } from '../../../src/answer/ask/abstention.js';
import {
  answerProbability,
  calibrated,
  PROBABILITY,
  readerLogOdds,
  type JudgedSentence,
} from '../../../src/answer/ask/read/probability.js';
import { isReadEnough, isWorthReading, READING } from '../../../src/answer/ask/judge/reading.js';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const cosine = fc.double({ min: -1, max: 1, noNaN: true });
const sentence = fc.record({
  similarity: fc.option(cosine),
  missingNames: share,
  answerability: fc.option(share, { nil: undefined }),
});
const of = (similarity: number, more: Partial<JudgedSentence> = {}): JudgedSentence => ({
  similarity,
  missingNames: 0,
  ...more,
});

describe('the probability that a sentence answers the question', () => {
  it('is weighed as the benchmark fitted it, and held against the threshold that it shows', () => {
    const { fitted, threshold } = JSON.parse(readFileSync('bench/results/probability.json', 'utf8')) as object & {
      fitted: unknown;
      threshold: number;
    };
    expect({ fitted, threshold }).toEqual({ fitted: PROBABILITY, threshold: LEAST_PROBABILITY });
  });

  it('is a probability whatever is known', () => {
    fc.assert(
      fc.property(sentence, (each) => {
        const probability = answerProbability(each);
        expect(probability).toBeGreaterThan(0);
        expect(probability).toBeLessThan(1);
      }),
    );
  });

  it('takes what a reader says through its calibration, a line through its log-odds that keeps its order', () => {
    const says = fc.integer({ min: 1, max: 999 }).map((thousandths) => thousandths / 1_000);
    expect(calibrated(0.7, undefined)).toBe(0.7);
    expect(calibrated(0.5, { bias: 0, slope: 3 })).toBeCloseTo(0.5);
    fc.assert(
      fc.property(
        says,
        says,
        fc.double({ min: -2, max: 2, noNaN: true }),
        fc.double({ min: 0.1, max: 1, noNaN: true }),
        (a, b, bias, slope) => {
          const calibration = { bias, slope };
          expect(readerLogOdds(calibrated(a, calibration))).toBeCloseTo(bias + slope * readerLogOdds(a), 6);
          expect(Math.sign(calibrated(a, calibration) - calibrated(b, calibration))).toBe(Math.sign(a - b));
        },
      ),
    );
  });

  it('falls with no good sign, and rises with none that is missing', () => {
    fc.assert(
      fc.property(sentence, cosine, share, (each, likeness, more) => {
        const here = answerProbability(each);
        const { similarity, missingNames, answerability } = each;
        if (similarity !== null)
          expect(answerProbability({ ...each, similarity: Math.max(similarity, likeness) })).toBeGreaterThanOrEqual(
            here,
          );
        if (answerability !== undefined)
          expect(answerProbability({ ...each, answerability: Math.max(answerability, more) })).toBeGreaterThanOrEqual(
            here,
          );
        expect(answerProbability({ ...each, missingNames: Math.max(missingNames, more) })).toBeLessThanOrEqual(here);
      }),
    );
  });

  it('takes the word of a sure reader, and more of it the more a sentence is like the question', () => {
    const [far, near] = [of(0.2), of(0.5)];
    expect(answerProbability({ ...near, answerability: 0.99 })).toBeGreaterThan(answerProbability(near));
    expect(answerProbability({ ...near, answerability: 0.02 })).toBeLessThan(answerProbability(near));
    expect(answerProbability({ ...far, answerability: 0.99 })).toBeLessThan(
      answerProbability({ ...near, answerability: 0.99 }),
    );
  });
});

describe('what a reader is asked about', () => {
  it('is every sentence that is answered from unread, and none that its word could not bring so far', () => {
    fc.assert(
      fc.property(sentence, ({ answerability: _, ...unread }) => {
        if (answerProbability(unread) >= LEAST_PROBABILITY) expect(isWorthReading(unread)).toBe(true);
        if (!isWorthReading(unread))
          expect(answerProbability({ ...unread, answerability: READING.reach })).toBeLessThan(LEAST_PROBABILITY);
      }),
    );
    expect(isWorthReading(of(0))).toBe(false);
  });

  it('is more where less is asked for, and no less where more is', () => {
    expect(isWorthReading(of(0), 0)).toBe(true);
    expect(isWorthReading(of(0.4), 1)).toBe(isWorthReading(of(0.4)));
  });

  it('ends where one may be answered from that no other comes before by what the reader says of hardly any that doesn’t answer', () => {
    const most = READING.weight * readerLogOdds(READING.reach);
    const best = { ...of(0.5, { answerability: 0.9 }), score: 1 };
    const behind = { score: 1 - most - 0.01 };
    expect(isReadEnough([], behind)).toBe(false);
    expect(isReadEnough([best], { score: 1 - most + 0.01 })).toBe(false);
    expect(isReadEnough([best], behind)).toBe(true);
    expect(isReadEnough([{ ...best, score: 0 }, best], behind)).toBe(true);
    // What speaks of answering comes behind all others.
    expect(isReadEnough([{ ...best, score: 0 }], { score: 2, addressed: true })).toBe(true);
    expect(isReadEnough([{ ...best, addressed: true }], behind)).toBe(false);
  });

  it('goes on where the first is no answer, however far behind the others are', () => {
    const refused = { ...of(0.5, { answerability: 0.05 }), score: 2 };
    expect(answerProbability(refused)).toBeLessThan(LEAST_PROBABILITY);
    expect(isReadEnough([refused], { score: 0.1 })).toBe(false);
    expect(isReadEnough([refused], { score: 0.1 }, answerProbability(refused) / 2)).toBe(true);
  });
});
