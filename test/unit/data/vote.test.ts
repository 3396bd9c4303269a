import fc from 'fast-check';
import { fitVote, mostProbable, vote, type Neighbour } from '../../../src/sources/data/answering/label-index/vote.js';

const LABELS = ['a', 'b', 'c'];
const neighbour = fc.record({
  ordinal: fc.integer({ min: 1 }),
  label: fc.constantFrom(...LABELS),
  similarity: fc.double({ min: -1, max: 1, noNaN: true }),
});
const rule = fc.record({
  temperature: fc.double({ min: 0.01, max: 1, noNaN: true }),
  smoothing: fc.double({ min: 0.001, max: 1, noNaN: true }),
});
const near = (label: string, similarity: number): Neighbour => ({ ordinal: 1, label, similarity });

describe('the vote of the nearest labelled rows', () => {
  it('gives probabilities: positive, and one in sum, also where there is no neighbour', () => {
    fc.assert(
      fc.property(fc.array(neighbour, { maxLength: 20 }), rule, (neighbours, by) => {
        const shares = vote(neighbours, LABELS, by);
        expect(shares.every((share) => share > 0)).toBe(true);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
      }),
    );
  });

  it('never loses by one more neighbour of a label', () => {
    fc.assert(
      fc.property(fc.array(neighbour, { minLength: 1, maxLength: 19 }), rule, (neighbours, by) => {
        const nearest = Math.max(...neighbours.map(({ similarity }) => similarity));
        const [before] = vote(neighbours, LABELS, by);
        const [after] = vote([...neighbours, near('a', nearest)], LABELS, by);
        expect(after!).toBeGreaterThanOrEqual(before! - 1e-12);
      }),
    );
  });

  it('follows the nearest where the temperature is low, and the many where it is high', () => {
    const neighbours = [near('a', 0.9), near('b', 0.8), near('b', 0.8)];
    const of = (temperature: number) =>
      LABELS[mostProbable(vote(neighbours, LABELS, { temperature, smoothing: 0.01 }))];
    expect([of(0.02), of(1)]).toEqual(['a', 'b']);
  });

  it('is weighed as makes the right labels most probable', () => {
    const nearestIsRight = Array.from({ length: 30 }, () => ({
      label: 'a',
      neighbours: [near('a', 0.9), near('b', 0.8), near('b', 0.8)],
    }));
    const { rule: chosen, accuracy, texts } = fitVote(nearestIsRight, LABELS);
    expect(chosen.temperature).toBeLessThan(0.05);
    expect({ accuracy, texts }).toEqual({ accuracy: 1, texts: 30 });
  });
});
