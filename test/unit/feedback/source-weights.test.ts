import { AS_ANSWERED, NOT_AS_ANSWERED } from '../../../src/learn/feedback/expectation.js';
import { estimateReliability, UNKNOWN, type Ballot } from '../../../src/learn/feedback/source-weights.js';
import { seededRandom } from '../../../src/kernel/random.js';

/** Judges, each right with its probability, on things that are right as answered or are one of two labels instead. */
function judged(judges: Record<string, number>, units: number, seed: number, share = 1): Ballot[] {
  const random = seededRandom(seed);
  const truths = [AS_ANSWERED, 'card', 'transfer'];
  const pick = (from: readonly string[]) => from[Math.floor(random() * from.length)]!;
  return Array.from({ length: units }, (_, unit) => ({ unit: String(unit), truth: pick(truths) })).flatMap(
    ({ unit, truth }) =>
      Object.entries(judges).flatMap(([source, accuracy]) => {
        if (random() >= share) return [];
        const verdict = random() < accuracy ? truth : pick(truths.filter((each) => each !== truth));
        return [{ unit, source, verdict }];
      }),
  );
}

describe('the weight of a source', () => {
  it('falls to nothing where it lies, and stays where it tells the truth', () => {
    const { reliability } = estimateReliability(judged({ anna: 0.95, ben: 0.9, liar: 0.05 }, 200, 1));
    expect(reliability.get('liar')!.weight).toBe(0);
    expect(reliability.get('anna')!.weight).toBeGreaterThan(0.75);
    expect(reliability.get('ben')!.weight).toBeGreaterThan(0.65);
  });

  it('falls step by step with what it gets wrong', () => {
    const honest = { anna: 0.95, ben: 0.95, cleo: 0.95 };
    const weightOf = (accuracy: number) =>
      estimateReliability(judged({ ...honest, other: accuracy }, 300, 2)).reliability.get('other')!.weight;
    const weights = [0.9, 0.7, 0.5, 0.2].map(weightOf);
    expect(weights).toEqual([...weights].sort((a, b) => b - a));
    expect(weights[0]! - weights[3]!).toBeGreaterThan(0.5);
  });

  it('is estimated to within five points of what was planted, over ten draws', () => {
    const errors = Array.from({ length: 10 }, (_, seed) => {
      const { reliability } = estimateReliability(judged({ a: 0.9, b: 0.8, c: 0.7, d: 0.6 }, 400, seed, 0.7));
      return [...Object.entries({ a: 0.9, b: 0.8, c: 0.7, d: 0.6 })].map(([source, planted]) =>
        Math.abs(reliability.get(source)!.accuracy - planted),
      );
    }).flat();
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(0.05);
  });

  it('is what everybody starts with where nobody else judged the same', () => {
    const alone: Ballot[] = [{ unit: '1', source: 'anna', verdict: 'card' }];
    const { reliability, truth } = estimateReliability(alone);
    expect(reliability.size).toBe(0);
    expect(UNKNOWN.weight).toBeCloseTo(0.6);
    expect(truth.get('1')!.get('card')).toBeCloseTo(0.8);
  });

  it('takes a no for any other answer: it agrees with whoever names one', () => {
    const ballots = ['1', '2', '3'].flatMap((unit) => [
      { unit, source: 'anna', verdict: NOT_AS_ANSWERED },
      { unit, source: 'ben', verdict: 'card' },
    ]);
    const { reliability, truth } = estimateReliability(ballots);
    expect(reliability.get('anna')!.accuracy).toBeGreaterThan(0.8);
    expect(truth.get('1')!.get('card')).toBeGreaterThan(0.8);
  });

  it('is the same for the same votes, and settles no tie by itself', () => {
    const ballots = judged({ anna: 0.9, ben: 0.8, cleo: 0.7 }, 50, 3);
    expect(estimateReliability(ballots)).toEqual(estimateReliability(ballots));
    const tie = estimateReliability([
      { unit: '1', source: 'anna', verdict: 'card' },
      { unit: '1', source: 'ben', verdict: 'transfer' },
    ]);
    const truth = tie.truth.get('1')!;
    expect(truth.get('card')).toBeCloseTo(truth.get('transfer')!);
    expect(truth.get('card')).toBeLessThan(0.5);
  });
});
