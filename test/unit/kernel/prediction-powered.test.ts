import fc from 'fast-check';
import { seededRandom } from '../../../src/kernel/random.js';
import { momentsOf } from '../../../src/kernel/statistics/moments.js';
import { predictedShare } from '../../../src/kernel/statistics/prediction-powered.js';
import { draws } from '../../support/draws.js';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const judgements = fc.array(
  fc.record({ predicted: share, right: fc.integer({ min: 0, max: 1 }), weight: fc.double({ min: 1, max: 500 }) }),
  { minLength: 1, maxLength: 60 },
);

describe('the share of right answers from predictions and judgements', () => {
  it('lies in an interval of some width within 0 and 1, which no unit of the weights changes', () => {
    fc.assert(
      fc.property(judgements, fc.array(share, { minLength: 1, maxLength: 40 }), (judged, others) => {
        const predictions = momentsOf([...others, ...judged.map(({ predicted }) => predicted)]);
        const { value, low, high } = predictedShare(predictions, judged);
        expect(0 <= low && low <= value && value <= high && high <= 1).toBe(true);
        expect(high - low).toBeGreaterThan(0.001);
        const scaled = predictedShare(
          predictions,
          judged.map((one) => ({ ...one, weight: 3 * one.weight })),
        );
        expect(scaled.value).toBeCloseTo(value, 9);
        expect(scaled.high - scaled.low).toBeCloseTo(high - low, 9);
      }),
    );
  });

  it('says nothing without a judgement', () => {
    expect(predictedShare(momentsOf([0.9, 0.8]), [])).toMatchObject({ low: 0, high: 1 });
  });

  it('is the share of the judged where predictions tell nothing, by their weights', () => {
    const judged = [1, 1, 1, 0].map((right) => ({ predicted: 0.4, right, weight: right === 0 ? 3 : 1 }));
    expect(predictedShare(momentsOf([0.4, 0.4, 0.4, 0.4]), judged).value).toBeCloseTo(0.5, 9);
  });

  it('follows predictions where they are right, however few were judged', () => {
    const predicted = Array.from({ length: 1_000 }, (_, i) => Number(i % 4 > 0));
    const judged = [1, 1, 0, 0, 1, 0, 1, 0, 1, 0].map((right) => ({ predicted: right, right, weight: 1 }));
    expect(predictedShare(momentsOf(predicted), judged).value).toBeCloseTo(0.75, 9);
  });

  const ANSWERS = 4_000;
  const STREAMS = draws(2_000);
  const CONFIDENCES = {
    calibrated: (p: number) => p,
    'over-confident': (p: number) => 1 - (1 - p) ** 3,
    useless: (_p: number, random: number) => random,
  };

  /** @returns the shares of streams whose interval missed the share of right answers at a look up to 30, 100 and 300 judged ones */
  function missed(
    rate: number,
    weight: (i: number) => number,
    predicts: (p: number, random: number) => number,
  ): number[] {
    const counts = [30, 100, 300].map((reviewed) => ({ reviewed, missed: 0 }));
    for (let stream = 0; stream < STREAMS; stream++) {
      const random = seededRandom(stream * 7_919 + 5);
      const answers = Array.from({ length: ANSWERS }, (_, i) => {
        const p = 1 - (1 - rate) * 3 * random() ** 2;
        return { predicted: predicts(p, random()), right: Number(random() < p), weight: weight(i) };
      });
      const truth = momentsOf(answers.map(({ right }) => right)).mean;
      const predictions = momentsOf(answers.map(({ predicted }) => predicted));
      let out = false;
      const judged: typeof answers = [];
      for (let number = 1; number <= 300; number++) {
        // Answers of the first half are drawn four times as often where they weigh a quarter.
        let one: (typeof answers)[number];
        do one = answers[Math.floor(random() * ANSWERS)]!;
        while (random() * one.weight > 1);
        judged.push(one);
        if (number < 10 || number % 10 > 0) continue;
        const { low, high } = predictedShare(predictions, judged);
        out ||= truth < low || truth > high;
        for (const count of counts) if (count.reviewed === number) count.missed += Number(out);
      }
    }
    return counts.map((count) => count.missed / STREAMS);
  }

  const error = 2 * Math.sqrt((0.05 * 0.95) / STREAMS);
  for (const [name, predicts] of Object.entries(CONFIDENCES))
    it(`lies in its interval with 95 % at every look up to 30, 100 and 300 judgements: ${name} predictions`, () => {
      for (const rate of [0.7, 0.95])
        expect(Math.max(...missed(rate, () => 1, predicts))).toBeLessThanOrEqual(0.05 + error);
    }, 120_000);

  it('does so where some answers were drawn four times as often as others', () => {
    const quarter = (i: number): number => (i < ANSWERS / 2 ? 1 : 4);
    expect(Math.max(...missed(0.8, quarter, CONFIDENCES.calibrated))).toBeLessThanOrEqual(0.05 + error);
  }, 120_000);
});
